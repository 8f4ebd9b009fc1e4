// The register's document gives every key to exactly one owner, in every version; epochs never
// go back, and a new owner has a new one; claims do not touch each other.
#include "../register.h"
#include "../world.h"
#include "oracles.h"

namespace keyhaul::sim {
namespace {

class OwnershipOracle : public Oracle {
 public:
  using Oracle::Oracle;
  std::string_view name() const override { return "ownership"; }

  void onRegister(const OwnershipMap& before, const OwnershipMap& after) override {
    covers(after);
    // A part of either begins where a part of the other may not: look at both.
    for (const OwnershipMap* map : {&before, &after}) {
      for (const Ownership& part : map->parts()) {
        const Ownership* was = before.lookup(part.range.lo);
        const Ownership* is = after.lookup(part.range.lo);
        if (was == nullptr || is == nullptr) continue;
        if (is->epoch < was->epoch || (is->owner != was->owner && is->epoch == was->epoch)) {
          violated(is->owner != was->owner ? Harm::kTwoOwners : Harm::kNone,
                   "epoch " + std::to_string(was->epoch) + " of " + was->owner + " became " +
                       std::to_string(is->epoch) + " of " + is->owner, part.range.lo);
        }
      }
    }
    claimsAreApart(after);
  }

 private:
  void covers(const OwnershipMap& map) {
    Bound reached = Bound::at(Key());
    for (const Ownership& part : map.parts()) {
      if (!(reached == Bound::at(part.range.lo))) violated("a gap or an overlap", part.range.lo);
      reached = part.range.hi;
      if (world_.gatedNamed(part.owner) == nullptr) violated("an owner that is none", part.range.lo);
    }
    if (!reached.isInfinite()) violated("the last keys have no owner");
  }
  void claimsAreApart(const OwnershipMap& map) {
    const auto& claims = map.claims();
    for (size_t i = 0; i < claims.size(); ++i) {
      for (size_t other = i + 1; other < claims.size(); ++other) {
        for (const KeyRange& one : claims[i].ranges) {
          for (const KeyRange& two : claims[other].ranges) {
            if (one.overlaps(two)) violated("two claims on one key", one.lo);
          }
        }
      }
    }
  }
};

}  // namespace

std::unique_ptr<Oracle> makeOwnership(World& world) {
  return std::make_unique<OwnershipOracle>(world);
}

}  // namespace keyhaul::sim
