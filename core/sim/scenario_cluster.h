// Scenarios with a name that an operator would give them: several stores, a range or two on each,
// clients everywhere, and something that goes wrong at a known moment. Slow enough to be watched.
// The faults of the seed come on top; with none of those what is told is all that happens.
#pragma once

#include <cstdint>
#include <span>

namespace keyhaul {
struct Config;
struct Plan;
}

namespace keyhaul::sim {

class Prng;
class World;

// What these have in common: the mover's limits, how a move is made, and ranges of so many keys side by side,
// each with an owner (the node of a store).
Config clusterConfig();
void drawClusterPlan(Prng& prng, Plan& plan);
void placeRanges(World& world, Prng& prng, std::span<const uint64_t> sizes, std::span<const uint16_t> owners);

void buildAddNode(World& world);
void buildDrain(World& world);
void buildHotRange(World& world);
void buildRollingRestart(World& world);
void buildAsymmetricPartition(World& world);
void buildCorruptLink(World& world);
void buildDiskFull(World& world);
void buildCancelReplan(World& world);
void buildZoneLoss(World& world);
void buildRebalance(World& world);  // scenario_rebalance.cc

}  // namespace keyhaul::sim
