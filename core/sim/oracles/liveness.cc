// Once everything is healed, every migration comes to its end in time, and to the end
// that it deserves.
#include <map>
#include <set>

#include "../store.h"
#include "../value.h"
#include "../world.h"
#include "oracles.h"
#include "pairs.h"

namespace keyhaul::sim {
namespace {

class Liveness : public Oracle {
 public:
  using Oracle::Oracle;
  std::string_view name() const override { return "liveness"; }

  void onState(const Job& job, MigrationState, MigrationState to) override {
    // Clients may settle later what it had named.
    if (mergesVersions(job.plan) && isUndecided(job)) undecided_.insert(job.index);
    if (to == MigrationState::kVerifying) staleBefore_[job.index] = job.staleReads;
    const bool isMisled = to == MigrationState::kMismatch && job.staleReads > staleBefore_[job.index];
    if (isMisled && (job.plan.follow || job.written || holdsAll(job))) misled_.insert(job.index);
  }
  void onEnd() override {
    for (const auto& job : world_.jobs()) {
      const std::string who = "job " + std::to_string(job->index);
      if (!job->ended()) {
        violated(who + " does not end: it is " + std::string(stateName(job->state)) + ", " +
                 std::string(errorName(job->error)));
      } else if (!deserved(*job)) {
        violated(who + " ended as " + std::string(stateName(job->state)) + ", " +
                 std::string(errorName(job->error)));
      }
    }
  }

 private:
  // A key that the target alone has is never deleted, and of two values of one version none is newer.
  bool isUndecided(const Job& job) const {
    bool undecided = false;
    for (const KeyRange& range : job.plan.ranges) {
      forEachPair(
          world_.store(job.source).entries(), world_.store(job.target).entries(), range, [](const auto&) {},
          [&](const auto&) { undecided = true; },
          [&](const auto& own, const auto& copy) {
            undecided = undecided || (own.second != copy.second && sequenceOf(own.second) == sequenceOf(copy.second));
          });
    }
    return undecided;
  }
  // Does its target hold what its source holds?
  bool holdsAll(const Job& job) const {
    bool all = true;
    for (const KeyRange& range : job.plan.ranges) {
      forEachPair(
          world_.store(job.source).entries(), world_.store(job.target).entries(), range,
          [&](const auto&) { all = false; }, [](const auto&) {},
          [&](const auto& own, const auto& copy) { all = all && own.second == copy.second; });
    }
    return all;
  }
  bool deserved(const Job& job) const {
    switch (job.state) {
      case MigrationState::kDone: return true;
      case MigrationState::kCancelled: return job.cancelAsked;
      case MigrationState::kMismatch:
        // Safe, and wrong: the target held it all, and showed in that round what had been.
        if (misled_.count(job.index) != 0) return true;
        // With versions: what nobody can tell. Else the target rotted or lost its disk, the sides differed from the start, or
        // clients wrote on.
        if (mergesVersions(job.plan)) return world_.store(job.target).everRotted() || undecided_.count(job.index) != 0;
        return world_.store(job.target).everRotted() || world_.store(job.target).lostDisk() ||
               (job.plan.mode == MigrationMode::kVerify && !job.plan.repair) ||
               (job.written && !job.plan.follow);
      case MigrationState::kFailed:
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

  std::set<uint32_t> undecided_, misled_;
  std::map<uint32_t, uint32_t> staleBefore_;  // how often its target had shown what had been, when the round began
};

}  // namespace

std::unique_ptr<Oracle> makeLiveness(World& world) { return std::make_unique<Liveness>(world); }

}  // namespace keyhaul::sim
