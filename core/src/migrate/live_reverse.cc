// The way back of a live migration: after the cutover its claim is turned round in the register,
// and it goes on as a migration from the store that serves now to the one that did before, whose
// copy is there already. That it is only kept, and not gone, is decided once more in the register.
#include <algorithm>
#include <utility>

#include "migrate/live_migration.h"

namespace keyhaul {

// What an earlier process had opened records for nobody, once it was not used. It is not gone on
// with: what was staged since may have been taken off again, and no feed has to tell of that.
bool LiveMigration::disarm(Port& port) {
  if (otherPosition_.empty() || partStarted_) return true;
  if (!closeFeed(port, shared_.target, otherPosition_)) return false;
  closeNext();
  otherPosition_.clear();
  return true;
}

// From here on source and target are what they are in the claim.
void LiveMigration::turn() {
  cutover_ = std::exchange(proofDecided_, false) ? proof() : VerifiedRecord{};
  shared_.turned = true;
  std::swap(shared_.source, shared_.target);
  std::swap(feedPosition_, otherPosition_);
  std::swap(feedOpen_, otherOpen_);
  feed_.reset();
  closeNext();
  staged_ = restarting_ = inspecting_ = aborting_ = false;
  undoneAs_ = MigrationState::kCancelled;
  undoneFor_ = ErrorCode::kOk;
  // The last look was behind the fence, and the feed is older than what came after it.
  standsEqual_ = compared_ || spec().verify == VerifyDepth::kNone;
  rung_ = Rung::kNone;
  fencedAt_ = {0};
  postponedBefore_ = shared_.totals.postponed;
}

Status LiveMigration::requestReverse() {
  if (isFinal(state_) || concluding_ != MigrationState::kPending) return ErrorCode::kAlreadyComplete;
  const bool open = shared_.turned && !windowOver_ && !aborting_ && state_ != MigrationState::kAborting;
  if (!open || shared_.claim.state != ClaimState::kClaimed) return ErrorCode::kUnsupported;
  reverseAsked_ = true;
  if (goesBack()) approach_.hurry();
  return {};
}

Status LiveMigration::requestCloseWindow() {
  if (isFinal(state_) || concluding_ != MigrationState::kPending) return ErrorCode::kAlreadyComplete;
  // What the register says of it is not known before it was asked.
  const bool known = state_ != MigrationState::kClaiming && liveRow(state_).stage != LiveStage::kIdle;
  const bool open = shared_.turned && known && !fenced() && !aborting_ && state_ != MigrationState::kAborting;
  if (!open || shared_.claim.state != ClaimState::kClaimed) return ErrorCode::kUnsupported;
  windowOver_ = true;
  reverseAsked_ = false;
  return {};
}

bool LiveMigration::windowIsOver(Port& port) {
  if (windowOver_) return true;
  if (paused_ || windowEnds_.us == 0) return false;
  if (port.now() < windowEnds_) {
    port.wakeAt(windowEnds_);
    return false;
  }
  return !reverseAsked_;
}

void LiveMigration::openWindow(Port& port) {
  if (std::exchange(windowOpen_, true)) return;
  windowEnds_ = port.now() + milliseconds(spec().reverseWindowMs);
  const uint64_t unixMs = port.unixMs(windowEnds_);
  // Two are what was rounded off at most, here and in what the host said: nobody's is shorter.
  if (unixMs != 0) shared_.journal.add(WindowRecord{unixMs + 2});
}

// What an earlier process has left of it, where both know what time it is; and never more than the
// whole, however a clock was set. One that cannot be brought up to date at all is not kept for
// longer than a window is open.
void LiveMigration::takeUpWindow(Port& port) {
  const Duration whole = milliseconds(spec().reverseWindowMs);
  const uint64_t unixMs = port.unixMs(port.now());
  windowOpen_ = windowEndsUnixMs_ != 0 && unixMs != 0;
  windowEnds_ = port.now() + whole;
  if (!windowOpen_) return;
  const uint64_t leftMs = windowEndsUnixMs_ > unixMs ? windowEndsUnixMs_ - unixMs : 0;
  if (leftMs < spec().reverseWindowMs) windowEnds_ = port.now() + milliseconds(leftMs);
}

// Once it is over nothing is awaited: a store that is kept and cannot keep up would keep its window
// open for ever.
bool LiveMigration::windowEnds(Port& port) {
  const bool open = shared_.turned && everStaged_ && !aborting_ && shared_.claim.state == ClaimState::kClaimed;
  const bool waits = open && beforeFence() && state_ != MigrationState::kClaiming;
  if (!waits) return false;
  windowOver_ = windowIsOver(port);
  return windowOver_ && !reverseAsked_;
}

// The feed is followed on without a list; whoever goes back compares everything once more.
bool LiveMigration::looksAgain(Port& port) {
  if (!shared_.turned || !shared_.changed.overflowed()) return false;
  if (liveRow(state_).stage != LiveStage::kBefore) return false;
  port.noticeWarning(ErrorCode::kLimitExceeded, shared_.source);
  shared_.changed.watch(false);
  compared_ = false;
  if (state_ == MigrationState::kReversible) return true;
  stopParts(port);
  enter(port, MigrationState::kCatchingUp);
  return true;
}

// Of what was looked at nothing is known any more but what the stores have.
void LiveMigration::tryAgain(Port& port) {
  using enum MigrationState;
  error_ = ErrorCode::kOk;
  errorText_.clear();
  ending_ = Ending::kNone;
  if (state_ == kReversible || state_ == kApproaching) enter(port, kCatchingUp);
  if (state_ == kUnfencing) enter(port, kStaging);
  tryAt_ = port.now() + port.config().retryMax;
  port.wakeAt(tryAt_);
}

// What the other store lacks by now nobody knows, so there is no way back.
void LiveMigration::loseWindow(Port& port, ErrorCode why) {
  port.noticeWarning(why, blamed());
  if (std::exchange(reverseAsked_, false)) port.noticeRefused(why, shared_.source);
  windowError_ = why;
  error_ = ErrorCode::kOk;
  errorText_.clear();
  ending_ = Ending::kNone;
  endWindow(port);
}

void LiveMigration::leaveWindow(Port& port) {
  if (partStarted_ && partWriting()) {
    if (Status s = settlePart(port); !s.ok()) fail(port, s.code(), blamed(), {});
    if (partWriting()) return;
  }
  stopParts(port);
  endWindow(port);
}

// The register has it already, whatever this one's journal says.
void LiveMigration::afterTurnedClaim(Port& port) {
  if (!shared_.turned) turn();
  standsEqual_ = everStaged_ = false;
  // It has gone back: what was to be given up owns the ranges.
  const bool owns = shared_.claim.state == ClaimState::kDecided;
  if (owns && std::exchange(giveUpAsked_, false)) port.noticeRefused(ErrorCode::kUnsupported, shared_.target);
  if (ending_ == Ending::kCancel) ending_ = Ending::kNone;  // too late
  // Somebody else had it meanwhile, and may have begun to apply changes that are older than those
  // that this journal knows of: they come once more, all of them, where the feed still has them.
  const bool strange = shared_.claim.coordEpoch != knownCoordEpoch_ + 1;
  if (strange) feedPosition_ = armedPosition_;
  knownCoordEpoch_ = shared_.claim.coordEpoch;
  wasClaimed_ = true;
  shared_.journal.add(ClaimedRecord{knownCoordEpoch_, strange, false, true});
  const bool decided = shared_.claim.state == ClaimState::kDecided;
  enter(port, decided ? MigrationState::kActivating : MigrationState::kUnfencing);
}

// Nobody may empty what was not staged for it, so a window ends here at the earliest.
void LiveMigration::afterTurnedStaging(Port& port) {
  everStaged_ = true;
  if (aborting_ || (windowOver_ && !reverseAsked_)) return endWindow(port);
  if (feedPosition_.empty()) return loseWindow(port, ErrorCode::kFeedPositionLost);
  if (!windowOpen_) takeUpWindow(port);
  if (!feedOpen_) return enter(port, MigrationState::kPreparing);
  if (!std::exchange(standsEqual_, false)) return enter(port, MigrationState::kCatchingUp);
  shared_.changed.watch(compared_, port.config().changedBytesMax);
  enter(port, approachState());
}

MigrationState LiveMigration::approachState() const {
  return shared_.turned && !goesBack() ? MigrationState::kReversible : MigrationState::kApproaching;
}

// The store that serves goes on, and what was kept for the way back is emptied.
void LiveMigration::endWindow(Port& port) {
  windowOver_ = true;
  releaseWriters(port);
  enter(port, MigrationState::kAborting);
}

// The store that serves goes on, and the window is open for its whole time again: whoever wants
// may look at what is in the way, and try once more.
void LiveMigration::giveUpReverse(Port& port, ErrorCode why) {
  port.noticeWarning(why, shared_.source);
  port.noticeRefused(why, shared_.source);
  releaseWriters(port);
  rung_ = Rung::kNone;
  reverseAsked_ = false;
  windowOpen_ = false;
  windowEndsUnixMs_ = 0;
  if (port.unixMs(port.now()) != 0) shared_.journal.add(WindowRecord{0});
  postponedBefore_ = shared_.totals.postponed;
  enter(port, MigrationState::kPostponing);
}

MigrationState LiveMigration::outcome() {
  const bool decided = shared_.claim.state == ClaimState::kDecided;
  reversed_ = shared_.turned && decided;
  return shared_.turned || decided ? MigrationState::kDone : undoneAs_;
}

// Its claim was closed by somebody else: who owns the ranges says how it ended, unless somebody
// moved them again since.
MigrationState LiveMigration::outcomeGone() {
  reversed_ = shared_.turned && register_.ownedBy(spec().source);
  checkProofOfGone();
  return shared_.turned || register_.ownedBy(spec().target) ? MigrationState::kDone : undoneAs_;
}

// The new owner takes writes once it is activated, which nobody does before the decision; whoever
// reads at the old one is sent on from now on.
void LiveMigration::noteStaleReads(Port& port) {
  if (staleSince_ == kNever) return;
  staleUs_[shared_.turned ? 1 : 0] = (port.now() - staleSince_).us;
  staleSince_ = kNever;
}

uint64_t LiveMigration::staleReadsUs() const {
  const bool done = state_ == MigrationState::kDone || concluding_ == MigrationState::kDone;
  if (!done || spec().operatorFence) return 0;
  uint64_t longest = 0;
  const Capabilities gaveUp[] = {spec().sourceCapabilities, spec().targetCapabilities};
  for (size_t way = 0; way < (reversed_ ? 2U : 1U); ++way) {
    if (gaveUp[way].has(Capability::kReadFence)) continue;
    // What was too short to be measured was still not nothing.
    longest = std::max(longest, std::max<uint64_t>(staleUs_[way].value_or(kStaleReadsUnknown), 1));
  }
  return longest;
}

// Both of them, one after the other.
bool LiveMigration::closeFeeds(Port& port) {
  if (!closingOther_) {
    if (!closeFeed(port, shared_.source, feedPosition_)) return false;
    if (otherClosed_) return true;
    closingOther_ = true;
    closeNext();
  }
  return closeFeed(port, shared_.target, otherPosition_);
}

}  // namespace keyhaul
