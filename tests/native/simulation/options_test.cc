#include "options.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "command.h"

namespace keyhaul::sim {
namespace {

std::optional<Command> parse(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  std::string problem;
  return parseCommand(arguments, problem);
}

// tests/js/unit/seed.test.ts holds the page to the same.
TEST(SimOptions, SeedsAreDecimalOrWordsOfHexadecimalDigits) {
  const std::pair<const char*, uint64_t> seeds[] = {
      {"7", 7}, {"007", 7}, {"82e0", 0x82e0}, {"0x10", 16}, {"0XfF", 255}, {"1e5", 0x1e5},
      {"DeadBeef", 0xdeadbeef}, {"18446744073709551615", UINT64_MAX}, {"ffffffffffffffff", UINT64_MAX}};
  for (const auto& [text, seed] : seeds) {
    const auto command = parse({"--seed", text});
    ASSERT_TRUE(command) << text;
    EXPECT_EQ(command->options.seed, seed) << text;
  }
  for (const char* text : {"", "0x", "-1", "+1", " 1", "1 ", "1.5", "seed", "0x1g", "18446744073709551616",
                           "ffffffffffffffff0", "82e0.."}) {
    EXPECT_FALSE(parse({"--seed", text})) << text;
  }
  const auto many = parse({"--seeds", "a..1f"});
  ASSERT_TRUE(many);
  EXPECT_EQ(many->options.seed, 10U);
  EXPECT_EQ(many->lastSeed, 31U);
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

struct Said {
  int exit = 0;
  std::string text, complaints;
};
Said say(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  Said said;
  const auto to = [](std::string& where) { return [&where](std::string_view text) { where += text; }; };
  said.exit = runCommandLine(arguments, to(said.text), to(said.complaints));
  return said;
}
size_t rowsOf(const Said& said) {
  return static_cast<size_t>(std::count(said.text.begin(), said.text.end(), '\n'));
}

// The default of a flag is not the same as the flag: every bug would be looked for where it is found.
TEST(SimCommand, LooksForSabotageInTheScenarioThatWasChosen) {
  const std::vector<std::string> words{"--check-sabotage", "--seeds", "3..3", "--until", "6"};
  const auto in = [&words](const char* scenario) {
    std::vector<std::string> chosen = words;
    if (*scenario != '\0') chosen.insert(chosen.end(), {"--scenario", scenario});
    return say(chosen);
  };
  const auto has = [](const Said& said, const char* text) { return said.text.find(text) != std::string::npos; };
  const Said anywhere = in(""), swarm = in("swarm"), live = in("live");
  EXPECT_EQ(rowsOf(anywhere), kSabotages - 1);
  EXPECT_TRUE(has(anywhere, "| cancel-leaves | 3 |")) << "in the scenario cancel";
  EXPECT_FALSE(has(swarm, "| cancel-leaves | 3 |")) << swarm.text;
  EXPECT_FALSE(has(swarm, "| register-forgets |"));
  EXPECT_TRUE(has(swarm, " are of live migrations, and swarm has none\n"));
  EXPECT_EQ(rowsOf(live), kSabotages - 1);
  EXPECT_NE(live.text, anywhere.text);
  EXPECT_EQ(in("nowhere").exit, 2);
}

}  // namespace
}  // namespace keyhaul::sim
