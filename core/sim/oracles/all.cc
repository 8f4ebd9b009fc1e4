#include "../world.h"
#include "oracles.h"

namespace keyhaul::sim {

void addOracles(World& world) {
  if (!world.options().explainKey.empty() || world.logs()) world.addOracle(makeLife(world));
  for (const auto make : {makeLostWrite, makeVerified, makeIntegrity, makeCheckpoint,
                          makeMoveSafety, makeCancelled, makeLimits, makeEdges, makeAccounting,
                          makeLiveness}) {
    world.addOracle(make(world));
  }
}

}  // namespace keyhaul::sim
