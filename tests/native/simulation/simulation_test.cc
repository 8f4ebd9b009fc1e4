// The engine in the simulated world: promises hold over many seeds, equal options give
// equal runs. Bugs that are put in on purpose: sabotage_test.cc.
#include "simulation.h"

#include <algorithm>
#include <gtest/gtest.h>

#include <set>

#include "scenario.h"

namespace keyhaul::sim {
namespace {

constexpr uint64_t kSeeds = KEYHAUL_SIM_SEEDS;

class EveryScenario : public testing::TestWithParam<Scenario> {};

TEST_P(EveryScenario, KeepsItsPromises) {
  Options options;
  options.scenario = GetParam().name;
  Report::Counts sum;
  // Few seeds with sanitizers; where those lack something, some more.
  const auto seeds = std::max<uint64_t>(6, kSeeds / scenarios().size());
  const auto lacks = [&] {
    return std::min({sum.done, sum.verified, sum.crashes, sum.resumes, sum.damaged}) == 0;
  };
  for (options.seed = 1; options.seed <= seeds || (options.seed <= 30 && lacks()); ++options.seed) {
    const Report report = run(options);
    EXPECT_TRUE(report.violations.empty()) << toText(report);
    // One that waits without pausing between its questions has millions.
    EXPECT_LT(report.events, 500'000U) << toText(report);
    sum.done += report.counts.done;
    sum.verified += report.counts.verified;
    sum.crashes += report.counts.crashes;
    sum.resumes += report.counts.resumes;
    sum.damaged += report.counts.damaged;
  }
  // A world in which nothing happens keeps every promise.
  EXPECT_GT(sum.done, 0U);
  EXPECT_GT(sum.verified, 0U);
  EXPECT_GT(sum.crashes, 0U);
  EXPECT_GT(sum.resumes, 0U);
  EXPECT_GT(sum.damaged, 0U);
}

INSTANTIATE_TEST_SUITE_P(Simulation, EveryScenario, testing::ValuesIn(scenarios()),
                         [](const auto& param) {
                           std::string name(param.param.name);
                           std::erase(name, '-');
                           return name;
                         });

TEST(Simulation, WithoutFaultsEverythingIsDoneAndVerified) {
  Options options;
  options.faults = 0;
  options.scenario = "copy";
  for (options.seed = 1; options.seed <= 20; ++options.seed) {
    const Report report = run(options);
    EXPECT_TRUE(report.ok()) << toText(report);
    EXPECT_EQ(report.counts.done, report.counts.jobs);
    EXPECT_EQ(report.counts.resumes, 0U);
  }
}

TEST(Simulation, EqualOptionsGiveEqualRuns) {
  std::set<uint64_t> hashes;
  Options options;
  for (options.seed = 1; options.seed <= 20; ++options.seed) {
    const Report first = run(options), second = run(options);
    EXPECT_EQ(first.hash, second.hash);
    EXPECT_EQ(first.events, second.events);
    hashes.insert(first.hash);
    Options loud = options;
    loud.log = true;
    loud.explainKey = "j0/00001";
    const Report told = run(loud);
    EXPECT_EQ(told.hash, first.hash) << "the log changed the run";
    EXPECT_GT(told.life.size(), 100U);
  }
  EXPECT_EQ(hashes.size(), 20U);
}

// The streams are apart: without a fault that was off anyway, nothing changes.
TEST(Simulation, AFaultThatIsOffChangesNothing) {
  Options options;
  options.seed = 3;
  const Report all = run(options);
  options.faults = all.faults;
  EXPECT_EQ(run(options).hash, all.hash);
}

TEST(Simulation, UnknownScenariosAreSaid) {
  Options options;
  options.scenario = "nothing like that";
  EXPECT_FALSE(run(options).ok());
}

TEST(Minimise, KeepsTheViolationAndDropsFaults) {
  Options options;
  options.sabotage = Sabotage::kAckBeforeSync;
  while (run(options).ok()) ++options.seed;
  const Minimised least = minimise(options);
  EXPECT_FALSE(least.report.ok());
  EXPECT_LT(least.report.events, run(options).events);
  EXPECT_FALSE(run(least.options).ok());
}

}  // namespace
}  // namespace keyhaul::sim
