// Whoever plans: stores get nearer to each other, what the scenario is about happens, and each sentence of the oracle
// can be said.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "oracles/oracles.h"
#include "planner.h"
#include "register.h"
#include "scenario.h"
#include "world.h"

namespace keyhaul::sim {
namespace {

constexpr bool kThorough = KEYHAUL_SIM_SEEDS >= 1'000;

// Counts what is asked for.
class Counter : public Oracle {
 public:
  using Oracle::Oracle;
  std::string_view name() const override { return "counter"; }
  void onLooked(const PlannerNode&) override { ++looks; }
  void onPlanned(const PlannerNode& planner, const Job& planned, uint64_t) override {
    uint64_t underWay = 0;
    for (const auto& job : world_.jobs()) underWay += job->ended() ? 0U : 1U;
    atOnce = std::max(atOnce, underWay);
    planners.insert(planner.id());
    toNew += planned.target == planner.rules().joins ? 1U : 0U;
    fromOld += planner.leaves(planned.source) ? 1U : 0U;
    lowered += planner.movesMax() < planner.rules().movesMax ? 1U : 0U;
  }
  void onThrottled(const Job& job) override { throttled += job.throttle != 0 && !world_.healed() ? 1U : 0U; }
  uint64_t looks = 0, atOnce = 0, toNew = 0, fromOld = 0, lowered = 0, throttled = 0;
  std::set<uint16_t> planners;  // that have asked for something
};

struct Balanced {
  explicit Balanced(uint64_t seed, uint64_t faults, Sabotage sabotage = Sabotage::kNone) {
    Options options;
    options.seed = seed;
    options.scenario = "rebalance";
    options.faults = faults;
    options.sabotage = sabotage;
    world = std::make_unique<World>(options);
    addOracles(*world);
    auto counts = std::make_unique<Counter>(*world);
    counter = counts.get();
    world->addOracle(std::move(counts));
    findScenario("rebalance")->build(*world);
  }
  // By how much the fullest and the emptiest of those differ that are members in the end.
  uint64_t apart() const {
    const PlannerNode::Rules& rules = world->space().planner->rules();
    std::vector<uint64_t> owned(rules.stores);
    const std::vector<uint64_t> bytes = PlannerNode::bytesOf(*world);
    for (size_t i = 0; i < bytes.size(); ++i) owned[PlannerNode::ownerOf(*world, world->space().placed[i])] += bytes[i];
    if (rules.leaves < rules.stores) owned.erase(owned.begin() + rules.leaves);
    const auto [least, most] = std::minmax_element(owned.begin(), owned.end());
    return *most - *least;
  }
  std::unique_ptr<World> world;
  Counter* counter = nullptr;
};

TEST(Rebalance, StoresGetNearerToEachOther) {
  uint64_t before = 0, after = 0;
  for (uint64_t seed = 1; seed <= (kThorough ? 60U : 6U); ++seed) {
    Balanced run(seed, 0);
    before += run.apart();
    const Report report = run.world->run();
    ASSERT_TRUE(report.ok()) << toText(report);
    EXPECT_TRUE(run.world->space().planner->stopped());
    after += run.apart();
  }
  EXPECT_LT(after * 2, before);
}

TEST(Rebalance, WhatTheScenarioIsAboutHappens) {
  uint64_t atOnce = 0, toNew = 0, fromOld = 0, lowered = 0, throttled = 0, cancelled = 0, looks = 0;
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    Balanced run(seed, kAllFaults);
    const Report report = run.world->run();
    ASSERT_TRUE(report.ok()) << toText(report);
    atOnce = std::max(atOnce, run.counter->atOnce);
    toNew += run.counter->toNew;
    fromOld += run.counter->fromOld;
    lowered += run.counter->lowered;
    throttled += run.counter->throttled;
    cancelled += report.counts.cancelled;
    looks += run.counter->looks;
  }
  EXPECT_GE(atOnce, 3U);
  for (const uint64_t count : {toNew, fromOld, lowered, throttled, cancelled}) EXPECT_GT(count, 5U);
  EXPECT_GT(looks, 600U);
}

// Some die after the first of what they wanted to ask for, and some worlds have two of them.
TEST(Rebalance, PlannersDieAndDoNotKnowOfEachOther) {
  uint64_t died = 0, pairs = 0, bothMove = 0, refused = 0;
  const uint64_t seeds = kThorough ? 90 : 30;
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    Balanced run(seed, kAllFaults);
    const Report report = run.world->run();
    ASSERT_TRUE(report.ok()) << toText(report);
    died += run.world->space().planner->died() ? 1U : 0U;
    std::vector<const PlannerNode*> planners;
    for (const auto& node : run.world->nodes()) {
      if (const auto* planner = dynamic_cast<const PlannerNode*>(node.get())) planners.push_back(planner);
    }
    ASSERT_FALSE(planners.empty());
    for (const PlannerNode* planner : planners) EXPECT_TRUE(planner->stopped());
    if (planners.size() == 1) continue;
    ++pairs;
    bothMove += run.counter->planners.size() == 2 ? 1U : 0U;
    for (const PlannerNode* planner : planners) refused += planner->refused();
  }
  EXPECT_GT(died * 6, seeds);
  EXPECT_GT(pairs * 5, seeds);
  EXPECT_GT(bothMove * 4, pairs);  // most often one has done it all before the other one may
  EXPECT_GT(refused, pairs);
}

