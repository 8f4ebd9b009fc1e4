// D1, D3 and D5 after every event, and that whoever judges them would see it.
#include "determinism.h"

#include <gtest/gtest.h>

#include "scenario.h"
#include "simulation.h"

namespace keyhaul::sim {
namespace {

Options optionsOf(std::string scenario, uint64_t seed) {
  Options options;
  options.scenario = std::move(scenario);
  options.seed = seed;
  return options;
}

TEST(Determinism, EveryScenarioGoesAsItWentAfterEveryEvent) {
  for (const Scenario& scenario : scenarios()) {
    for (uint64_t seed = 1; seed <= KEYHAUL_SIM_SEEDS / 1'500 + 1; ++seed) {
      const Options options = optionsOf(std::string(scenario.name), seed);
      const Report report = runBesideItself(options);
      ASSERT_TRUE(report.ok()) << scenario.name << ' ' << seed << '\n' << toText(report);
      EXPECT_EQ(report.hash, run(options).hash);
    }
  }
}

// What is done by hand is input, and one that has it is another run: from its event on, and not before.
TEST(Determinism, TheFirstEventThatDiffersIsNamed) {
  const Options one = optionsOf("swarm", 4);
  Options other = one;
  other.interventions = parseInterventions("1500000:crash:0:800").value();
  const Report report = runBesideItself(one, other);
  ASSERT_EQ(report.violations.size(), 1U);
  const Violation& difference = report.violations.front();
  EXPECT_EQ(difference.oracle, "repeatable");
  EXPECT_GE(difference.timeUs, 1'500'000U);
  Options upTo = one;
  upTo.stopAtEvent = difference.event - 1;
  EXPECT_LE(run(upTo).timeUs, 1'500'000U);
}

// A run that breaks a promise breaks it again, and the one that is looked at too.
TEST(Determinism, ABugIsTheSameBugAgain) {
  Options options = optionsOf("swarm", 1);
  options.sabotage = Sabotage::kIgnoreChecksum;
  const Report alone = run(options), beside = runBesideItself(options);
  ASSERT_FALSE(alone.ok());
  EXPECT_EQ(toText(beside), toText(alone));
}

// What an oracle says is compared too: here it is another one that judges.
TEST(Determinism, AVerdictThatDiffersIsSeen) {
  Options one = optionsOf("swarm", 1);
  one.sabotage = Sabotage::kIgnoreChecksum;
  Options other = one;
  other.oracle = "edges";
  const Report report = runBesideItself(one, other);
  EXPECT_EQ(report.violations.back().oracle, "repeatable");
}

}  // namespace
}  // namespace keyhaul::sim
