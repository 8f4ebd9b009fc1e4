// How a live migration ends: stopped where it stands, undone, or done; and what it tells.
#include <utility>

#include "base/assert.h"
#include "base/bytes.h"
#include "migrate/live_migration.h"

namespace keyhaul {

void LiveMigration::requestStop() {
  if (ending_ == Ending::kNone) ending_ = Ending::kStop;
}

Status LiveMigration::requestCancel() {
  if (ending_ == Ending::kFail || concluding_ != MigrationState::kPending) {
    return ErrorCode::kAlreadyComplete;
  }
  if (liveRow(state_).stage == LiveStage::kCommitted) return ErrorCode::kCancelTooLate;
  const bool undoing = shared_.claim.state == ClaimState::kAborted || state_ == MigrationState::kAborting;
  if (!undoing) ending_ = Ending::kCancel;
  return {};
}

void LiveMigration::finishFollowing() {
  finishAsked_ = true;
  approach_.finish();
}

// A journal that failed keeps nothing from being served, once it is decided; this does.
void LiveMigration::failPart(Port& port, ErrorCode error, std::string_view text) {
  const bool journal = ending_ == Ending::kFail && error_ == ErrorCode::kJournalWriteFailed;
  if (journal) ending_ = Ending::kNone;
  fail(port, error, blamed(), text);
}

bool LiveMigration::wantsOut() const {
  if (ending_ == Ending::kNone) return false;
  const bool failed = ending_ == Ending::kFail;
  switch (liveRow(state_).stage) {
    case LiveStage::kIdle: return failed || !resumed_ || ending_ == Ending::kStop;
    // What was claimed has to be known before it can be given up.
    case LiveStage::kBefore: return failed || state_ != MigrationState::kClaiming || !claimed_;
    case LiveStage::kFenced: return true;
    case LiveStage::kCommitted:
      // Whoever stops it, and a journal that fails, may not stop the range from being served.
      if (ending_ == Ending::kCancel) return false;
      if (failed && error_ != ErrorCode::kJournalWriteFailed) return true;
      if (state_ == MigrationState::kCleaning) return failed || resumable();
      return state_ == MigrationState::kClosing ? failed || register_.failing()
                                                : state_ == MigrationState::kDeciding && !failed &&
                                                      register_.failing();
    case LiveStage::kUndoing:
      if (failed || state_ == MigrationState::kDiscarding) return true;
      return ending_ == Ending::kStop && liveRow(state_).part == LivePart::kRegister &&
             register_.failing();
  }
  return false;
}

void LiveMigration::pumpEnding(Port& port) {
  if (partStarted_ && partWriting()) {
    if (Status s = settlePart(port); !s.ok()) fail(port, s.code(), blamed(), {});
    if (partWriting()) return;
  }
  // A cancel that is stopped on its way goes on later; it has not failed.
  const bool cancelling = error_ == ErrorCode::kCancelled;
  if (ending_ == Ending::kStop && (error_ == ErrorCode::kOk || cancelling)) {
    error_ = ErrorCode::kInterrupted;
  }
  const LiveStage stage = liveRow(state_).stage;
  const bool unreadable = error_ == ErrorCode::kSuperseded || error_ == ErrorCode::kRegisterCorrupt;
  // Nothing was claimed. Where nobody can go on later, there is nothing to wait for either.
  const bool final = retryClass(error_) != RetryClass::kRetryable || !resumable();
  const bool refused =
      state_ == MigrationState::kClaiming && !resumed_ && final && !register_.unknown();
  stopParts(port);
  if (stage == LiveStage::kIdle || refused) {
    if (ending_ == Ending::kCancel) return conclude(port, MigrationState::kCancelled);
    return conclude(port, resumed_ ? MigrationState::kStopped : MigrationState::kFailed);
  }
  // What was never taken over is somebody else's to give up, and under his number.
  const bool strange = resumed_ && state_ == MigrationState::kClaiming &&
                       shared_.claim.id != spec().claim;
  if (strange) return conclude(port, MigrationState::kStopped);
  // Another coordinator looks after it, or nothing can be known: hands off.
  const bool emptying = state_ == MigrationState::kDiscarding && ending_ == Ending::kCancel;
  if (unreadable || stage == LiveStage::kCommitted || (stage == LiveStage::kUndoing && !emptying)) {
    return conclude(port, MigrationState::kStopped);
  }
  if (ending_ == Ending::kCancel) {
    undoneAs_ = MigrationState::kCancelled;
    ending_ = Ending::kNone;
    return enter(port, MigrationState::kAborting);
  }
  if (stage == LiveStage::kFenced) {
    after_ = std::exchange(ending_, Ending::kNone);
    return enter(port, MigrationState::kPostponing);
  }
  const bool mayBeginAnew = (liveRow(state_).next & liveBit(MigrationState::kClaiming)) != 0;
  if (error_ == ErrorCode::kFeedPositionLost && mayBeginAnew) return restart(port);
  undo(port, MigrationState::kFailed);
}

// Stops resumably where that is possible and of use, else gives the claim up.
void LiveMigration::undo(Port& port, MigrationState end) {
  if (resumable() && retryClass(error_) != RetryClass::kFatal) {
    return conclude(port, MigrationState::kStopped);
  }
  undoneAs_ = end;
  ending_ = Ending::kNone;
  enter(port, MigrationState::kAborting);
}

// Deletes in the gap are unknowable, so nothing that was copied can be brought up to date.
void LiveMigration::restart(Port& port) {
  port.noticeWarning(error_, shared_.source);
  ending_ = Ending::kNone;
  error_ = ErrorCode::kOk;
  errorText_.clear();
  // Under a new coordEpoch: one who goes on from an older copy of the journal can tell then
  // that what it knows of the staging is not true any more.
  resumed_ = true;
  forget();
  enter(port, MigrationState::kClaiming);
}

// What was staged has to go before anything is staged.
void LiveMigration::forget() {
  restarting_ = true;
  inspecting_ = false;
  prepared_ = feedOpen_ = compared_ = false;
  feedPosition_.clear();
  feed_.reset();
  for (auto& range : shared_.ranges) range = {};
}

bool LiveMigration::partWriting() const {
  switch (liveRow(state_).part) {
    case LivePart::kCopy: return copy_.writing();
    case LivePart::kFeed: return feed_.writing();
    case LivePart::kApproach: return feed_.writing();
    case LivePart::kDiscard: return discard_.writing();
    case LivePart::kNone:
    case LivePart::kRegister:
    case LivePart::kGate:
    case LivePart::kPrepare:
    case LivePart::kCompare: break;
  }
  return false;
}

Status LiveMigration::settlePart(Port& port) {
  switch (liveRow(state_).part) {
    case LivePart::kCopy: return copy_.settle(port);
    case LivePart::kFeed:
    case LivePart::kApproach: return feed_.settle(port);
    case LivePart::kDiscard: return discard_.settle(port);
    case LivePart::kNone:
    case LivePart::kRegister:
    case LivePart::kGate:
    case LivePart::kPrepare:
    case LivePart::kCompare: break;
  }
  return {};
}

void LiveMigration::stopParts(Port& port) {
  if (!feed_.position().empty()) feedPosition_ = feed_.position();
  register_.stop(port);
  sourceGate_.stop(port);
  targetGate_.stop(port);
  prepare_.stop(port);
  copy_.stop(port);
  approach_.stop(port);
  feed_.stop(port);
  compare_.stop(port);
  discard_.stop(port);
  partStarted_ = false;
}

NodeId LiveMigration::blamed() const {
  switch (liveRow(state_).part) {
    case LivePart::kNone:
    case LivePart::kRegister: return {};
    case LivePart::kGate: return sourceGate_.done() ? targetGate_.node() : sourceGate_.node();
    case LivePart::kPrepare: return prepare_.blamed();
    case LivePart::kCopy: return copy_.blamed();
    case LivePart::kFeed: return feed_.blamed();
    case LivePart::kCompare: return compare_.blamed();
    case LivePart::kApproach: return approach_.blamed();
    case LivePart::kDiscard:
      return state_ == MigrationState::kCleaning ? shared_.source : shared_.target;
  }
  return {};
}

void LiveMigration::onEvent(Port& port, OpTag tag, const Event& event) {
  account(port.now());
  port.setCoordEpoch(shared_.claim.coordEpoch);
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
    case MigrationPart::kRegister: status = register_.onEvent(port, event); break;
    case MigrationPart::kGate:
      status = sourceGate_.done() ? targetGate_.onEvent(port, event) : sourceGate_.onEvent(port, event);
      break;
    case MigrationPart::kSource:
    case MigrationPart::kTarget:
    case MigrationPart::kWrite:
      switch (liveRow(state_).part) {
        case LivePart::kPrepare: status = prepare_.onEvent(port, tag, event); break;
        case LivePart::kCopy: status = copy_.onEvent(port, tag, event); break;
        case LivePart::kFeed: status = feed_.onEvent(port, tag, event); break;
        case LivePart::kCompare: status = compare_.onEvent(port, tag, event); break;
        case LivePart::kApproach: status = approach_.onEvent(port, tag, event); break;
        case LivePart::kDiscard: status = discard_.onEvent(port, tag, event); break;
        case LivePart::kNone:
        case LivePart::kRegister:
        case LivePart::kGate: KH_ASSERT(false); break;
      }
      break;
  }
  if (status.code() == ErrorCode::kNotOwner && std::exchange(inspecting_, false)) {
    if (shared_.claim.state == ClaimState::kAborted) {
      return enter(port, MigrationState::kReleasing);  // nothing is staged
    }
    status = ErrorCode::kTargetNotEmpty;  // it is not ours
  }
  if (!status.ok()) failPart(port, status.code(), text);
}

