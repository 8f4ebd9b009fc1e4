#include "migrate/migration.h"

#include <utility>

#include "base/assert.h"
#include "base/bytes.h"
#include "migrate/state.h"

namespace keyhaul {

Migration::Migration(MigrationId id, ValidPlan plan, NodeId source, NodeId target, bool journal)
    : JobBase(id, std::move(plan), source, target), leafCheck_(shared_) {
  shared_.ranges.resize(spec().ranges.size());
  shared_.journal.start(journal, tagOf(MigrationPart::kJournal), {});
}

Migration::Migration(MigrationId id, JournalImage image, NodeId source, NodeId target)
    : JobBase(id, std::move(image.plan), source, target), leafCheck_(shared_) {
  shared_.ranges = std::move(image.ranges);
  shared_.totals = image.totals;
  shared_.totals.incarnations = image.incarnation + 1;
  shared_.journal.start(true, tagOf(MigrationPart::kJournal), JournalWriter(image.chain));
  shared_.journal.add(ResumedRecord{shared_.totals.incarnations});
  prepared_ = onDisk_ = image.prepared;
  targetWasEmpty_ = image.targetWasEmpty;
  feedPosition_ = image.appliedPosition.empty() ? image.feedPosition : image.appliedPosition;
  resumeAt_ = image.state;
  if (resumeAt_ == MigrationState::kPending) {
    resumeAt_ = spec().mode == MigrationMode::kVerify ? MigrationState::kVerifying
                                                      : MigrationState::kCopying;
  }
  // A repair that was cut short proves nothing: look at everything again.
  if (resumeAt_ == MigrationState::kRepairing) resumeAt_ = MigrationState::kVerifying;
  // What was written while nobody looked is in the feed.
  if (resumeAt_ == MigrationState::kVerifying && usesFeed()) {
    resumeAt_ = MigrationState::kCatchingUp;
  }
  if (image.verified) {
    verified_ = image.verified->equal;
    sourceDigest_ = image.verified->source;
    targetDigest_ = image.verified->target;
    forceCompare_ = !verified_;
    // The feed may be closed already: it could not be verified again, and need not be.
    proven_ = image.state == MigrationState::kVerifying && verified_ &&
              image.verified->round == image.totals.verifyRounds &&
              spec().mode != MigrationMode::kMove;
    proven_ = proven_ || (image.verified->round == 0 && spec().verify == VerifyDepth::kNone);
  }
}

void Migration::admit(Port& port) {
  holdCopy(false);
  if (state_ != MigrationState::kPending) return;
  clockStarted_ = true;
  accountedAt_ = progressAt_ = port.now();
  // A resumed one opens its feed again first; it is still "preparing" while it does.
  enter(port, MigrationState::kPreparing);
}

void Migration::enter(Port& port, MigrationState next) {
  KH_ASSERT(mayChange(state_, next));
  begin(port, next);
  // Preparing leaves no trace: a refused or interrupted one is simply run again,
  // and a resumed one that opens its feed again keeps the state to come back to.
  if (next != MigrationState::kPreparing) shared_.journal.add(PhaseRecord{next});
  announce(port, next);
}

void Migration::pump(Port& port) {
  if (state_ == MigrationState::kPending) {
    if (ending_ == Ending::kCancel) {
      ending_ = Ending::kNone;
      // What an earlier process copied is taken off once there is a slot for it.
      if (prepared_ && ownsTarget()) {
        resumeAt_ = MigrationState::kDiscarding;
        for (auto& range : shared_.ranges) {
          range.deleted = false;
          range.deletedUpto.clear();
        }
      } else {
        conclude(port, MigrationState::kCancelled);
      }
    }
  }
  for (;;) {
    if (Status s = shared_.journal.pump(port); !s.ok()) {
      shared_.journal.disable();
      fail(port, s.code(), {}, {});
    }
    if (concluding_ != MigrationState::kPending) return pumpConclusion(port);
    if (isFinal(state_) || state_ == MigrationState::kStopped) return;
    account(port.now());
    if (ending_ != Ending::kNone) {
      pumpEnding(port);
      if (concluding_ != MigrationState::kPending || ending_ == Ending::kNone) continue;
      return;
    }
    if (state_ == MigrationState::kPending || standsStill()) return;
    if (!partStarted_) {
      // A state is on disk before its first action.
      if (!shared_.journal.flushed()) return;
      if (prepared_ && shared_.journal.enabled()) onDisk_ = true;
      startPart(port);
    }
    if (Status s = pumpPart(port); !s.ok()) {
      const bool hopeless = s.code() == ErrorCode::kNotConverging;
      fail(port, s.code(), blamed(), hopeless ? feed_.trend().rates() : std::string());
      continue;
    }
    if (!partDone()) break;
    leavePart(port);
    if (port.full()) {
      port.wakeAt(port.now());
      return;
    }
  }
  if (Status s = shared_.journal.pump(port); !s.ok()) fail(port, s.code(), {}, {});
  showProgress(port);
}

bool Migration::usesFeed() const {
  return spec().mode != MigrationMode::kVerify && spec().sourceCapabilities.has(Capability::kFeed);
}

bool Migration::ownsTarget() const {
  return targetWasEmpty_ && spec().mode != MigrationMode::kVerify && !shared_.merges;
}

// The digests of the copy tell the truth about the target only when nothing but
// the copy wrote it.
bool Migration::leavesTell() const {
  return spec().mode != MigrationMode::kVerify && spec().verify == VerifyDepth::kTarget &&
         shared_.plan.level() == GuaranteeLevel::kL0 && targetWasEmpty_ && !forceCompare_;
}

// Deleting and discarding do not look at it, and may come after it was closed.
bool Migration::opensFeed() const {
  return usesFeed() && !proven_ && resumeAt_ != MigrationState::kDeleting &&
         resumeAt_ != MigrationState::kDiscarding;
}

void Migration::startPart(Port& port) {
  partStarted_ = true;
  switch (state_) {
    case MigrationState::kPreparing:
      return prepare_.start(opensFeed(), feedPosition_, !prepared_);
    case MigrationState::kCopying: return copy_.start();
    case MigrationState::kCatchingUp:
      feed_.start(feedPosition_);
      if (spec().follow && shared_.totals.verifyRounds == 0 && !finishAsked_) feed_.follow(true);
      return;
    case MigrationState::kVerifying:
      ++shared_.totals.verifyRounds;
      ++rounds_;
      shared_.differing.clear();
      shared_.differingOverflow = false;
      comparing_ = !leavesTell();
      if (comparing_) {
        const bool offers = shared_.merges && !naming_;
        compare_.start(offers ? ComparePhase::Purpose::kRepair : ComparePhase::Purpose::kName, wholePlan(),
                       ignoresExtra());
      } else {
        leafCheck_.start();
      }
      return;
    case MigrationState::kRepairing:
      return compare_.start(ComparePhase::Purpose::kRepair, wholePlan(), ignoresExtra());
    case MigrationState::kDeleting: {
      std::vector<Suspect> parts;
      for (auto& part : wholePlan()) {
        const auto& range = shared_.ranges[part.range];
        if (range.deleted) continue;
        if (!range.deletedUpto.empty()) part.keys.lo = range.deletedUpto;
        parts.push_back(std::move(part));
      }
      return compare_.start(ComparePhase::Purpose::kDelete, std::move(parts), true);
    }
    case MigrationState::kDiscarding: return discard_.start();
    case MigrationState::kPending:
    case MigrationState::kStopped:
    case MigrationState::kDone:
    case MigrationState::kMismatch:
    case MigrationState::kCancelled:
    KEYHAUL_LIVE_STATES:
    case MigrationState::kFailed: break;
  }
  KH_ASSERT(false);
  static_cast<void>(port);
}

Part Migration::part() const {
  switch (state_) {
    case MigrationState::kPreparing: return Part::kPrepare;
    case MigrationState::kCopying: return Part::kCopy;
    case MigrationState::kCatchingUp: return Part::kFeed;
    case MigrationState::kVerifying: return comparing_ ? Part::kCompare : Part::kLeafCheck;
    case MigrationState::kRepairing:
    case MigrationState::kDeleting: return Part::kCompare;
    case MigrationState::kDiscarding: return Part::kDiscard;
    case MigrationState::kPending:
    case MigrationState::kStopped:
    case MigrationState::kDone:
    case MigrationState::kMismatch:
    case MigrationState::kCancelled:
    KEYHAUL_LIVE_STATES:
    case MigrationState::kFailed: break;
  }
  return Part::kNone;
}

void Migration::leavePart(Port& port) {
  switch (state_) {
    case MigrationState::kPreparing:
      estimatedEntries_ = prepare_.estimatedEntries();
      estimatedBytes_ = prepare_.estimatedBytes();
      if (prepared_) {
        if (proven_ && resumeAt_ != MigrationState::kDiscarding) {
          return conclude(port, MigrationState::kDone);
        }
        return enter(port, resumeAt_);
      }
      prepared_ = true;
      targetWasEmpty_ = prepare_.targetWasEmpty();
      feedPosition_ = prepare_.feedPosition();
      shared_.journal.add(PlanRecord{spec(), shared_.plan.level()});
      shared_.journal.add(PreparedRecord{targetWasEmpty_, feedPosition_});
      return enter(port, spec().mode == MigrationMode::kVerify ? MigrationState::kVerifying
                                                               : MigrationState::kCopying);
    case MigrationState::kCopying: return afterCopy(port);
    case MigrationState::kCatchingUp:
      feedPosition_ = feed_.position();
      feed_.record();
      if (rounds_ >= port.config().verifyRoundsMax) return afterLastRound(port);
      if (spec().verify == VerifyDepth::kNone) {
        // A crash behind the closing of the feed must not look for it again.
        VerifiedRecord nothing;
        nothing.round = 0;
        shared_.journal.add(nothing);
        return conclude(port, MigrationState::kDone);
      }
      return enter(port, MigrationState::kVerifying);
    case MigrationState::kVerifying: return afterVerify(port);
    case MigrationState::kRepairing:
      shared_.totals.repairs += compare_.found().written;
      forceCompare_ = true;
      return enter(port, MigrationState::kVerifying);
    case MigrationState::kDeleting: return conclude(port, MigrationState::kDone);
    case MigrationState::kDiscarding: return conclude(port, MigrationState::kCancelled);
    case MigrationState::kPending:
    case MigrationState::kStopped:
    case MigrationState::kDone:
    case MigrationState::kMismatch:
    case MigrationState::kCancelled:
    KEYHAUL_LIVE_STATES:
    case MigrationState::kFailed: break;
  }
  KH_ASSERT(false);
}

void Migration::afterCopy(Port& port) {
  if (usesFeed()) return enter(port, MigrationState::kCatchingUp);
  if (spec().verify == VerifyDepth::kNone) return conclude(port, MigrationState::kDone);
  enter(port, MigrationState::kVerifying);
}

}  // namespace keyhaul
