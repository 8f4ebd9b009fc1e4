#include "../scenario.h"
#include "../world.h"
#include "oracles.h"

namespace keyhaul::sim {

void addOracles(World& world) {
  if (!world.options().explainKey.empty() || world.logs()) world.addOracle(makeLife(world));
  if (isLive(world.options().scenario)) {
    for (const auto make : {makeHistory, makeSingleWriter, makeOwnership, makeCutover, makeLeftOver,
                            makePause, makeIntegrity, makeCheckpoint, makeLimits, makeLiveEdges,
                            makeLiveLiveness, makeWindow, makePosition, makeGoal}) {
      world.addOracle(make(world));
    }
    return;
  }
  for (const auto make : {makeLostWrite, makeVerified, makeIntegrity, makeCheckpoint,
                          makeMoveSafety, makeCancelled, makeLimits, makeEdges, makeAccounting,
                          makeLiveness}) {
    world.addOracle(make(world));
  }
}

}  // namespace keyhaul::sim