void LiveMigration::conclude(Port& port, MigrationState end) {
  account(port.now());
  stopParts(port);
  concluding_ = end;
  conclusionWritten_ = false;
  if (closeFeed_) port.abort(std::exchange(closeFeed_, {}));
  // One that goes on later needs its feed.
  feedClosed_ = end == MigrationState::kStopped || (feedPosition_.empty() && !prepare_.feedAsked());
}

void LiveMigration::pumpConclusion(Port& port) {
  if (!shared_.journal.flushed() || !closeFeed(port, feedPosition_)) return;
  writeConclusion(port, recorded_);
}

void LiveMigration::account(Instant now) {
  if (!clockStarted_) return;
  const uint64_t us = (now - accountedAt_).us;
  accountedAt_ = now;
  Totals& totals = shared_.totals;
  totals.activeUs += us;
  if (state_ == MigrationState::kCopying) totals.copyUs += us;
  if (state_ == MigrationState::kCatchingUp || state_ == MigrationState::kApproaching) {
    totals.catchUpUs += us;
  }
  if (state_ == MigrationState::kVerifying) totals.verifyUs += us;
  if (state_ == MigrationState::kCleaning) totals.deleteUs += us;
}

// For the receipt of whoever goes on from here. The decision does not wait for it: lost with a
// crash, it costs the word "verified", and nothing else.
void LiveMigration::recordVerified() {
  VerifiedRecord record;
  record.round = shared_.totals.verifyRounds;
  record.equal = true;
  record.source = sourceDigest_;
  record.target = targetDigest_;
  shared_.journal.add(record);
}

MigrationView LiveMigration::view(Instant now) const {
  MigrationView view = viewSoFar();
  if (view.totalBytes > view.bytes) view.eta = rate_.eta(view.totalBytes - view.bytes);
  view.caughtUp = state_ == MigrationState::kApproaching && approach_.rounds() > 0;
  view.differences = shared_.totals.changed;
  static_cast<void>(now);
  return view;
}

uint64_t LiveMigration::hash(uint64_t seed) const {
  const uint64_t words[] = {static_cast<uint64_t>(state_), shared_.doneEntries, shared_.doneBytes,
                            shared_.totals.copiedEntries, shared_.totals.feedChanges,
                            shared_.claim.epoch, shared_.claim.coordEpoch};
  for (const uint64_t word : words) {
    seed = (seed ^ word) * 0x9E3779B97F4A7C15U;
    seed ^= seed >> 29;
  }
  return seed;
}

}  // namespace keyhaul
