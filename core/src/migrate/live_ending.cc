// How a live migration ends: stopped where it stands, undone, or done; and what it tells.
#include <utility>

#include "base/assert.h"
#include "migrate/live_migration.h"

namespace keyhaul {
namespace {

// How often a store may fail while a migration is undone that nobody can go on with later.
constexpr uint32_t kUndoTriesMax = 64;
// How often a target may refuse to forget what is staged. Once for each predecessor that has not
// heard of its end; a record where part of the range is staged and part is not does it for ever.
constexpr uint32_t kReleaseRefusalsMax = 4;
constexpr std::string_view kContradictory =
    "the record of its gate contradicts itself: part of the range is staged by this migration and "
    "part is not; restore it or mend it, then resume";

}  // namespace

void LiveMigration::requestStop() {
  stopAsked_ = true;
  if (ending_ == Ending::kNone) ending_ = Ending::kStop;
}

Status LiveMigration::requestCancel() {
  if (ending_ == Ending::kFail || concluding_ != MigrationState::kPending) {
    return ErrorCode::kAlreadyComplete;
  }
  const bool moved = shared_.turned || liveRow(state_).stage == LiveStage::kCommitted;
  if (moved) return ErrorCode::kCancelTooLate;
  const bool undoing = shared_.claim.state == ClaimState::kAborted || state_ == MigrationState::kAborting;
  if (!undoing) ending_ = Ending::kCancel;
  return {};
}

// Repeated by whoever does not know that it was heard: it must never end more than the following.
void LiveMigration::finishFollowing() {
  if (shared_.turned) return;
  finishAsked_ = true;
  approach_.finish();
}

// The register, or the store whose gate is asked, does not do what it is asked for.
bool LiveMigration::isAway() const {
  if (part() == Part::kRegister) return register_.failing();
  return part() == Part::kGate && (sourceGate_.failing() || targetGate_.failing());
}

// A journal that failed keeps nothing from being served, once it is decided; this does.
void LiveMigration::failPart(Port& port, ErrorCode error, std::string_view text) {
  const bool journal = ending_ == Ending::kFail && error_ == ErrorCode::kJournalWriteFailed;
  if (journal && liveRow(state_).stage == LiveStage::kCommitted) ending_ = Ending::kNone;
  fail(port, error, blamed(), text);
}

bool LiveMigration::wantsOut() const {
  // A stop that was asked for behind the fence is put off until the source serves again.
  const bool stops = ending_ == Ending::kStop || after_ == Ending::kStop;
  if (ending_ == Ending::kNone && !stops) return false;
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
      if (state_ == MigrationState::kCleaning || state_ == MigrationState::kTurning) {
        return failed || resumable() || isAway();
      }
      if (state_ == MigrationState::kClosing) return failed || isAway();
      // But one that waits for somebody who is away may as well wait in another process.
      return !failed && isAway() && (part() == Part::kRegister || resumable());
    case LiveStage::kUndoing:
      if (failed || state_ == MigrationState::kDiscarding) return ending_ != Ending::kNone;
      return stops && isAway() && (part() == Part::kRegister || resumable());
  }
  return false;
}

void LiveMigration::pumpEnding(Port& port) {
  const LiveStage stage = liveRow(state_).stage;
  if (ending_ == Ending::kNone) ending_ = std::exchange(after_, Ending::kNone);
  // Behind the fence nothing is awaited, the writers wait: that comes in Unfencing.
  if (partStarted_ && partWriting() && stage != LiveStage::kFenced) {
    if (Status s = settlePart(port); !s.ok()) fail(port, s.code(), blamed(), {});
    if (partWriting()) return;
  }
  // Why it is undone, a cancel for example, stands in the journal; why it stopped meanwhile is
  // another matter: it goes on later, and has not failed.
  const bool undoing = stage == LiveStage::kUndoing || error_ == ErrorCode::kCancelled;
  if (ending_ == Ending::kStop && (undoing || error_ == ErrorCode::kOk)) {
    error_ = ErrorCode::kInterrupted;
  }
  // The source serves again, and only the write of the attempt that was given up is missing.
  const bool served = state_ == MigrationState::kUnfencing && sourceGate_.done();
  const bool unreadable = error_ == ErrorCode::kSuperseded || error_ == ErrorCode::kRegisterCorrupt;
  // Nothing was claimed. Where nobody can go on later, there is nothing to wait for either.
  const bool final = retryClass(error_) != RetryClass::kRetryable || !resumable();
  const bool refused =
      state_ == MigrationState::kClaiming && !resumed_ && final && !register_.unknown();
  if (stage == LiveStage::kFenced) {
    stopPartsButWrites(port);
  } else {
    stopParts(port);
  }
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
  if (unreadable || stage == LiveStage::kCommitted || (stage == LiveStage::kUndoing && !emptying && !served)) {
    return conclude(port, MigrationState::kStopped);
  }
  if (stage == LiveStage::kFenced) {
    after_ = std::exchange(ending_, Ending::kNone);
    return enter(port, MigrationState::kPostponing);
  }
  if (ending_ == Ending::kCancel) {
    undoneAs_ = MigrationState::kCancelled;
    ending_ = Ending::kNone;
    return enter(port, MigrationState::kAborting);
  }
  const bool lost = error_ == ErrorCode::kFeedPositionLost && shared_.turned && everStaged_;
  if (lost) return loseWindow(port, error_);
  const bool mayBeginAnew = (liveRow(state_).next & liveBit(MigrationState::kClaiming)) != 0;
  if (error_ == ErrorCode::kFeedPositionLost && mayBeginAnew) return restart(port);
  undo(port, MigrationState::kFailed);
}

