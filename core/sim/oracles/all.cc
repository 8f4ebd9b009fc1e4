#include "../scenario.h"
#include "../world.h"
#include "oracles.h"

namespace keyhaul::sim {
namespace {

using Make = std::unique_ptr<Oracle> (*)(World&);

constexpr Make kOfCopies[] = {makeVerified,   makeIntegrity, makeCheckpoint, makeMoveSafety, makeCancelled,
                              makeLimits,     makeEdges,     makeAccounting, makeLiveness,   makePreemption};
constexpr Make kOfLive[] = {makeSingleWriter, makeOwnership,   makeCutover,      makeLeftOver,
                            makePause,        makeIntegrity,   makeCheckpoint,   makeLimits,
                            makeLiveEdges,    makeLiveLiveness, makeWindow,      makePosition,
                            makeGoal,         makePreemption,  makeWhole,       makeAccounting,
                            makePlan};

}  // namespace

void addOracles(World& world) {
  if (!world.options().explainKey.empty() || world.logs()) world.addOracle(makeLife(world));
  const std::string& only = world.options().oracle;
  bool any = false;
  const auto add = [&](Make make) {
    std::unique_ptr<Oracle> oracle = make(world);
    if (!only.empty() && oracle->name() != only) return;
    any = true;
    world.addOracle(std::move(oracle));
  };
  const Scenario* scenario = findScenario(world.options().scenario);
  const bool live = scenario != nullptr && scenario->live, shared = scenario != nullptr && scenario->shared;
  if (live) {
    add(shared ? makeLinearizable : makeHistory);
    for (const Make make : kOfLive) add(make);
  } else {
    add(shared ? makeVersions : makeLostWrite);
    for (const Make make : kOfCopies) add(make);
  }
  if (!any) world.violated("options", "here is no oracle " + only, {});
}

}  // namespace keyhaul::sim
