#include "command.h"

#include <string>

#include "determinism.h"
#include "lists.h"
#include "scenario.h"
#include "simulation.h"
#include "trace_hash.h"

namespace keyhaul::sim {
namespace {

constexpr int kDone = 0, kUsage = 2, kViolation = 3;

int runOne(const Command& command, const Print& print) {
  const Report report = run(command.options);
  print(command.json ? toJson(report) + '\n' : toText(report));
  if (command.pauses) print(toText(report.counts.pauses));
  return report.ok() ? kDone : kViolation;
}

int runSeeds(const Command& command, const Print& print) {
  Options options = command.options;
  TraceHash hash;
  uint64_t violations = 0, firstViolating = 0, events = 0, timeUs = 0, seeds = 0;
  Pauses pauses{};
  for (uint64_t seed = command.options.seed;; ++seed) {
    options.seed = seed;
    const Report report = run(options);
    ++seeds;
    hash.add(report.hash);
    events += report.events;
    timeUs += report.timeUs;
    for (size_t i = 0; i < pauses.size(); ++i) pauses[i] += report.counts.pauses[i];
    if (!report.ok() && violations++ == 0) firstViolating = seed;
    if (command.each) {
      print((command.json ? toJson(report) : toLine(report)) + '\n');
    } else if (!report.ok() && !command.json) {
      print(toText(report));
    }
    if (seed == command.lastSeed) break;
  }
  const std::string n = std::to_string(seeds), v = std::to_string(violations);
  const std::string first = std::to_string(firstViolating), h = std::to_string(hash.value());
  if (command.json) {
    print("{\"seeds\":" + n + ",\"violations\":" + v + ",\"firstViolatingSeed\":" +
          (violations == 0 ? "null" : first) + ",\"hash\":\"" + h + "\"}\n");
  } else {
    print(n + " seeds, " + std::to_string(events) + " events, " +
          std::to_string(timeUs / 1'000'000) + " simulated seconds, " + v + " with violations" +
          (violations == 0 ? "" : ", the first is seed " + first) + ", hash " + h + '\n');
  }
  if (command.pauses) print(toText(pauses));
  return violations == 0 ? kDone : kViolation;
}

// A line of JSON for each seed.
int runRehearsal(const Command& command, const Print& print) {
  Options options = command.options;
  options.faults = 0;
  for (;; ++options.seed) {
    print(rehearse(options) + '\n');
    if (options.seed >= command.lastSeed) return kDone;
  }
}

std::string faultList(uint64_t mask) {
  std::string list;
  for (uint32_t i = 0; i < kFaultKinds; ++i) {
    if (((mask >> i) & 1) == 0) continue;
    list += (list.empty() ? "" : ",") + std::string(kFaultInfos[i].name);
  }
  return list.empty() ? "none" : list;
}

int runMinimise(const Command& command, const Print& print) {
  Minimised least = minimise(command.options);
  if (least.report.ok()) {
    print("no violation\n");
    return kDone;
  }
  if (least.options.explainKey.empty()) {
    least.options.explainKey = least.report.violations.front().key;
    least.report = run(least.options);
  }
  const Options& o = least.options;
  print(toText(least.report));
  print("after " + std::to_string(least.runs) + " runs: --seed " + std::to_string(o.seed) +
        " --scenario " + o.scenario + " --faults " + faultList(o.faults) + " --until " +
        std::to_string(o.untilUs / 1'000'000) + " --workload " + std::to_string(o.workloadPercent) +
        (o.sabotage == Sabotage::kNone ? "" : " --sabotage " + std::string(sabotageName(o.sabotage))) +
        '\n');
  return kViolation;
}

// How many seeds it takes to find each bug that was put in on purpose, where sabotage.def says or in the one
// scenario that was chosen. Nothing there can have the bugs of live migrations unless it is one of them.
int checkSabotage(const Command& command, const Print& print) {
  uint32_t missed = 0, leftOut = 0;
  for (uint32_t i = 1; i < kSabotages; ++i) {
    Options options = command.options;
    options.sabotage = static_cast<Sabotage>(i);
    if (!command.scenarioChosen) {
      options.scenario = scenarioOf(options.sabotage);
    } else if (isOfLive(options.sabotage) && !isLive(options.scenario)) {
      ++leftOut;
      continue;
    }
    uint64_t found = 0, tried = 0, first = 0;
    std::string oracle, others;
    for (options.seed = command.options.seed; options.seed <= command.lastSeed; ++options.seed) {
      ++tried;
      const Report report = runAgainstHonest(options);
      if (report.ok() || found++ != 0) continue;
      first = options.seed;
      oracle = report.violations.front().oracle;
      others = otherOracles(report);
    }
    missed += found == 0 ? 1U : 0U;
    print("| " + std::string(kSabotageInfos[i].name) + " | " +
          (found == 0 ? "not found" : std::to_string(first)) + " | " + std::to_string(found) +
          " of " + std::to_string(tried) + " | " + oracle + " | " + others + " |\n");
  }
  if (leftOut != 0) {
    print(std::to_string(leftOut) + " are of live migrations, and " + command.options.scenario + " has none\n");
  }
  return missed == 0 ? kDone : kViolation;
}

// Does each seed do again what it did, looked at or not, and from any moment on?
int checkDeterminism(const Command& command, const Print& print) {
  Options options = command.options;
  uint64_t seeds = 0, events = 0, violations = 0;
  do {
    const Report report = runBesideItself(options);
    ++seeds;
    events += report.events;
    violations += report.ok() ? 0U : 1U;
    if (!report.ok()) print(toText(report));
  } while (options.seed++ < command.lastSeed);
  print(std::to_string(seeds) + " seeds, compared after each of " + std::to_string(events) + " events, " +
        std::to_string(violations) + " with violations\n");
  return violations == 0 ? kDone : kViolation;
}

// Does every fault strike in every state of a live migration, and of another one? In a scenario that was chosen only
// those of its kind.
int showCoverage(const Command& command, const Print& print) {
  std::vector<std::string> missing;
  for (const CoverageOf of : {CoverageOf::kLive, CoverageOf::kCopies}) {
    if (command.scenarioChosen && isLive(command.options.scenario) != (of == CoverageOf::kLive)) continue;
    Options options = command.options;
    Coverage sum;
    for (; options.seed <= command.lastSeed; ++options.seed) {
      if (!command.scenarioChosen) options.scenario = coverageScenario(of, options.seed);
      sum.add(run(options).coverage);
    }
    print(toTable(of, sum));
    for (std::string& cell : uncovered(of, sum)) missing.push_back(std::move(cell));
  }
  for (const std::string& cell : missing) print("never: " + cell + '\n');
  return missing.empty() ? kDone : kViolation;
}

}  // namespace

int carryOut(const Command& command, const Print& print, const Print& complain) {
  using Task = Command::Task;
  if (findScenario(command.options.scenario) == nullptr) {
    complain("there is no scenario " + command.options.scenario + "; see --list-scenarios\n");
    return kUsage;
  }
  switch (command.task) {
    case Task::kRun: return runOne(command, print);
    case Task::kRehearse: return runRehearsal(command, print);
    case Task::kSeeds: return runSeeds(command, print);
    case Task::kMinimise: return runMinimise(command, print);
    case Task::kCheckSabotage: return checkSabotage(command, print);
    case Task::kCheckDeterminism: return checkDeterminism(command, print);
    case Task::kCoverage: return showCoverage(command, print);
    case Task::kListScenarios:
    case Task::kListSabotage:
    case Task::kListFaults:
    case Task::kListInterventions: return printList(command.task, print) ? kDone : kUsage;
  }
  return kUsage;
}

int runCommandLine(std::span<char* const> arguments, const Print& print, const Print& complain) {
  std::string problem;
  const auto command = parseCommand(arguments, problem);
  if (command) return carryOut(*command, print, complain);
  complain("not understood: " + problem + '\n' + kUsageText);
  return kUsage;
}

}  // namespace keyhaul::sim
