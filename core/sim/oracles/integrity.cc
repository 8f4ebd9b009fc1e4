// Nothing that is damaged, foreign or invented becomes visible: whatever a migration
// writes is a value that somebody once wrote under this very key, in the job's ranges.
#include "../store.h"
#include "../value.h"
#include "../world.h"
#include "oracles.h"

namespace keyhaul::sim {
namespace {

class Integrity : public Oracle {
 public:
  using Oracle::Oracle;
  std::string_view name() const override { return "integrity"; }

  void onChange(const StoreChange& change) override {
    const bool ofJob =
        change.cause == ChangeCause::kApply || change.cause == ChangeCause::kGuarded;
    if (!ofJob) return;
    const Job& job = world_.job(change.party);
    if (!job.contains(change.key)) {
      violated("job " + std::to_string(job.index) + " changed a key outside its ranges", change.key);
    }
    // The way back is the same the other way round.
    const bool fills = (change.cause == ChangeCause::kApply) != world_.isTurned(job);
    const bool litter = change.after == nullptr && change.store == job.source && world_.isGivenUp(job.plan.claim);
    if (change.store != (fills ? job.target : job.source) && !litter) {
      violated("job " + std::to_string(job.index) + " changed the wrong store", change.key);
    }
    if (change.after == nullptr || isValueOf(change.key, *change.after)) return;
    // A rotten value may be copied on; who notices that is verification.
    const bool rotted = world_.store(fills ? job.source : job.target).everRotted();
    if (!rotted) violated("nobody wrote this value", change.key);
  }
};

}  // namespace

std::unique_ptr<Oracle> makeIntegrity(World& world) { return std::make_unique<Integrity>(world); }

}  // namespace keyhaul::sim
