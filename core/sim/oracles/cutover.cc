// At the moment of the decision the target durably holds exactly what the source holds. Every
// range of the claim changes its owner with it, or none.
#include "../gated_store.h"
#include "../register.h"
#include "../world.h"
#include "oracles.h"

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
    auto at = source.entries().lower_bound(range.lo);
    auto copy = target.entries().lower_bound(range.lo);
    const auto inside = [&range](const Entries& entries, Entries::const_iterator entry) {
      return entry != entries.end() && range.hi.isAbove(entry->first);
    };
    for (;;) {
      const bool has = inside(source.entries(), at), hasCopy = inside(target.entries(), copy);
      if (!has && !hasCopy) return;
      if (has && (!hasCopy || at->first < copy->first)) {
        if (!target.lacksDurably(at->first) || !target.isRotten(at->first)) {
          violated("decided, but the target does not hold the key", at->first);
        }
        ++at;
      } else if (!has || copy->first < at->first) {
        violated("decided, but the source does not hold the key", copy->first);
        ++copy;
      } else {
        if (!target.isRotten(at->first) && !target.holdsDurably(at->first, at->second)) {
          violated("decided, but the target does not durably hold the value", at->first);
        }
        ++at;
        ++copy;
      }
    }
  }
};

}  // namespace

std::unique_ptr<Oracle> makeCutover(World& world) { return std::make_unique<Cutover>(world); }

}  // namespace keyhaul::sim
