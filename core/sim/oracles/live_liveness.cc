// Once everything is healed, every live migration comes to its end in time, and to the end
// that it deserves; and what it says of its end is what the register says.
#include "../gated_store.h"
#include "../register.h"
#include "../world.h"
#include "oracles.h"

namespace keyhaul::sim {
namespace {

class LiveLiveness : public Oracle {
 public:
  using Oracle::Oracle;
  std::string_view name() const override { return "liveness"; }

  // Whether it went back stands in its receipt, and in the register.
  void onLiveEnd(const Job& job) override {
    if (job.state != MigrationState::kDone || !job.begun) return;
    // Another coordinator may have the proof.
    const bool proves = job.plan.verify != VerifyDepth::kNone && !world_.hasRival(job);
    if (proves && !job.receipt.verified) violated("job " + std::to_string(job.index) + " is done, and its receipt does not say verified");
    if (job.plan.reverseWindowMs == 0) return;
    world_.counts().reversed += job.receipt.reversed ? 1U : 0U;
    world_.counts().givenUp += job.receipt.sourceGivenUp ? 1U : 0U;
    ++world_.counts().windows;
    if (world_.hasRival(job)) return;  // another may have moved it since
    const std::string& owner = job.receipt.reversed ? job.plan.source : job.plan.target;
    const Ownership* is = world_.theRegister().map().lookup(job.plan.ranges.front().lo);
    if (is != nullptr && is->owner != owner) {
      violated("job " + std::to_string(job.index) + " says that it ended at " + owner +
                   ", and the register that it is at " + is->owner, job.plan.ranges.front().lo);
    }
    if (job.receipt.reversed && !job.reverseTold) violated("went back, and nobody wanted that");
  }
  void onEnd() override {
    Report::Counts& counts = world_.counts();
    for (const auto& job : world_.jobs()) {
      const std::string who = "job " + std::to_string(job->index);
      if (!job->ended()) {
        violated(who + " does not end: it is " + std::string(stateName(job->state)) + ", " +
                 std::string(errorName(job->error)));
        continue;
      }
      if (!deserved(*job)) {
        violated(who + " ended as " + std::string(stateName(job->state)) + ", " +
                 std::string(errorName(job->reason)));
      }
      counts.done += job->state == MigrationState::kDone ? 1U : 0U;
      counts.mismatched += job->state == MigrationState::kMismatch ? 1U : 0U;
      counts.cancelled += job->state == MigrationState::kCancelled ? 1U : 0U;
      counts.failed += job->state == MigrationState::kFailed ? 1U : 0U;
      counts.verified += job->receipt.verified ? 1U : 0U;
      counts.copiedEntries += job->receipt.totals.copiedEntries;
      counts.feedChanges += job->receipt.totals.feedChanges;
    }
    if (world_.space().clientsLeft != 0) violated("clients wait for answers for ever");
  }

 private:
  bool cancelAsked(const Job& job) const {
    for (const auto& other : world_.jobs()) {
      if (other->plan.claim == job.plan.claim && other->cancelAsked) return true;
    }
    return false;
  }

  bool isUndone(const Job& job) const {
    for (const auto& other : world_.jobs()) {
      if (other->plan.claim == job.plan.claim && other->undone) return true;
    }
    return false;
  }

  bool anyRotted() const {
    for (const uint16_t id : world_.gatedStores()) {
      if (world_.gated(id).everRotted()) return true;
    }
    return false;
  }
  bool mayFail(const Job& job) const {
    using enum ErrorCode;
    const ErrorCode why = job.reason;
    if (why == kPauseBudget || why == kNotConverging) return true;
    // Someone stopped it before it had claimed anything.
    if (why == kInterrupted) return true;
    // Its journal never began, so nobody can go on with it.
    if (why == kJournalWriteFailed || why == kDiskFull) return true;
    // What it had copied is gone, or what it found there before it asked whose that is.
    const bool gone = why == kNotOwner || why == kTargetNotEmpty;
    if (gone && world_.store(job.target).lostDisk()) return true;
    // Another was faster, or has not cleaned up behind itself; or has moved it already.
    // A part has what it moves to itself, and nobody has cleaned up behind it.
    const bool others = world_.hasRival(job) || (job.after != 0 && job.partOf == 0);
    // It or its rival had given the migration up, and it has no journal to come back with.
    if (others && isUndone(job) && why == kSuperseded) return true;
    return others && (why == kTargetNotEmpty || why == kNotOwner || why == kRangeClaimed);
  }

  bool deserved(const Job& job) const {
    switch (job.state) {
      case MigrationState::kDone: return true;
      // The other coordinator may have given it up. So may an earlier incarnation of this one,
      // for another reason, which the journal does not tell.
      case MigrationState::kCancelled: return cancelAsked(job) || world_.hasRival(job) || job.undone;
      case MigrationState::kMismatch: return anyRotted();
      case MigrationState::kFailed: return mayFail(job);
      case MigrationState::kPending:
      case MigrationState::kPreparing:
      case MigrationState::kCopying:
      case MigrationState::kCatchingUp:
      case MigrationState::kVerifying:
      case MigrationState::kRepairing:
      case MigrationState::kDeleting:
      case MigrationState::kDiscarding:
      KEYHAUL_LIVE_STATES:
      case MigrationState::kStopped: return false;
    }
    return false;
  }
};

}  // namespace

std::unique_ptr<Oracle> makeLiveLiveness(World& world) {
  return std::make_unique<LiveLiveness>(world);
}

}  // namespace keyhaul::sim