// Stops resumably where that is possible and of use, else gives the claim up.
void LiveMigration::undo(Port& port, MigrationState end) {
  // What is kept for a way back is emptied because somebody wants that, and for no other reason
  // while somebody can go on later.
  const bool keeps = shared_.turned && shared_.claim.state != ClaimState::kAborted;
  const bool tooMany = keeps && error_ == ErrorCode::kLimitExceeded;
  // Of a journal that failed just now, what stands in it is enough to go on from.
  const bool splits = error_ == ErrorCode::kNotConverging && !splitAt_.empty();
  const bool later = resumable() || (keeps && hasJournal_);
  if (later && !tooMany && !splits && (keeps || retryClass(error_) != RetryClass::kFatal)) {
    return conclude(port, MigrationState::kStopped);
  }
  if (shared_.claim.state == ClaimState::kAborted) {
    // Why it is given up is known, and this only delays it; but not for ever, nor against a stop.
    const bool may = !stopAsked_ && retryClass(error_) != RetryClass::kFatal;
    if (!may || ++undoTries_ > kUndoTriesMax) return conclude(port, MigrationState::kStopped);
    port.noticeWarning(error_, blamed());
    error_ = ErrorCode::kOk;
    errorText_.clear();
    sayWhyUndone();
  } else if (shared_.turned) {
    // The range has moved, whatever becomes of the way back.
    if (!everStaged_) return conclude(port, MigrationState::kStopped);
    const bool passes = tooMany || retryClass(error_) == RetryClass::kRetryable;
    if (stopAsked_ || !passes) return loseWindow(port, error_);
    port.noticeWarning(error_, blamed());
    return tryAgain(port);
  } else {
    undoneAs_ = end;
  }
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
  feedOpenedAt_ = kNever;
  feedPosition_.clear();
  feed_.reset();
  for (auto& range : shared_.ranges) range = {};
}

void LiveMigration::stopParts(Port& port) {
  feed_.stop(port);
  stopPartsButWrites(port);
}

void LiveMigration::stopPartsButWrites(Port& port) {
  feed_.stopPolling(port);
  if (!feed_.position().empty()) feedPosition_ = feed_.position();
  register_.stop(port);
  sourceGate_.stop(port);
  targetGate_.stop(port);
  prepare_.stop(port);
  copy_.stop(port);
  approach_.stop(port);
  compare_.stop(port);
  discard_.stop(port);
  partStarted_ = false;
}

Status LiveMigration::ownEvent(Port& port, OpTag tag, const Event& event) {
  switch (static_cast<MigrationPart>(tag.part)) {
    case MigrationPart::kRegister: {
      const Status s = register_.onEvent(port, event);
      if (event.kind == EventKind::kDone) approach_.called(register_.lastUs());
      return s;
    }
    case MigrationPart::kGate: {
      GateStep& gate = sourceGate_.done() ? targetGate_ : sourceGate_;
      const Status s = gate.onEvent(port, event);
      if (event.kind == EventKind::kDone) approach_.called(gate.lastUs());
      return s;
    }
    case MigrationPart::kSource:
    case MigrationPart::kTarget:
    case MigrationPart::kWrite: break;
    case MigrationPart::kJournal:
    case MigrationPart::kPrepare:
    case MigrationPart::kFeed: KH_ASSERT(false); break;
  }
  if (part() == Part::kApproach) return approach_.onEvent(port, tag, event);
  // Of an attempt that was given up: it is written again, however this one ended.
  static_cast<void>(feed_.onEvent(port, tag, event));
  return {};
}

Status LiveMigration::afterEvent(Port& port, Status status) {
  if (state_ == MigrationState::kReleasing && status.code() == ErrorCode::kTargetNotEmpty) {
    if (++releaseRefusals_ > kReleaseRefusalsMax) {
      fail(port, ErrorCode::kRegisterCorrupt, shared_.target, kContradictory);
      return {};
    }
    // Nothing was staged when it was looked at; a predecessor that did not know yet has since. It is emptied under a new
    // coordEpoch: a copy of the refused call that comes late would else take this one's own staging for what it was sent for.
    targetGate_.stop(port);
    resumed_ = true;
    enter(port, MigrationState::kClaiming);
    return {};
  }
  const bool refused = status.code() == ErrorCode::kNotOwner;
  const bool asked = state_ == MigrationState::kStaging || asksTarget();
  if (refused && asked && shared_.turned && isFilled()) {
    stopParts(port);  // what was kept for a way back is gone
    loseWindow(port, status.code());
    return {};
  }
  if (!refused || isFilled() || !std::exchange(inspecting_, false)) return status;
  if (shared_.claim.state != ClaimState::kAborted) return ErrorCode::kTargetNotEmpty;  // not ours
  enter(port, MigrationState::kReleasing);  // nothing is staged
  return {};
}

void LiveMigration::conclude(Port& port, MigrationState end) {
  account(port.now());
  stopParts(port);
  releaseWriters(port);
  concluding_ = end;
  conclusionWritten_ = false;
  if (closeFeed_) port.abort(std::exchange(closeFeed_, {}));
  // One that goes on later needs its feed. An earlier process may have opened one and died before
  // its journal could say so.
  const bool opened = !feedPosition_.empty() || prepare_.feedAsked() || resumed_;
  closeNext();
  closingOther_ = false;
  feedClosed_ = end == MigrationState::kStopped || !opened;
  const bool other = wantsWindow() && (otherAsked_ || resumed_);
  otherClosed_ = otherClosed_ || end == MigrationState::kStopped || !other || sourceGivenUp_;
}

void LiveMigration::pumpConclusion(Port& port) {
  if (!shared_.journal.flushed() || !closeFeeds(port)) return;
  writeConclusion(port, recorded_);
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
