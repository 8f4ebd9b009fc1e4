// Once everything is healed, every migration comes to its end in time, and to the end
// that it deserves.
#include "../store.h"
#include "../world.h"
#include "oracles.h"

namespace keyhaul::sim {
namespace {

class Liveness : public Oracle {
 public:
  using Oracle::Oracle;
  std::string_view name() const override { return "liveness"; }

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
  bool deserved(const Job& job) const {
    switch (job.state) {
      case MigrationState::kDone: return true;
      case MigrationState::kCancelled: return job.cancelAsked;
      case MigrationState::kMismatch:
        // The target rotted, the sides differed from the start, or clients wrote on.
        return world_.store(job.target).everRotted() ||
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
};

}  // namespace

std::unique_ptr<Oracle> makeLiveness(World& world) { return std::make_unique<Liveness>(world); }

}  // namespace keyhaul::sim
