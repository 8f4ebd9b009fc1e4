// A move never deletes a source entry that the target does not durably hold, and only
// what was verified.
#include "../world.h"
#include "newer.h"
#include "oracles.h"

namespace keyhaul::sim {
namespace {

class MoveSafety : public Oracle {
 public:
  using Oracle::Oracle;
  std::string_view name() const override { return "move-safety"; }

  void onChange(const StoreChange& change) override {
    if (change.cause != ChangeCause::kGuarded || change.before == nullptr) return;
    const Job& job = world_.job(change.party);
    const StoreNode& target = world_.store(job.target);
    if (job.plan.mode != MigrationMode::kMove) violated("a copy deleted from its source", change.key);
    if (!target.isRotten(change.key) && !holdsOrLater(job, target, change.key, *change.before)) {
      violated(Harm::kLost, "deleted from the source, but the target does not durably hold it", change.key);
    }
  }
};

}  // namespace

std::unique_ptr<Oracle> makeMoveSafety(World& world) { return std::make_unique<MoveSafety>(world); }

}  // namespace keyhaul::sim