// Of a few seeds, by how the sentences begin and how they go on.
std::string saidOf(Sabotage sabotage) {
  std::string said;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    Balanced run(seed, kAllFaults, sabotage);
    for (const Violation& violation : run.world->run().violations) {
      if (violation.oracle == "plan") said += violation.text + '\n';
    }
  }
  return said;
}

TEST(Rebalance, WhatIsWrongWithAPlanIsSaid) {
  const std::string chases = saidOf(Sabotage::kChasesItself), target = saidOf(Sabotage::kOneTarget);
  for (const char* text : {"leaves them as far apart as they were", "back again, though nobody writes any more"}) {
    EXPECT_NE(chases.find(text), std::string::npos) << text;
  }
  for (const char* text : {"more moves from", "may have no room there"}) {
    EXPECT_NE(target.find(text), std::string::npos) << text;
  }
}

// With nobody who reserves room for both: more moves at once than may be, and no room for what comes.
TEST(Rebalance, TwoPlannersKeepNoLimitWithoutAReservation) {
  const std::string said = saidOf(Sabotage::kAdmitsAll);
  for (const char* text : {"more moves from", "may have no room there", "leaves them as far apart as they were"}) {
    EXPECT_NE(said.find(text), std::string::npos) << text;
  }
}

class PlanIsShown : public testing::Test {
 protected:
  PlanIsShown() : run(1, 0), oracle(makePlan(*run.world)) {}
  const std::vector<Violation>& said() const { return run.world->report().violations; }
  Balanced run;
  std::unique_ptr<Oracle> oracle;
};

TEST_F(PlanIsShown, MoreThanAStoreHasRoomFor) {
  const std::string large(static_cast<size_t>(run.world->space().planner->rules().capacities[0]), 'x'), less(5, 'x');
  oracle->onChange({0, ChangeCause::kApply, 0, "", nullptr, &large});
  EXPECT_TRUE(said().empty());
  oracle->onChange({0, ChangeCause::kApply, 0, "k", nullptr, &less});
  ASSERT_EQ(said().size(), 1U);
  EXPECT_EQ(said()[0].key, "k");
  // What gets less is not to blame.
  oracle->onChange({0, ChangeCause::kCleanUp, 0, "k", &less, nullptr});
  EXPECT_EQ(said().size(), 1U);
}

TEST_F(PlanIsShown, AnOwnerThatNobodyPlanned) {
  const OwnershipMap before = run.world->theRegister().map();
  const KeyRange range = run.world->space().placed.back();
  OwnershipMap after;
  for (const Ownership& part : before.parts()) {
    const bool moved = part.range.contains(range.lo);
    ASSERT_TRUE(after.assign(part.range, moved ? "elsewhere" : part.owner).ok());
  }
  oracle->onRegister(before, after);  // neighbours of one owner are one part
  ASSERT_FALSE(said().empty());
  EXPECT_EQ(said().back().key, range.lo);
  EXPECT_NE(said().back().text.find("to elsewhere, and no plan wanted that"), std::string::npos);
  const size_t count = said().size();
  oracle->onRegister(after, after);
  EXPECT_EQ(said().size(), count);
}

TEST_F(PlanIsShown, APlanThatNeverStops) {
  oracle->onEnd();
  ASSERT_EQ(said().size(), 1U);
  EXPECT_EQ(said()[0].oracle, "plan");
}

}  // namespace
}  // namespace keyhaul::sim
