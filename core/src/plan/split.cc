#include <utility>

#include "keyhaul/plan.h"

namespace keyhaul {

std::pair<Plan, Plan> splitPlan(const Plan& plan, KeyView at) {
  std::pair<Plan, Plan> halves{plan, plan};
  auto& [first, second] = halves;
  first.ranges.clear();
  second.ranges.clear();
  for (const KeyRange& range : plan.ranges) {
    KeyRange below = range, from = range;
    if (range.hi.isAbove(at)) below.hi = Bound::at(Key(at));
    if (range.lo < at) from.lo = Key(at);
    if (!below.empty()) first.ranges.push_back(std::move(below));
    if (!from.empty()) second.ranges.push_back(std::move(from));
  }
  first.splitMax = (plan.splitMax + 1) / 2;
  second.splitMax = plan.splitMax - first.splitMax;
  first.claim = second.claim = ClaimId{};
  first.digestKey = second.digestKey = DigestKey{};
  // Those of the whole say little of either.
  first.expectedEntries = second.expectedEntries = first.expectedBytes = second.expectedBytes = 0;
  return halves;
}

}  // namespace keyhaul
