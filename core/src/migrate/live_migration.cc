#include "migrate/live_migration.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "range/split.h"

namespace keyhaul {

LiveMigration::LiveMigration(MigrationId id, ValidPlan plan, NodeId source, NodeId target,
                             bool journal)
    : JobBase(id, std::move(plan), source, target),
      register_(shared_),
      sourceGate_(shared_),
      targetGate_(shared_),
      approach_(shared_, feed_) {
  hasJournal_ = journal;
  priority_ = spec().priority;
  shared_.ranges.resize(spec().ranges.size());
  shared_.journal.start(journal, tagOf(MigrationPart::kJournal), {});
}

LiveMigration::LiveMigration(MigrationId id, JournalImage image, NodeId source, NodeId target)
    : LiveMigration(id, std::move(image.plan), source, target, true) {
  resumed_ = claimed_ = true;
  shared_.ranges = std::move(image.ranges);
  shared_.totals = image.totals;
  shared_.totals.incarnations = image.incarnation + 1;
  shared_.journal.start(true, tagOf(MigrationPart::kJournal), JournalWriter(image.chain));
  shared_.journal.add(ResumedRecord{shared_.totals.incarnations});
  prepared_ = image.prepared;
  aborting_ = image.aborting;
  undoneFor_ = image.abortedFor;
  if (aborting_ && splitsFor(image.abortedFor)) splitAt_ = std::move(image.splitAt);
  if (undoneFor_ == ErrorCode::kVerifyMismatch) {
    undoneAs_ = MigrationState::kMismatch;
  } else if (undoneFor_ != ErrorCode::kOk) {
    undoneAs_ = MigrationState::kFailed;
  }
  knownCoordEpoch_ = image.coordEpoch;
  restarting_ = image.restarting;
  otherPosition_ = image.reversePosition;
  armedPosition_ = image.armedPosition;
  wasClaimed_ = image.claimed;
  recorded_ = true;
  feedPosition_ = image.appliedPosition.empty() ? image.feedPosition : image.appliedPosition;
  if (image.verified) takeProof(*image.verified);
  proofDecided_ = image.decided;
  reverseAsked_ = image.reversing;
  if (!image.turned) return;
  const bool aborting = aborting_;
  turn();
  cutover_ = image.cutover.value_or(VerifiedRecord{});
  proofDecided_ = image.decided;
  aborting_ = aborting;
  windowError_ = image.abortedFor;
  sourceGivenUp_ = image.sourceGivenUp;
  windowEndsUnixMs_ = image.windowEndsUnixMs;
}

void LiveMigration::admit(Port& port) {
  hasSlot_ = true;
  holdCopy(false);
  if (state_ != MigrationState::kPending) {
    if (goesBack()) approach_.hurry();
    return;
  }
  clockStarted_ = true;
  accountedAt_ = progressAt_ = port.now();
  // The claim must not be there before a journal that knows of it.
  if (!recorded_) shared_.journal.add(PlanRecord{spec(), shared_.plan.level()});
  recorded_ = true;
  enter(port, MigrationState::kClaiming);
}

void LiveMigration::enter(Port& port, MigrationState next) {
  KH_ASSERT((liveRow(state_).next & liveBit(next)) != 0);
  begin(port, next);
  tryAt_ = {0};
  checkProof(next);
  if (next == MigrationState::kFencing) fencedAt_ = {0};  // the target is asked first, and nobody waits for that
  if (next == MigrationState::kDeciding) staleSince_ = port.now();
  if (next == MigrationState::kAborting && undoneAs_ != MigrationState::kCancelled) {
    undoneFor_ = error_;
    if (!splitAt_.empty()) shared_.journal.add(SplitRecord{splitAt_});
    shared_.journal.add(StoppedRecord{error_, errorText_});
  } else if (next == MigrationState::kAborting && windowError_ != ErrorCode::kOk) {
    shared_.journal.add(StoppedRecord{windowError_, {}});
  }
  if (next != MigrationState::kPreparing) shared_.journal.add(PhaseRecord{next});
  announce(port, next);
}

// Between the fence and the activation no step waits for a record, and each append is one more
// sync that the gates and the register wait behind.
bool LiveMigration::holdsJournal() const {
  using enum MigrationState;
  const bool inPause = state_ == kDraining || state_ == kReadFencing || state_ == kDeciding ||
                       state_ == kActivating;
  const bool needed = state_ == kDraining && positionNamed_;
  return inPause && !needed && concluding_ == kPending;
}

void LiveMigration::pump(Port& port) {
  port.setCoordEpoch(shared_.claim.coordEpoch);
  for (;;) {
    pumpJournal(port);
    if (concluding_ != MigrationState::kPending) return pumpConclusion(port);
    if (isFinal(state_) || state_ == MigrationState::kStopped) return;
    account(port.now());
    if (mayGiveUp()) {
      giveUpSource(port);
      continue;
    }
    if (wantsOut()) {
      const MigrationState before = state_;
      pumpEnding(port);
      if (concluding_ != MigrationState::kPending || state_ != before) continue;
      return;
    }
    if (state_ == MigrationState::kPending) return;
    if (windowEnds(port)) {
      const MigrationState before = state_;
      leaveWindow(port);
      if (state_ != before || ending_ != Ending::kNone) continue;
      return;
    }
    if (standsStill()) return;
    if (overBudget(port)) {
      giveUpAttempt(port);
      continue;
    }
    if (state_ == MigrationState::kArming && !disarm(port)) break;
    if (!partStarted_ && port.now() < tryAt_) return port.wakeAt(tryAt_);
    if (!partStarted_) {
      if (liveRow(state_).awaitsRecord && !shared_.journal.flushed()) return;
      partStarted_ = true;
      startPart(port);
    }
    if (Status s = pumpPart(port); !s.ok()) {
      const bool hopeless = s.code() == ErrorCode::kNotConverging;
      if (mayBeOurs(port, s.code()) || (hopeless && climb(port))) continue;
      if (s.code() == ErrorCode::kLimitExceeded && looksAgain(port)) continue;
      if (hopeless) splitAt_ = splitKey();
      failPart(port, s.code(), hopeless ? feed_.trend().rates() + whyNoSplit() : std::string());
      continue;
    }
    if (!partDone()) break;
    leavePart(port);
    port.setCoordEpoch(shared_.claim.coordEpoch);
    if (port.full()) return port.wakeAt(port.now());
  }
  pumpJournal(port);
  showProgress(port);
}

void LiveMigration::pumpJournal(Port& port) {
  const Status s = shared_.journal.pump(port, holdsJournal());
  if (!s.ok()) journalFailed(port, s.code(), {});
}

// Without a journal nobody can go on later, whatever else went wrong just now: that is what it
// ends for, and not something after which it could be resumed.
void LiveMigration::journalFailed(Port& port, ErrorCode error, std::string_view text) {
  if (ending_ == Ending::kFail && retryClass(error_) != RetryClass::kFatal) ending_ = Ending::kNone;
  fail(port, error, {}, text);
}

// A target that is not empty may hold what a predecessor staged, whose journal this is not or
// whose last records were lost. Its gate knows: only what was found empty is ever staged.
bool LiveMigration::mayBeOurs(Port& port, ErrorCode error) {
  const bool found = state_ == MigrationState::kPreparing && error == ErrorCode::kTargetNotEmpty;
  if (!found || shared_.claim.coordEpoch == 1) return false;
  feedOpen_ = true;
  feedPosition_ = prepare_.feedPosition();
  prepare_.stop(port);
  inspecting_ = true;
  enter(port, MigrationState::kStaging);
  return true;
}

bool LiveMigration::allCopied() const {
  if (shared_.turned) return true;  // it was the source
  return std::all_of(shared_.ranges.begin(), shared_.ranges.end(),
                     [](const auto& range) { return range.copied; });
}

void LiveMigration::startApproach(bool follow) {
  feed_.gathered(Duration{0});  // its end was seen
  KeyList suspects = compare_.different().keys;
  compare_.forgetDifferent();
  for (size_t i = 0; i < carried_.size(); ++i) suspects.add(carried_[i]);
  carried_.clear();
  // What is only kept nobody waits for.
  const bool hurry = state_ != MigrationState::kReversible || goesBack();
  approach_.start(feedPosition_, std::move(suspects), follow, hurry,
                  milliseconds(spec().pauseBudgetMs), pauseCalls());
}

void LiveMigration::startPart(Port& port) {
  using enum MigrationState;
  const Claim& claim = shared_.claim;
  switch (state_) {
    case kClaiming:
      claimed_ = true;
      return register_.start(resumed_ ? RegisterStep::Change::kTakeOver
                                      : RegisterStep::Change::kClaim);
    case kStaging:
      // Whoever gave it up while this one was away has not asked it: its gate knows of neither.
      if (shared_.turned && claim.state == ClaimState::kClaimed) register_.start(RegisterStep::Change::kLook);
      // Also what is lost: who gives it up takes off what was written since.
      if (inspecting_) return targetGate_.start(shared_.target, GateVerb::kInspect, 0, false);
      return targetGate_.start(shared_.target, isFilled() ? GateVerb::kRestage : GateVerb::kPrepare, claim.fenceEpoch(), false);
    case kPreparing:
      return prepare_.start(!feedOpen_, feedPosition_, !prepared_ && !shared_.turned);
    case kArming:
      otherAsked_ = true;
      return prepare_.startFeedOf(shared_.target);
    case kCopying: return copy_.start();
    case kCatchingUp:
      shared_.changed.watch(false);
      shared_.buckets.drop();
      if (!shared_.sample.watching()) shared_.sample.watch(maySplit());
      feed_.gathered(feedOpenedAt_ == kNever ? Duration{UINT64_MAX} : port.now() - feedOpenedAt_);
      return feed_.start(feedPosition_, goesBack());
    case kVerifying:
      ++shared_.totals.verifyRounds;
      shared_.changed.watch(!shared_.namesPosition(), port.config().changedBytesMax);
      shared_.buckets.begin({port.config().bucketEntries}, fill_);
      return compare_.start(ComparePhase::Purpose::kCollect, wholePlan(), false,
                            shared_.namesPosition() ? &fill_ : nullptr);
    case kApproaching:
      return startApproach(!shared_.turned && spec().follow && !finishAsked_);
    case kReversible:
      openWindow(port);
      return startApproach(true);
    case kFencing:
      inspecting_ = true;
      return targetGate_.start(shared_.target, GateVerb::kInspect, claim.fenceEpoch(), false);
    case kDraining:
      positionNamed_ = false;
      return approach_.startLast(feedPosition_);
    case kReadFencing:
      return sourceGate_.start(shared_.source, GateVerb::kFenceReads, claim.fenceEpoch(), false);
    case kDeciding: return register_.start(RegisterStep::Change::kDecide);
    case kActivating:
      return targetGate_.start(shared_.target, GateVerb::kActivate, claim.fenceEpoch(), true);
    case kRedirecting:
      return sourceGate_.start(shared_.source, GateVerb::kRedirect, claim.fenceEpoch(), true);
    case kCleaning: return discard_.startOnSource(claim.fenceEpoch());
    case kTurning: return register_.start(RegisterStep::Change::kTurn);
    case kClosing: return register_.start(RegisterStep::Change::kClose);
    case kPostponing: return register_.start(RegisterStep::Change::kPostpone);
    case kAborting: return register_.start(RegisterStep::Change::kAbort);
    case kUnfencing: {
      const bool aborted = claim.state == ClaimState::kAborted;
      return sourceGate_.start(shared_.source, GateVerb::kUnfence,
                               aborted ? claim.abortEpoch() : claim.epoch, true);
    }
    case kDiscarding: return discard_.start();
    case kReleasing:
      return targetGate_.start(shared_.target, GateVerb::kDiscard, claim.fenceEpoch(), true);
    case kPending:
    case kStopped:
    case kDone:
    case kMismatch:
    case kCancelled:
    case kFailed:
    case kRepairing:
    case kDeleting: break;
  }
  KH_ASSERT(false);
  static_cast<void>(port);
}

Status LiveMigration::pumpOwn(Port& port) {
  // The source's feed would record what it is filled with from here on, and nobody follows it.
  if (state_ == MigrationState::kTurning && !closeFeed(port, shared_.source, feedPosition_)) return {};
  if (part() == Part::kRegister) return register_.pump(port);
  if (part() == Part::kApproach) {
    const Status status = approach_.pump(port);
    if (status.ok() && state_ == MigrationState::kDraining && approach_.done()) namePosition();
    return status;
  }
  if (!sourceGate_.done()) return sourceGate_.pump(port);
  if (!targetGate_.done()) return targetGate_.pump(port);
  if (asksTarget()) return fence(port);
  if (!register_.done()) return register_.pump(port);
  // The source serves again. A write that the attempt left under way is awaited here: one
  // that came later could undo what is written after it.
  return feed_.settle(port);
}

bool LiveMigration::ownDone() const {
  if (part() == Part::kRegister) return register_.done();
  if (state_ == MigrationState::kReversible) {
    return approach_.resting() && goesBack();
  }
  if (part() == Part::kApproach) {
    return approach_.done() && (!positionNamed_ || shared_.journal.flushed());
  }
  return !asksTarget() && sourceGate_.done() && targetGate_.done() && register_.done() && !feed_.writing();
}

NodeId LiveMigration::ownBlamed() const {
  if (part() == Part::kApproach) return approach_.blamed();
  if (part() == Part::kRegister || (targetGate_.done() && !register_.done())) return {};
  return sourceGate_.done() ? targetGate_.node() : sourceGate_.node();
}

void LiveMigration::leavePart(Port& port) {
  using enum MigrationState;
  switch (state_) {
    case kClaiming: return afterClaiming(port);
    case kStaging: return afterStaging(port);
    case kPreparing: return afterPreparing(port);
    case kCopying: return enter(port, kCatchingUp);
    case kCatchingUp:
      feedPosition_ = feed_.position();
      feed_.record();
      return enter(port, spec().verify == VerifyDepth::kNone ? approachState() : kVerifying);
    case kVerifying:
      takeDigests(compare_.source(), compare_.target());
      if (shared_.namesPosition()) shared_.buckets.adopt(fill_);
      compared_ = true;
      return enter(port, approachState());
    case kApproaching:
      stepBack();
      feedPosition_ = feed_.position();
      return enter(port, wantsWindow() && !shared_.turned && !otherOpen_ ? kArming : kFencing);
    case kArming:
      otherOpen_ = true;
      otherPosition_ = armedPosition_ = prepare_.feedPosition();
      shared_.journal.add(ArmedRecord{otherPosition_});
      return enter(port, kFencing);
    case kReversible:
      feedPosition_ = feed_.position();
      if (!compared_ && spec().verify != VerifyDepth::kNone) return enter(port, kCatchingUp);
      carried_ = approach_.takeSuspects();
      return enter(port, kApproaching);
    case kFencing: return enter(port, kDraining);
    case kDraining:
      feedPosition_ = feed_.position();
      // Of buckets that differ one has a key that does.
      if (!approach_.different().empty() || shared_.namesPosition() != positionNamed_) return endOfClaim(port);
      return enter(port, servingCapabilities().has(Capability::kReadFence) ? kReadFencing : kDeciding);
    case kReadFencing: return enter(port, kDeciding);
    case kDeciding:
      if (shared_.claim.state == ClaimState::kDecided) return enter(port, kActivating);
      // Somebody gave it up under this very coordinator's number: not ours to explain.
      return fail(port, ErrorCode::kSuperseded, {}, {});
    case kActivating:
      shared_.totals.pauseUs = fencedAt_.us == 0 ? 0 : (port.now() - fencedAt_).us;
      return enter(port, kRedirecting);
    case kRedirecting:
      releaseWriters(port);
      noteStaleReads(port);
      // Also where there is no way back any more: another coordinator may not know that.
      return enter(port, wantsWindow() && !shared_.turned ? kTurning : kCleaning);
    case kTurning:
      otherClosed_ = true;
      turn();
      shared_.buckets.turn();
      return enter(port, kStaging);
    case kCleaning: return enter(port, kClosing);
    case kClosing: return conclude(port, outcome());
    case kPostponing:
      // A decision or an abort that was there already counts.
      if (shared_.claim.state == ClaimState::kDecided) return fail(port, ErrorCode::kSuperseded, {}, {});
      return enter(port, kUnfencing);
    case kAborting:
      // Closed by another coordinator, whose end is the end of it.
      if (register_.gone()) return conclude(port, outcomeGone());
      if (shared_.claim.state == ClaimState::kDecided) return fail(port, ErrorCode::kCancelTooLate, {}, {});
      return enter(port, kUnfencing);
    case kUnfencing: return afterUnfencing(port);
    case kDiscarding:
      if (shared_.claim.state == ClaimState::kAborted) return enter(port, kReleasing);
      restarting_ = false;
      return enter(port, kPreparing);
    case kReleasing: return enter(port, kClosing);
    case kPending:
    case kStopped:
    case kDone:
    case kMismatch:
    case kCancelled:
    case kFailed:
    case kRepairing:
    case kDeleting: break;
  }
  KH_ASSERT(false);
}

}  // namespace keyhaul
