// Ranges of unequal size, stores of unequal room, and somebody who balances them while clients write, stores join and
// leave, moves are cancelled and limits lowered: which of these, the seed draws.
#include <algorithm>
#include <string>

#include "gated_store.h"
#include "mover.h"
#include "planner.h"
#include "register.h"
#include "scenario_cluster.h"
#include "value.h"
#include "world.h"

namespace keyhaul::sim {
namespace {

constexpr uint64_t kPadding = 79;  // of a value, at most: so a range has so many bytes at most

}  // namespace

void buildRebalance(World& world) {
  Prng prng(world.seed(), "rebalance");
  Space& space = world.space();
  PlannerNode::Rules rules;
  rules.stores = static_cast<uint16_t>(prng.between(3, 4));
  if (prng.below(2) == 0) rules.joins = rules.stores++;
  for (uint16_t i = 0; i < rules.stores; ++i) world.addGatedStore("s" + std::to_string(i));
  world.addRegister();
  rules.mover = world.addMover(clusterConfig()).id();
  world.network().delayBy(10'000);

  const uint64_t members = rules.stores - (rules.joins < rules.stores ? 1U : 0U);
  const uint64_t crowded = prng.between(1, members);  // the stores that have something at first
  std::vector<uint64_t> sizes;
  std::vector<uint16_t> owners;
  for (uint64_t i = prng.between(7, 14); i > 0; --i) {
    sizes.push_back(std::max<uint64_t>(2, prng.between(4, 80) * world.options().workloadPercent / 100));
    owners.push_back(static_cast<uint16_t>(prng.below(crowded)));
  }
  space.paddingMost = kPadding;
  placeRanges(world, prng, sizes, owners);

  const uint64_t each = makeValue(space.keys[0], 99, 99'999, kPadding).size() + space.keys[0].size();
  std::vector<uint64_t> held(rules.stores);
  uint64_t all = 0;
  for (size_t i = 0; i < sizes.size(); ++i) {
    rules.most.push_back(sizes[i] * each);
    held[owners[i]] += rules.most[i];
    all += rules.most[i];
  }
  const uint64_t chaosUs = world.healAtUs();
  rules.joinsAtUs = chaosUs / 8 + prng.below(chaosUs / 2);
  rules.leavesAtUs = chaosUs / 8 + prng.below(chaosUs / 2);
  if (prng.below(4) == 0) rules.leaves = static_cast<uint16_t>(prng.below(members));
  if (rules.leaves < rules.stores) space.emptied.push_back(rules.leaves);
  for (uint16_t i = 0; i < rules.stores; ++i) {
    const uint64_t room = all * prng.between(110, 180) / 100 / rules.stores;
    // Who takes up what a store leaves has the room for it.
    rules.capacities.push_back(rules.leaves < rules.stores ? all : std::max(held[i], room));
  }
  rules.everyUs = prng.between(500'000, 3'000'000);
  rules.lateBy = static_cast<uint32_t>(prng.below(5));
  rules.noisePercent = static_cast<uint32_t>(prng.below(9));
  rules.movesMax = static_cast<uint32_t>(prng.between(1, 3));
  if (prng.below(2) == 0) rules.loweredAtUs = chaosUs / 8 + prng.below(chaosUs / 2);
  if (prng.below(2) == 0) rules.cancelPercent = static_cast<uint32_t>(prng.between(5, 40));

  if (prng.below(2) == 0) rules.throttlePercent = static_cast<uint32_t>(prng.between(10, 60));

  space.thinkUs = prng.between(20'000, 120'000);
  space.deletePercent = static_cast<uint32_t>(prng.below(60));
  // They end while moves may still be wanted: then nothing changes any more but by these.
  space.stopUs = chaosUs + (world.options().untilUs - chaosUs) / 2;
  if (prng.below(2) == 0) {
    space.hotPercent = 60;
    space.hot = space.placed[static_cast<size_t>(prng.below(sizes.size()))];
  }
  constexpr uint32_t kClients = 3;
  for (uint32_t i = 0; i < kClients; ++i) world.addRoutedClient(i, kClients);
  Prng deaths(world.seed(), "rebalance deaths"), twins(world.seed(), "rebalance twins");
  if (deaths.below(3) == 0) {
    rules.diesAtUs = chaosUs / 8 + deaths.below(chaosUs / 2);
    rules.awayUs = deaths.between(500'000, 8'000'000);
  }
  rules.alone = twins.below(3) != 0;
  world.addPlanner(rules);
  if (rules.alone) return;
  rules.number = 2;
  rules.diesAtUs = UINT64_MAX;
  rules.everyUs = twins.between(500'000, 3'000'000);
  rules.lateBy = static_cast<uint32_t>(twins.below(5));
  world.addPlanner(std::move(rules));
}

}  // namespace keyhaul::sim
