// Scenarios with an operator's name: without the faults of a seed they are what their sentence
// says, and the oracle that holds them to it can say no.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "gated_store.h"
#include "oracles/oracles.h"
#include "register.h"
#include "scenario.h"
#include "world.h"

namespace keyhaul::sim {
namespace {

// Counts what clients were told of keys that are hot, and of all.
class Load : public Oracle {
 public:
  using Oracle::Oracle;
  std::string_view name() const override { return "load"; }
  void onAcked(const ClientWrite& write) override { count(write.key); }
  void onRoutedRead(const RoutedRead& read) override { count(read.key); }
  uint64_t hot = 0, all = 0;

 private:
  void count(std::string_view key) {
    ++all;
    if (world_.space().hot.contains(key)) ++hot;
  }
};

// A world of one scenario, to its end.
struct ClusterRun {
  explicit ClusterRun(std::string_view scenario, uint64_t seed = 1, uint64_t faults = 0) {
    Options options;
    options.seed = seed;
    options.scenario = scenario;
    options.faults = faults;
    world = std::make_unique<World>(options);
    addOracles(*world);
    auto counts = std::make_unique<Load>(*world);
    load = counts.get();
    world->addOracle(std::move(counts));
    findScenario(scenario)->build(*world);
  }
  const Report& end() {
    report = world->run();
    return report;
  }
  uint64_t ended(MigrationState state) const {
    uint64_t count = 0;
    for (const auto& job : world->jobs()) count += job->begun && job->state == state ? 1U : 0U;
    return count;
  }
  std::string ownerOf(uint64_t range) const {
    const std::string& lo = world->space().goals.at(range).first.lo;
    return world->theRegister().map().lookup(lo)->owner;
  }
  std::unique_ptr<World> world;
  Load* load = nullptr;
  Report report;
};

TEST(Cluster, AddNodeGivesTheNewStoreARangeOfEach) {
  ClusterRun run("add-node");
  GatedStoreNode& fresh = run.world->gated(3);
  ASSERT_TRUE(fresh.entries().empty());
  ASSERT_TRUE(run.end().ok()) << toText(run.report);
  EXPECT_EQ(run.ended(MigrationState::kDone), 3U);
  EXPECT_GT(fresh.entries().size(), 200U);
  for (uint64_t range = 0; range < 3; ++range) EXPECT_EQ(run.ownerOf(range), "s3");
}

TEST(Cluster, DrainLeavesAnEmptyStore) {
  ClusterRun run("drain");
  const GatedStoreNode& drained = run.world->gated(1);
  ASSERT_GT(drained.entries().size(), 150U);
  ASSERT_TRUE(run.end().ok()) << toText(run.report);
  EXPECT_TRUE(drained.entries().empty());
  for (const Ownership& part : run.world->theRegister().map().parts()) EXPECT_NE(part.owner, "s1");
}

TEST(Cluster, MostOfTheLoadIsOnTheHotRange) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    ClusterRun run("hot-range", seed);
    ASSERT_TRUE(run.end().ok()) << toText(run.report);
    EXPECT_GT(run.load->hot * 100, run.load->all * 70) << run.load->hot << " of " << run.load->all;
    EXPECT_EQ(run.ownerOf(0), "s2");
  }
}

TEST(Cluster, ARollingRestartRestartsEveryProcess) {
  ClusterRun run("rolling-restart");
  ASSERT_TRUE(run.end().ok()) << toText(run.report);
  EXPECT_EQ(run.report.counts.crashes, 5U);
  for (const auto& node : run.world->nodes()) {
    EXPECT_EQ(node->boot() > 1, node->kind() != NodeKind::kClient) << node->id();
  }
}

TEST(Cluster, WhatGoesWrongIsWhatTheSentenceSays) {
  ClusterRun corrupt("corrupt-link"), whole("add-node"), cancelled("cancel-replan");
  ASSERT_TRUE(corrupt.end().ok() && whole.end().ok() && cancelled.end().ok());
  EXPECT_EQ(whole.report.counts.damaged, 0U);
  // One in 25 of those that carry bytes, which about half do, until it heals.
  EXPECT_GT(corrupt.report.counts.damaged * 80, corrupt.report.counts.messages);
  EXPECT_GE(cancelled.ended(MigrationState::kCancelled), 3U);
  EXPECT_GE(cancelled.ended(MigrationState::kDone), 2U);
  ClusterRun full("disk-full"), mute("asymmetric-partition");
  ASSERT_TRUE(full.end().ok() && mute.end().ok());
  EXPECT_GT(full.report.counts.resumes, 0U);
  EXPECT_GE(full.ended(MigrationState::kDone), 2U);
  EXPECT_GE(mute.ended(MigrationState::kDone), 2U);
}

TEST(Cluster, AZoneIsLostAtOnce) {
  ClusterRun run("zone-loss");
  ASSERT_TRUE(run.end().ok()) << toText(run.report);
  EXPECT_EQ(run.report.counts.crashes, 6U);
  for (uint16_t store = 0; store < 4; ++store) EXPECT_EQ(run.world->gated(store).boot(), store < 2 ? 2U : 3U) << store;
  EXPECT_EQ(run.ended(MigrationState::kDone), 3U);
  EXPECT_EQ(run.ownerOf(0), "s2");
  EXPECT_EQ(run.ownerOf(1), "s3");
  EXPECT_EQ(run.ownerOf(2), "s1");
}

// Nobody waits for the healing where nothing but the told happens.
TEST(Cluster, WithoutFaultsNoSpareIsNeeded) {
  for (const Scenario& scenario : scenarios()) {
    for (uint64_t seed = 1; seed <= (KEYHAUL_SIM_SEEDS >= 1'000 ? 10 : 2); ++seed) {
      ClusterRun run(scenario.name, seed);
      if (run.world->space().goals.empty()) break;
      ASSERT_TRUE(run.end().ok()) << toText(run.report);
      for (const auto& job : run.world->jobs()) EXPECT_FALSE(job->spare && job->begun) << scenario.name << ' ' << seed;
    }
  }
}

TEST(Cluster, TheGoalIsHeldToWhatIsWanted) {
  ClusterRun wanted("add-node");
  wanted.world->space().goals[0].second = 1;
  ASSERT_EQ(wanted.end().violations.size(), 1U) << toText(wanted.report);
  EXPECT_EQ(wanted.report.violations[0].oracle, "goal");
  EXPECT_EQ(wanted.report.violations[0].text, "wanted at s1, and still at s3");
  ClusterRun drained("add-node");
  drained.world->space().emptied = {3};
  EXPECT_FALSE(drained.end().ok());
  EXPECT_EQ(drained.report.violations[0].oracle, "goal");
}

}  // namespace
}  // namespace keyhaul::sim
