// How a migration ends: drained and stopped, cancelled, failed, or done, each
// with its record on disk before anybody is told.
#include <utility>

#include "base/assert.h"
#include "base/bytes.h"
#include "migrate/migration.h"
#include "migrate/state.h"

namespace keyhaul {

Status Migration::requestCancel() {
  if (ending_ == Ending::kFail || concluding_ != MigrationState::kPending) {
    return ErrorCode::kAlreadyComplete;
  }
  if (state_ == MigrationState::kDeleting || resumeAt_ == MigrationState::kDeleting) {
    return ErrorCode::kCancelTooLate;
  }
  for (const auto& range : shared_.ranges) {
    if (spec().mode == MigrationMode::kMove && verified_ &&
        (range.deleted || !range.deletedUpto.empty())) {
      return ErrorCode::kCancelTooLate;
    }
  }
  ending_ = Ending::kCancel;
  paused_ = false;  // whoever cancels wants it to end
  return {};
}

void Migration::finishFollowing() {
  finishAsked_ = true;
  feed_.follow(false);
}

void Migration::onEvent(Port& port, OpTag tag, const Event& event) {
  account(port.now());
  std::string text;  // read now: the part gives the buffer back
  if (event.kind == EventKind::kFailed) {
    text = std::string(asView(port.buffers().bytes(event.payload)));
  }
  Status status;
  switch (static_cast<MigrationPart>(tag.part)) {
    case MigrationPart::kJournal: status = shared_.journal.onEvent(port, event); break;
    case MigrationPart::kPrepare:
      if (event.op == closeFeed_) {
        closeFeed_ = {};
        feedClosed_ = true;
        if (event.kind == EventKind::kFailed) port.noticeWarning(event.error, shared_.source);
        port.buffers().release(event.payload.buffer);
      } else {
        status = prepare_.onEvent(port, tag, event);
      }
      break;
    case MigrationPart::kFeed: status = feed_.onEvent(port, tag, event); break;
    case MigrationPart::kRegister:
    case MigrationPart::kGate: KH_ASSERT(false); break;
    case MigrationPart::kSource:
    case MigrationPart::kTarget:
    case MigrationPart::kWrite:
      switch (state_) {
        case MigrationState::kPreparing: status = prepare_.onEvent(port, tag, event); break;
        case MigrationState::kCopying: status = copy_.onEvent(port, tag, event); break;
        case MigrationState::kCatchingUp: status = feed_.onEvent(port, tag, event); break;
        case MigrationState::kVerifying:
          status = comparing_ ? compare_.onEvent(port, tag, event)
                              : leafCheck_.onEvent(port, event);
          break;
        case MigrationState::kRepairing:
        case MigrationState::kDeleting: status = compare_.onEvent(port, tag, event); break;
        case MigrationState::kDiscarding: status = discard_.onEvent(port, tag, event); break;
        case MigrationState::kPending:
        case MigrationState::kStopped:
        case MigrationState::kDone:
        case MigrationState::kMismatch:
        case MigrationState::kCancelled:
        KEYHAUL_LIVE_STATES:
        case MigrationState::kFailed: KH_ASSERT(false); break;
      }
      break;
  }
  if (status.ok()) return;
  fail(port, status.code(), blamed(), text);
}

NodeId Migration::blamed() const {
  switch (state_) {
    case MigrationState::kPreparing: return prepare_.blamed();
    case MigrationState::kCopying: return copy_.blamed();
    case MigrationState::kCatchingUp: return feed_.blamed();
    case MigrationState::kVerifying: return comparing_ ? compare_.blamed() : shared_.target;
    case MigrationState::kRepairing:
    case MigrationState::kDeleting: return compare_.blamed();
    case MigrationState::kDiscarding: return shared_.target;
    case MigrationState::kPending:
    case MigrationState::kStopped:
    case MigrationState::kDone:
    case MigrationState::kMismatch:
    case MigrationState::kCancelled:
    KEYHAUL_LIVE_STATES:
    case MigrationState::kFailed: break;
  }
  return {};
}

bool Migration::partWriting() const {
  switch (state_) {
    case MigrationState::kCopying: return copy_.writing();
    case MigrationState::kCatchingUp: return feed_.writing();
    case MigrationState::kRepairing:
    case MigrationState::kDeleting: return compare_.writing();
    case MigrationState::kDiscarding: return discard_.writing();
    case MigrationState::kVerifying:
    case MigrationState::kPreparing:
    case MigrationState::kPending:
    case MigrationState::kStopped:
    case MigrationState::kDone:
    case MigrationState::kMismatch:
    case MigrationState::kCancelled:
    KEYHAUL_LIVE_STATES:
    case MigrationState::kFailed: break;
  }
  return false;
}

Status Migration::settlePart(Port& port) {
  switch (state_) {
    case MigrationState::kCopying: return copy_.settle(port);
    case MigrationState::kCatchingUp: return feed_.settle(port);
    case MigrationState::kRepairing:
    case MigrationState::kDeleting: return compare_.settle(port);
    case MigrationState::kDiscarding: return discard_.settle(port);
    case MigrationState::kVerifying:
    case MigrationState::kPreparing:
    case MigrationState::kPending:
    case MigrationState::kStopped:
    case MigrationState::kDone:
    case MigrationState::kMismatch:
    case MigrationState::kCancelled:
    KEYHAUL_LIVE_STATES:
    case MigrationState::kFailed: break;
  }
  return {};
}

// A write in flight is awaited, whatever the reason to end: nobody may find out later that it
// landed after all. Only one that the store did not answer in time is given up.
void Migration::pumpEnding(Port& port) {
  if (partStarted_ && partWriting()) {
    if (Status s = settlePart(port); !s.ok()) fail(port, s.code(), blamed(), {});
    if (partWriting()) return;
  }
  if (ending_ == Ending::kFail) {
    ending_ = Ending::kNone;
    const bool refused = !prepared_ && retryClass(error_) == RetryClass::kFatal;
    return conclude(port, refused ? MigrationState::kFailed : MigrationState::kStopped);
  }
  if (ending_ == Ending::kStop) {
    fail(port, ErrorCode::kInterrupted, {}, {});
    return pumpEnding(port);
  }
  ending_ = Ending::kNone;
  stopParts(port);
  // What stood in the target before cannot be told from what was copied: it is
  // left, and the receipt says how much was copied.
  const bool nothingWritten = !prepared_ || spec().mode == MigrationMode::kVerify;
  if (nothingWritten || !targetWasEmpty_) return conclude(port, MigrationState::kCancelled);
  if (state_ == MigrationState::kDiscarding) {
    partStarted_ = false;
    return;
  }
  if (state_ == MigrationState::kPreparing) {
    resumeAt_ = MigrationState::kDiscarding;  // once the journal's story is taken up
    state_ = MigrationState::kPending;
  }
  for (auto& range : shared_.ranges) {
    range.deleted = false;
    range.deletedUpto.clear();
  }
  enter(port, MigrationState::kDiscarding);
}

void Migration::stopParts(Port& port) {
  prepare_.stop(port);
  copy_.stop(port);
  feed_.stop(port);
  leafCheck_.stop(port);
  compare_.stop(port);
  discard_.stop(port);
  partStarted_ = false;
}

void Migration::conclude(Port& port, MigrationState final) {
  account(port.now());
  stopParts(port);
  concluding_ = final;
  conclusionWritten_ = false;
  if (closeFeed_) port.abort(std::exchange(closeFeed_, {}));
  feedClosed_ = !usesFeed() || (!prepare_.feedAsked() && feedPosition().empty());
}

// Where the feed that is open stands, also when an earlier process opened it. Empty: none is.
std::string Migration::feedPosition() const {
  if (!feed_.position().empty()) return feed_.position();
  return feedPosition_.empty() ? prepare_.feedPosition() : feedPosition_;
}

void Migration::pumpConclusion(Port& port) {
  if (!feedClosed_) {
    // A feed is closed only once the journal says why: a crash in between would leave a
    // migration that goes on without the feed it needs.
    if (!shared_.journal.flushed()) return;
    if (prepared_ && shared_.journal.enabled()) onDisk_ = true;
    // A stopped one needs its feed when it goes on; one that cannot go on needs none, and a
    // feed that nobody follows makes the source's log grow for ever.
    feedClosed_ = concluding_ == MigrationState::kStopped && resumable();
  }
  if (closeFeed(port, feedPosition())) writeConclusion(port, prepared_);
}

MigrationView Migration::view(Instant now) const {
  MigrationView view = viewSoFar();
  const Totals& totals = shared_.totals;
  if (state_ != MigrationState::kCopying && spec().mode != MigrationMode::kVerify) {
    for (const auto& range : shared_.ranges) {
      const Digest sum = sumOf(range.leaves);
      view.totalEntries += sum.entries;
      view.totalBytes += sum.bytes;
    }
  } else if (state_ != MigrationState::kCopying) {
    view.totalBytes = estimatedBytes_;
  }
  if (view.totalBytes > view.bytes) view.eta = rate_.eta(view.totalBytes - view.bytes);
  view.caughtUp = state_ == MigrationState::kCatchingUp && feed_.caughtUp();
  view.differences = totals.missing + totals.extra + totals.changed;
  static_cast<void>(now);
  return view;
}

uint64_t Migration::hash(uint64_t seed) const {
  const auto mix = [&seed](uint64_t word) {
    seed = (seed ^ word) * 0x9E3779B97F4A7C15U;
    seed ^= seed >> 29;
  };
  mix(static_cast<uint64_t>(state_));
  mix(shared_.doneEntries);
  mix(shared_.doneBytes);
  mix(shared_.totals.copiedEntries);
  mix(shared_.totals.repairs);
  mix(shared_.totals.feedChanges);
  mix(sourceDigest_.lo ^ targetDigest_.hi);
  return seed;
}

}  // namespace keyhaul
