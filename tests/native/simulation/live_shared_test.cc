// Keys that several clients write while ranges move, and the oracle that judges them.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "oracles/oracles.h"
#include "scenario.h"
#include "simulation.h"
#include "world.h"

namespace keyhaul::sim {
namespace {

constexpr uint64_t kSeeds = KEYHAUL_SIM_SEEDS;
constexpr bool kThorough = kSeeds >= 1'000;

Options optionsOf(Sabotage sabotage, std::string oracle = {}) {
  Options options;
  options.scenario = "live-shared";
  options.sabotage = sabotage;
  options.oracle = std::move(oracle);
  return options;
}

TEST(LiveShared, EveryHistoryIsShortEnoughToBeJudged) {
  Options options = optionsOf(Sabotage::kNone);
  Report::Counts sum;
  const uint64_t seeds = kThorough ? 1'000 : 30;
  for (options.seed = 1; options.seed <= seeds; ++options.seed) {
    const Report report = run(options);
    ASSERT_TRUE(report.ok()) << toText(report);
    ASSERT_EQ(report.counts.unjudged, 0U) << toText(report);
    sum.judged += report.counts.judged;
    sum.done += report.counts.done;
    sum.refusals += report.counts.refusals;
    sum.clientOps += report.counts.clientOps;
    sum.clientAcks += report.counts.clientAcks;
  }
  EXPECT_GT(sum.judged, seeds * 50);
  EXPECT_GT(sum.done, seeds);
  EXPECT_GT(sum.refusals, seeds * 10);
  // Answers are lost, so that there is something that may have taken place or not.
  EXPECT_LT(sum.clientAcks, sum.clientOps - seeds);
}

// Lost acknowledgements, stale reads, resurrections, two owners, and what only several writers
// can show: each by what clients saw alone.
TEST(LiveShared, WhatClientsSawShowsEveryKindOfBug) {
  if (!kThorough) GTEST_SKIP() << "takes too long with sanitizers";
  std::vector<uint64_t> first;
  for (const Sabotage sabotage :
       {Sabotage::kCutBeforeDrain, Sabotage::kLateFeed, Sabotage::kFenceInFlight,
        Sabotage::kNoReadFence, Sabotage::kStagingShown, Sabotage::kLiveDropTombstones,
        Sabotage::kStaleOwner, Sabotage::kUnfenceByTimer, Sabotage::kActivateEarly,
        Sabotage::kFeedByClient, Sabotage::kRetryElsewhere, Sabotage::kOwnWrites}) {
    Options options = optionsOf(sabotage, "linearizable");
    for (options.seed = 1; options.seed <= 1'000; ++options.seed) {
      const Report report = runAgainstHonest(options);
      if (report.ok()) continue;
      EXPECT_EQ(report.violations.front().oracle, "linearizable");
      break;
    }
    EXPECT_LE(options.seed, 1'000U) << sabotageName(sabotage) << " was not found";
    first.push_back(options.seed);
  }
  std::nth_element(first.begin(), first.begin() + 6, first.end());
  EXPECT_LE(first[6], 50U) << "the median";
}

TEST(LiveShared, SomeBugsShowOnlyWhereAKeyHasSeveralWriters) {
  for (const Sabotage sabotage :
       {Sabotage::kFeedByClient, Sabotage::kRetryElsewhere, Sabotage::kOwnWrites}) {
    EXPECT_EQ(scenarioOf(sabotage), "live-shared");
    Options options = optionsOf(sabotage);
    options.scenario = "live-swarm";
    for (options.seed = 1; options.seed <= (kThorough ? 200U : 10U); ++options.seed) {
      const Report report = run(options);
      EXPECT_TRUE(report.ok()) << toText(report);
    }
  }
}

// The proof is there for whoever reads it, and told like that of --check-history.
TEST(LiveShared, AViolationComesWithItsShortestWitness) {
  Options options = optionsOf(Sabotage::kStaleOwner, "linearizable");
  options.seed = 1;
  const Report report = run(options);
  ASSERT_FALSE(report.ok());
  const Violation& violation = report.violations.front();
  EXPECT_FALSE(violation.key.empty());
  EXPECT_EQ(violation.witness.rfind("shortest witness: ", 0), 0U) << violation.witness;
  EXPECT_NE(violation.witness.find("<- fits in no order"), std::string::npos);
  EXPECT_NE(violation.witness.find("microsecond"), std::string::npos);
  EXPECT_NE(toText(report).find(violation.witness), std::string::npos);
}

TEST(LiveShared, OraclesThatAssumeOneWriterAreNotLetIn) {
  const Options options = optionsOf(Sabotage::kNone);
  for (const auto make : {makeHistory, makeLostWrite}) {
    World world(options);
    world.addOracle(make(world));
    findScenario(options.scenario)->build(world);
    world.begin();
    ASSERT_EQ(world.report().violations.size(), 1U);
    EXPECT_EQ(world.report().violations.front().oracle, "scenario");
  }
  World world(options);
  addOracles(world);
  for (const auto& oracle : world.oracles()) EXPECT_FALSE(oracle->assumesOneWriter()) << oracle->name();
}

TEST(LiveShared, AnOracleThatIsNotThereIsSaid) {
  EXPECT_FALSE(run(optionsOf(Sabotage::kNone, "history")).ok());
  Options options = optionsOf(Sabotage::kNone, "linearizable");
  EXPECT_TRUE(run(options).ok());
  EXPECT_EQ(run(options).hash, run(optionsOf(Sabotage::kNone)).hash) << "the oracles changed the run";
}

}  // namespace
}  // namespace keyhaul::sim
