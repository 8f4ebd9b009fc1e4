// All oracles. A new one is a file here, a line below and a line in all.cc.
#pragma once

#include <memory>

#include "../oracle.h"

namespace keyhaul::sim {

// Those of the scenario's kind; with the option `oracle` that one alone.
void addOracles(World& world);

std::unique_ptr<Oracle> makeLostWrite(World& world);
std::unique_ptr<Oracle> makeVersions(World& world);  // in its place, where keys have a writer at each side
std::unique_ptr<Oracle> makeVerified(World& world);
std::unique_ptr<Oracle> makeIntegrity(World& world);
std::unique_ptr<Oracle> makeCheckpoint(World& world);
std::unique_ptr<Oracle> makeMoveSafety(World& world);
std::unique_ptr<Oracle> makeCancelled(World& world);
std::unique_ptr<Oracle> makeLimits(World& world);
std::unique_ptr<Oracle> makePreemption(World& world);
std::unique_ptr<Oracle> makeEdges(World& world);
std::unique_ptr<Oracle> makeAccounting(World& world);
std::unique_ptr<Oracle> makeLiveness(World& world);
// Of live migrations.
std::unique_ptr<Oracle> makeHistory(World& world);       // keys with one writer
std::unique_ptr<Oracle> makeLinearizable(World& world);  // keys with several
std::unique_ptr<Oracle> makeSingleWriter(World& world);
std::unique_ptr<Oracle> makeOwnership(World& world);
std::unique_ptr<Oracle> makeCutover(World& world);
std::unique_ptr<Oracle> makeLeftOver(World& world);
std::unique_ptr<Oracle> makePause(World& world);
std::unique_ptr<Oracle> makeLiveEdges(World& world);
std::unique_ptr<Oracle> makeLiveLiveness(World& world);
std::unique_ptr<Oracle> makeWindow(World& world);
std::unique_ptr<Oracle> makePosition(World& world);
std::unique_ptr<Oracle> makeGoal(World& world);
std::unique_ptr<Oracle> makeWhole(World& world);
std::unique_ptr<Oracle> makePlan(World& world);

std::unique_ptr<Oracle> makeLife(World& world);  // tells, judges nothing

}  // namespace keyhaul::sim
