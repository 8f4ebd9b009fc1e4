// What to simulate. Equal options give equal runs.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "faults.h"
#include "intervention.h"
#include "rehearsal.h"
#include "sabotage.h"

namespace keyhaul::sim {

// For a search through all of them: a node dies right after so many of its events; the second
// is counted from the first on.
struct PlannedCrash {
  uint16_t node = 0;
  uint64_t afterEvents = 0;
};

struct Options {
  uint64_t seed = 0;
  std::string scenario = "swarm";
  uint64_t faults = kAllFaults;  // that may happen
  uint64_t untilUs = 60'000'000;  // chaos for two thirds of it, then healing
  Sabotage sabotage = Sabotage::kNone;
  std::string oracle;  // the only one that judges; empty: all
  uint32_t workloadPercent = 100;  // of keys and jobs; what minimising lowers
  uint64_t stopAtEvent = 0;  // the run ends there, unjudged; 0: never
  std::vector<PlannedCrash> crashes;
  std::vector<Intervention> interventions;  // in order of time
  std::optional<Rehearsal> rehearsal;  // instead of a scenario
  std::string explainKey;  // whose life is told in the report; does not change the run
  bool log = false;        // every event as a line in the report; does not change the run
};

// What the command was asked for.
struct Command {
  enum class Task : uint8_t {
    kRun,
    kRehearse,
    kSeeds,
    kMinimise,
    kCheckSabotage,
    kCheckDeterminism,
    kCoverage,
    kListScenarios,
    kListSabotage,
    kListFaults,
    kListInterventions
  };
  Task task = Task::kRun;
  Options options;
  bool scenarioChosen = false;  // by whoever asks; options.scenario has a default
  uint64_t lastSeed = 0;  // kSeeds: from options.seed to this one
  bool json = false;
  bool each = false;  // kSeeds: a line for every seed
  bool pauses = false;  // and how long writers could not write
};

// Parses the arguments behind the program's name. Nothing: `problem` says what was wrong.
std::optional<Command> parseCommand(std::span<char* const> arguments, std::string& problem);
extern const char* const kUsageText;

}  // namespace keyhaul::sim
