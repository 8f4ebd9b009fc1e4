#include "options.h"

#include <gtest/gtest.h>

#include <vector>

namespace keyhaul::sim {
namespace {

std::optional<Command> parse(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  std::string problem;
  return parseCommand(arguments, problem);
}

TEST(SimOptions, TakesTheDocumentedFlags) {
  const auto command = parse({"sim", "--seed", "0x10", "--scenario", "move", "--until", "30",
                              "--faults", "drop,clog", "--sabotage", "no-dedupe", "--json", "--each"});
  ASSERT_TRUE(command);
  EXPECT_EQ(command->options.seed, 16U);
  EXPECT_EQ(command->options.scenario, "move");
  EXPECT_EQ(command->options.untilUs, 30'000'000U);
  EXPECT_EQ(command->options.faults, maskOf(FaultKind::kDrop) | maskOf(FaultKind::kClog));
  EXPECT_EQ(command->options.sabotage, Sabotage::kNoDedupe);
  EXPECT_TRUE(command->json);
  EXPECT_TRUE(command->each);
  EXPECT_EQ(parse({"--seed", "1", "--oracle", "linearizable"})->options.oracle, "linearizable");
  const auto seeds = parse({"--seeds", "3..9"});
  ASSERT_TRUE(seeds);
  EXPECT_EQ(seeds->task, Command::Task::kSeeds);
  EXPECT_EQ(seeds->options.seed, 3U);
  EXPECT_EQ(seeds->lastSeed, 9U);
  EXPECT_EQ(parse({"--faults", "-drop"})->options.faults, kAllFaults & ~maskOf(FaultKind::kDrop));
}

TEST(SimOptions, RefusesEverythingElse) {
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"--seed"}, {"--seed", "x"}, {"--seed", "-1"}, {"--seeds", "9..3"}, {"--seeds", "5"},
           {"--faults", "rain"}, {"--sabotage", "unknown"}, {"--until", "0"}, {"--what", "1"}}) {
    EXPECT_FALSE(parse(words)) << words[0];
  }
}

}  // namespace
}  // namespace keyhaul::sim
