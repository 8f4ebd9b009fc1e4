// At the moment of the decision the target durably holds exactly what the source holds. Every
// range of the claim changes its owner with it, or none.
#include "../gated_store.h"
#include "../register.h"
#include "../world.h"
#include "oracles.h"
#include "pairs.h"

namespace keyhaul::sim {
namespace {

class Cutover : public Oracle {
 public:
  using Oracle::Oracle;
  std::string_view name() const override { return "cutover"; }

  void onRegister(const OwnershipMap& before, const OwnershipMap& after) override {
    for (const Claim& claim : after.claims()) {
      const Claim* was = before.find(claim.id);
      const bool decided = claim.state == ClaimState::kDecided &&
                           (was == nullptr || was->state != ClaimState::kDecided);
      if (decided) onDecided(claim, after);
    }
  }
  // Outside of a cut-over nothing of a claim's may have two owners; see ownership.cc for the rest.

 private:
  void onDecided(const Claim& claim, const OwnershipMap& map) {
    const GatedStoreNode& source = *world_.gatedNamed(claim.source);
    const GatedStoreNode& target = *world_.gatedNamed(claim.target);
    for (const KeyRange& range : claim.ranges) {
      if (!map.owns(claim.target, range)) violated("a range stays behind", range.lo);
      compare(source, target, range);
    }
  }

  void compare(const GatedStoreNode& source, const GatedStoreNode& target, const KeyRange& range) {
    forEachPair(
        source.entries(), target.entries(), range,
        [&](const auto& own) {
          if (!target.lacksDurably(own.first) || !target.isRotten(own.first) || target.lostDisk()) {
            violated(Harm::kLost, "decided, but the target does not hold the key", own.first);
          }
        },
        [&](const auto& copy) {
          violated(Harm::kResurrected, "decided, but the source does not hold the key", copy.first);
        },
        [&](const auto& own, const auto&) {
          if (!target.isRotten(own.first) && !target.holdsDurably(own.first, own.second)) {
            violated(Harm::kLost, "decided, but the target does not durably hold the value", own.first);
          }
        });
  }
};

}  // namespace

std::unique_ptr<Oracle> makeCutover(World& world) { return std::make_unique<Cutover>(world); }

}  // namespace keyhaul::sim
