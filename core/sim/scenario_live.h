// Scenarios of live migrations: who owns what, what moves where, and who writes meanwhile.
#pragma once

namespace keyhaul::sim {

class World;

void buildLive(World& world);
void buildLivePingPong(World& world);
void buildLiveRivals(World& world);
void buildLiveCancel(World& world);
void buildLiveGroup(World& world);
void buildLiveSwarm(World& world);
void buildLiveSmall(World& world);

}  // namespace keyhaul::sim
