#include "options.h"

#include <charconv>
#include <utility>

namespace keyhaul::sim {
namespace {

std::optional<uint64_t> parseNumber(std::string_view text) {
  const bool hex = text.substr(0, 2) == "0x" || text.substr(0, 2) == "0X";
  if (hex) text.remove_prefix(2);
  uint64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number, hex ? 16 : 10);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

// Seeds may be words of hexadecimal digits. Only digits are decimal: 10 is ten, 0x10 and 1e are not.
// js/src/sim/seed.ts reads them the same way, for pages.
std::optional<uint64_t> parseSeed(std::string_view text) {
  const bool word = text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos &&
                    text.find_first_not_of("0123456789") != std::string_view::npos;
  return parseNumber(word ? "0x" + std::string(text) : std::string(text));
}

bool setSeeds(Command& command, std::string_view text) {
  const size_t dots = text.find("..");
  if (dots == std::string_view::npos) return false;
  const auto first = parseSeed(text.substr(0, dots)), last = parseSeed(text.substr(dots + 2));
  if (!first || !last || *last < *first) return false;
  if (command.task == Command::Task::kRun) command.task = Command::Task::kSeeds;
  command.options.seed = *first;
  command.lastSeed = *last;
  return true;
}

// False when `value` does not fit the flag.
bool setValue(Command& command, std::string_view flag, std::string_view value) {
  Options& options = command.options;
  const auto number = parseNumber(value);
  if (flag == "--seed") {
    const auto seed = parseSeed(value);
    options.seed = seed.value_or(0);
    return seed.has_value();
  } else if (flag == "--seeds") {
    return setSeeds(command, value);
  } else if (flag == "--scenario") {
    options.scenario = value;
    command.scenarioChosen = true;
  } else if (flag == "--until" && number && *number >= 1 && *number <= 3'600) {
    options.untilUs = *number * 1'000'000;
  } else if (flag == "--stop" && number && *number >= 1) {
    options.stopAtEvent = *number;
  } else if (flag == "--workload" && number && *number >= 1 && *number <= 1'000) {
    options.workloadPercent = static_cast<uint32_t>(*number);
  } else if (flag == "--oracle") {
    options.oracle = value;
  } else if (flag == "--explain") {
    options.explainKey = value;
  } else if (flag == "--faults") {
    const auto mask = parseFaults(value);
    options.faults = mask.value_or(0);
    return mask.has_value();
  } else if (flag == "--do") {
    auto interventions = parseInterventions(value);
    const bool parsed = interventions.has_value();
    if (parsed) options.interventions = *std::move(interventions);
    return parsed;
  } else if (flag == "--rehearse") {
    options.rehearsal = parseRehearsal(value);
    command.task = Command::Task::kRehearse;
    return options.rehearsal.has_value();
  } else if (flag == "--sabotage") {
    const auto sabotage = parseSabotage(value);
    options.sabotage = sabotage.value_or(Sabotage::kNone);
    return sabotage.has_value();
  } else {
    return false;
  }
  return true;
}

bool setSwitch(Command& command, std::string_view flag) {
  using Task = Command::Task;
  if (flag == "--json") {
    command.json = true;
  } else if (flag == "--each") {
    command.each = true;
  } else if (flag == "--pauses") {
    command.pauses = true;
  } else if (flag == "--log") {
    command.options.log = true;
  } else if (flag == "--minimise") {
    command.task = Task::kMinimise;
  } else if (flag == "--check-sabotage") {
    command.task = Task::kCheckSabotage;
  } else if (flag == "--check-determinism") {
    command.task = Task::kCheckDeterminism;
  } else if (flag == "--coverage") {
    command.task = Task::kCoverage;
  } else if (flag == "--list-scenarios") {
    command.task = Task::kListScenarios;
  } else if (flag == "--list-sabotage") {
    command.task = Task::kListSabotage;
  } else if (flag == "--list-interventions") {
    command.task = Task::kListInterventions;
  } else if (flag == "--list-faults") {
    command.task = Task::kListFaults;
  } else {
    return false;
  }
  return true;
}

}  // namespace

const char* const kUsageText =
    "usage: keyhaul_sim [sim] --seed N | --seeds A..B   [--scenario NAME] [--until SECONDS]\n"
    "                   [--faults all|none|LIST|-LIST] [--sabotage NAME] [--workload PERCENT]\n"
    "                   [--oracle NAME] [--explain KEY] [--log] [--stop EVENT] [--minimise] [--json]\n"
    "                   [--each] [--pauses] [--do MICROSECONDS:WHAT:NODE[:MILLISECONDS],...]\n"
    "       keyhaul_sim --check-sabotage --seeds A..B [--scenario NAME] [--oracle NAME]\n"
    "       keyhaul_sim --check-determinism --seed N | --seeds A..B [--scenario NAME]\n"
    "       keyhaul_sim --coverage --seeds A..B\n"
    "       keyhaul_sim --rehearse NAME=NUMBER,... --seed N | --seeds A..B\n"
    "       keyhaul_sim --list-scenarios | --list-sabotage | --list-faults |\n"
    "                   --list-interventions\n"
    "Exit codes: 0 no violation, 2 usage, 3 a violation.\n";

std::optional<Command> parseCommand(std::span<char* const> arguments, std::string& problem) {
  Command command;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view flag = arguments[i];
    if (i == 0 && flag == "sim") continue;
    if (setSwitch(command, flag)) continue;
    if (i + 1 < arguments.size() && setValue(command, flag, arguments[i + 1])) {
      ++i;
      continue;
    }
    problem = std::string(flag);
    if (i + 1 < arguments.size()) problem += " " + std::string(arguments[i + 1]);
    return std::nullopt;
  }
  return command;
}

}  // namespace keyhaul::sim
