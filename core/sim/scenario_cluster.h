// Scenarios with a name that an operator would give them: several stores, a range or two on each,
// clients everywhere, and something that goes wrong at a known moment. Slow enough to be watched.
// The faults of the seed come on top; with none of those what is told is all that happens.
#pragma once

namespace keyhaul::sim {

class World;

void buildAddNode(World& world);
void buildDrain(World& world);
void buildHotRange(World& world);
void buildRollingRestart(World& world);
void buildAsymmetricPartition(World& world);
void buildCorruptLink(World& world);
void buildDiskFull(World& world);
void buildCancelReplan(World& world);
void buildZoneLoss(World& world);

}  // namespace keyhaul::sim
