// Keys that several clients write while ranges move, and the oracle that judges them.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "gated_store.h"
#include "oracles/oracles.h"
#include "oracles/stale_reads.h"
#include "register.h"
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
  const uint64_t seeds = kThorough ? 1'000 : 12;
  for (options.seed = 1; options.seed <= seeds; ++options.seed) {
    const Report report = run(options);
    ASSERT_TRUE(report.ok()) << toText(report);
    ASSERT_EQ(report.counts.unjudged, 0U) << toText(report);
    sum.judged += report.counts.judged;
    sum.done += report.counts.done;
    sum.refusals += report.counts.refusals;
    sum.clientOps += report.counts.clientOps;
    sum.clientAcks += report.counts.clientAcks;
    sum.staleReads += report.counts.staleReads;
  }
  EXPECT_GT(sum.judged, seeds * 50);
  EXPECT_GT(sum.done, seeds);
  EXPECT_GT(sum.refusals, seeds * 10);
  // Answers are lost, so that there is something that may have taken place or not.
  EXPECT_LT(sum.clientAcks, sum.clientOps - seeds);
  // And some stores cannot keep readers out.
  EXPECT_GT(sum.staleReads, seeds / 10);
}

// Lost acknowledgements, stale reads, resurrections, two owners, and what only several writers
// can show: each by what clients saw alone. (Not feed-by-client: the engine compares what the feed brought and
// ends as a mismatch, which the oracle liveness tells.)
TEST(LiveShared, WhatClientsSawShowsEveryKindOfBug) {
  if (!kThorough) GTEST_SKIP() << "takes too long with sanitizers";
  std::vector<uint64_t> first;
  for (const Sabotage sabotage :
       {Sabotage::kCutBeforeDrain, Sabotage::kLateFeed, Sabotage::kFenceInFlight,
        Sabotage::kNoReadFence, Sabotage::kStagingShown, Sabotage::kLiveDropTombstones,
        Sabotage::kStaleOwner, Sabotage::kUnfenceByTimer, Sabotage::kActivateEarly,
        Sabotage::kRetryElsewhere, Sabotage::kOwnWrites}) {
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
  std::nth_element(first.begin(), first.begin() + 5, first.end());
  EXPECT_LE(first[5], 50U) << "the median";
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

class StaleReadsTest : public testing::Test {
 protected:
  // A world whose stores have no read fence, and a job of one coordinator.
  void SetUp() override {
    Options options = optionsOf(Sabotage::kNone);
    for (options.seed = 1; options.seed <= 100; ++options.seed) {
      world.emplace(options);
      findScenario(options.scenario)->build(*world);
      if (!world->space().readFence && !world->hasRival(world->job(0))) break;
    }
    ASSERT_FALSE(world->space().readFence);
    stale.emplace(*world);
    job = &world->job(0);
    key = job->plan.ranges.front().lo;
    source = world->gatedNamed(world->theRegister().map().lookup(key)->owner)->id();
    job->receipt.totals.incarnations = 1;
  }
  void decide(Moment now) {
    const OwnershipMap before = world->theRegister().map();
    OwnershipMap after = before;
    const std::string target = world->store(job->target).name();
    ASSERT_TRUE(after.claim(job->plan.claim, world->store(source).name(), target, job->plan.ranges).ok());
    stale->onRegister(before, after, now);
    ASSERT_TRUE(after.decide(job->plan.claim, 1).ok());
    stale->onRegister(before, after, now + 1);
  }
  void pass() {
    world->begin();
    while (world->nowUs() < 1'000'000 && world->advance()) {
    }
  }
  std::string said(uint64_t staleReadsUs) {
    job->receipt.staleReadsUs = staleReadsUs;
    const char* wrong = stale->wrongWith(*job);
    return wrong == nullptr ? "" : wrong;
  }
  std::optional<World> world;
  std::optional<StaleReads> stale;
  Job* job = nullptr;
  Key key;
  uint16_t source = 0;
};

TEST_F(StaleReadsTest, OnlyTheLoserMayBeOldAndOnlyUntilItSendsReadersOn) {
  decide(100);
  const auto other = static_cast<uint16_t>(source + 1);
  EXPECT_EQ(stale->oldest(source, key, 150), 101U);
  EXPECT_EQ(stale->oldest(source, key, 50), 50U) << "asked before that";
  EXPECT_EQ(stale->oldest(other, key, 150), 150U);
  EXPECT_EQ(stale->oldest(source, "a key of another range", 150), 150U);
  EXPECT_EQ(stale->oldestOf(key, kNever), 101U);
  stale->onState(*job, MigrationState::kRedirecting, MigrationState::kStopped, 180);
  EXPECT_EQ(stale->oldest(source, key, 190), 101U) << "it was not sent on";
  stale->onState(*job, MigrationState::kRedirecting, MigrationState::kCleaning, 200);
  EXPECT_EQ(stale->oldest(source, key, 200), 101U);
  EXPECT_EQ(stale->oldest(source, key, 201), 201U);
  // Whoever asked in time may still be answered late.
  EXPECT_EQ(stale->oldestOf(key, 190), 101U);
  EXPECT_EQ(stale->oldestOf(key, 201), 201U);
}

TEST_F(StaleReadsTest, AReceiptSaysNoLessThanThereWas) {
  EXPECT_EQ(said(0), "");
  EXPECT_NE(said(1), "");
  decide(100);
  pass();
  const uint64_t wasUs = world->nowUs();
  stale->onState(*job, MigrationState::kRedirecting, MigrationState::kTurning, 900);
  EXPECT_NE(said(0), "");
  EXPECT_NE(said(wasUs - 1), "");
  EXPECT_EQ(said(wasUs), "");
  EXPECT_NE(said(kStaleReadsUnknown), "") << "it alone was there all the time";
  job->receipt.totals.incarnations = 2;
  EXPECT_EQ(said(kStaleReadsUnknown), "");
}

// In some seeds: what finds what it should, and what comes too late.
TEST(LiveShared, ClientsCompareAndSet) {
  Options options = optionsOf(Sabotage::kNone);
  uint64_t with = 0, set = 0, refused = 0;
  constexpr uint64_t kSome = 24;
  for (options.seed = 1; options.seed <= kSome; ++options.seed) {
    const Report report = run(options);
    EXPECT_TRUE(report.ok()) << toText(report);
    with += report.counts.conditionalSets != 0 ? 1U : 0U;
    set += report.counts.conditionalSets;
    refused += report.counts.refusedSets;
  }
  EXPECT_GE(with, kSome / 6);
  // A third, of enough seeds to tell; nothing runs for that.
  uint64_t drawn = 0;
  for (options.seed = 1; options.seed <= 600; ++options.seed) {
    World world(options);
    findScenario(options.scenario)->build(world);
    drawn += world.space().conditional ? 1U : 0U;
  }
  EXPECT_GT(drawn, 160U);
  EXPECT_LT(drawn, 240U);
  EXPECT_GT(set, with * 20);
  EXPECT_GT(refused, with * 5);
}

// Both are told by what clients saw, and by nothing else.
TEST(LiveShared, ALookThatIsNotOneWithItsWriteIsFound) {
  for (const Sabotage sabotage : {Sabotage::kLooksEarly, Sabotage::kLooksAgain}) {
    Options options = optionsOf(sabotage, "linearizable");
    for (options.seed = 1; options.seed <= 20 && runAgainstHonest(options).ok(); ++options.seed) {
    }
    EXPECT_LE(options.seed, 20U) << sabotageName(sabotage);
  }
}

TEST(LiveShared, AnOracleThatIsNotThereIsSaid) {
  EXPECT_FALSE(run(optionsOf(Sabotage::kNone, "history")).ok());
  Options options = optionsOf(Sabotage::kNone, "linearizable");
  EXPECT_TRUE(run(options).ok());
  EXPECT_EQ(run(options).hash, run(optionsOf(Sabotage::kNone)).hash) << "the oracles changed the run";
}

}  // namespace
}  // namespace keyhaul::sim
