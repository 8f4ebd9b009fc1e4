#include "lists.h"

#include <string>

#include "scenario.h"

namespace keyhaul::sim {
namespace {

void printLine(const Print& print, std::string_view name, std::string_view what) {
  print(std::string(name) + "  " + std::string(what) + '\n');
}

}  // namespace

bool printList(Command::Task task, const Print& print) {
  using Task = Command::Task;
  switch (task) {
    case Task::kListScenarios:
      for (const Scenario& s : scenarios()) printLine(print, s.name, s.what);
      return true;
    case Task::kListSabotage:
      for (uint32_t i = 1; i < kSabotages; ++i) {
        const SabotageInfo& s = kSabotageInfos[i];
        printLine(print, s.name, std::string(s.what) + "  " + std::string(scenarioOf(static_cast<Sabotage>(i))));
      }
      return true;
    case Task::kListFaults:
      for (const FaultInfo& f : kFaultInfos) printLine(print, f.name, f.what);
      return true;
    case Task::kListInterventions:
      for (const InterventionInfo& i : kInterventionInfos) printLine(print, i.name, i.what);
      return true;
    case Task::kRun:
    case Task::kRehearse:
    case Task::kSeeds:
    case Task::kMinimise:
    case Task::kCheckSabotage:
    case Task::kCheckDeterminism:
    case Task::kCoverage: return false;
  }
  return false;
}

}  // namespace keyhaul::sim
