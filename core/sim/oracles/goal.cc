// What the operator wanted is so in the end: each range belongs to the store that it was to go
// to, and a store that was to be emptied owns nothing and holds nothing.
#include "../gated_store.h"
#include "../register.h"
#include "../world.h"
#include "oracles.h"

namespace keyhaul::sim {
namespace {

class GoalOracle : public Oracle {
 public:
  using Oracle::Oracle;
  std::string_view name() const override { return "goal"; }

  void onEnd() override {
    if (!world_.hasRegister()) return;
    const OwnershipMap& map = world_.theRegister().map();
    for (const auto& [range, store] : world_.space().goals) {
      for (const Ownership& part : map.parts()) {
        if (!part.range.overlaps(range) || part.owner == world_.store(store).name()) continue;
        violated("wanted at " + world_.store(store).name() + ", and still at " + part.owner, range.lo);
      }
    }
    for (const uint16_t id : world_.space().emptied) {
      const GatedStoreNode& store = world_.gated(id);
      for (const Ownership& part : map.parts()) {
        if (part.owner == store.name()) violated(store.name() + " was drained, and owns", part.range.lo);
      }
      const Entries& entries = store.entries();
      if (!entries.empty()) violated(Harm::kDoubled, store.name() + " was drained, and holds", entries.begin()->first);
    }
  }
};

}  // namespace

std::unique_ptr<Oracle> makeGoal(World& world) { return std::make_unique<GoalOracle>(world); }

}  // namespace keyhaul::sim
