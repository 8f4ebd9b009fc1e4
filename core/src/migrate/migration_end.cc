// How a migration ends: drained and stopped, cancelled, failed, or done, each
// with its record on disk before anybody is told.
#include <utility>

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
  if (!prepared_ || !ownsTarget()) return conclude(port, MigrationState::kCancelled);
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
  if (closeFeed(port, shared_.source, feedPosition())) writeConclusion(port, prepared_);
}

MigrationView Migration::view(Instant now) const {
  MigrationView view = viewSoFar();
  const Totals& totals = shared_.totals;
  if (state_ != MigrationState::kCopying && spec().mode != MigrationMode::kVerify) {
    for (const auto& range : shared_.ranges) {
      const Digest sum = range.leaves.sum();
      view.totalEntries += sum.entries;
      view.totalBytes += sum.bytes;
    }
  } else if (state_ != MigrationState::kCopying) {
    view.totalBytes = estimatedBytes_;
  }
  if (view.totalBytes > view.bytes) view.eta = rate_.eta(view.totalBytes - view.bytes);
  view.caughtUp = state_ == MigrationState::kCatchingUp && feed_.caughtUp();
  view.differences = totals.differences();
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
