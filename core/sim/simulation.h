// The simulator as one function: options in, what came of it out. No I/O.
#pragma once

#include <memory>

#include "options.h"
#include "report.h"

namespace keyhaul::sim {

class World;

// A world that has not begun, with its scenario and its oracles; null where there is no such scenario.
std::unique_ptr<World> worldOf(const Options& options);

Report run(const Options& options);

// The smallest run that still breaks a promise: faults are taken away one by one, then
// time and workload. `options` must break one; `runs` counts the tries.
struct Minimised {
  Options options;
  Report report;
  uint32_t runs = 0;
};
Minimised minimise(const Options& options);

// Does a run of `options` break a promise that the same run without the sabotage keeps?
// The report of the sabotaged run when it does, else one without violations.
Report runAgainstHonest(const Options& options);

}  // namespace keyhaul::sim
