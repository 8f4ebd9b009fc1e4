#include "simulation.h"

#include "oracles/oracles.h"
#include "scenario.h"
#include "world.h"

namespace keyhaul::sim {

std::unique_ptr<World> worldOf(const Options& options) {
  const Scenario* scenario = findScenario(options.scenario);
  if (scenario == nullptr) return nullptr;
  auto world = std::make_unique<World>(options);
  addOracles(*world);
  scenario->build(*world);
  return world;
}

Report run(const Options& options) {
  if (const std::unique_ptr<World> world = worldOf(options)) return world->run();
  World nowhere(options);
  nowhere.violated("options", "there is no scenario " + options.scenario, {});
  return nowhere.run();
}

Report runAgainstHonest(const Options& options) {
  Report report = run(options);
  if (report.ok()) return report;
  Options honest = options;
  honest.sabotage = Sabotage::kNone;
  if (!run(honest).ok()) report.violations.clear();
  return report;
}

Minimised minimise(const Options& options) {
  Minimised least{options, run(options), 1};
  const auto attempt = [&least](const Options& smaller) {
    Report report = run(smaller);
    ++least.runs;
    if (report.ok()) return false;
    least.options = smaller;
    least.report = std::move(report);
    return true;
  };
  for (uint32_t kind = 0; kind < kFaultKinds; ++kind) {
    Options smaller = least.options;
    smaller.faults &= least.report.faults & ~(uint64_t{1} << kind);
    if (smaller.faults != least.options.faults) attempt(smaller);
  }
  for (const uint32_t percent : {10U, 25U, 50U, 75U}) {
    Options smaller = least.options;
    smaller.workloadPercent = percent;
    if (attempt(smaller)) break;
  }
  for (const uint64_t seconds : {3U, 6U, 12U, 24U, 40U}) {
    Options smaller = least.options;
    smaller.untilUs = seconds * 1'000'000;
    if (smaller.untilUs < least.options.untilUs && attempt(smaller)) break;
  }
  return least;
}

}  // namespace keyhaul::sim
