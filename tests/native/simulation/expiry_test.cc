// Values that end by themselves: the owner's sweep decides, it is told of like any delete, and nothing comes back.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "gated_store.h"
#include "oracles/oracles.h"
#include "register.h"
#include "scenario.h"
#include "value.h"
#include "world.h"

namespace keyhaul::sim {
namespace {

constexpr bool kThorough = KEYHAUL_SIM_SEEDS >= 1'000;

TEST(Expiry, AValueSaysWhenItEnds) {
  const std::string value = makeValue("k00001", 3, 17, 40), ends = withEnd(value, 1'234'567);
  EXPECT_EQ(endOf(value), kNoEnd);
  EXPECT_EQ(endOf(ends), 1'234'567U);
  EXPECT_EQ(sequenceOf(ends), 17U);
  EXPECT_TRUE(isValueOf("k00001", ends));
  EXPECT_FALSE(isValueOf("k00002", ends));
  EXPECT_EQ(endOf(withEnd(makeValue("k", 1, 2, 0), 0)), 0U);
  for (const std::string& wrong : {ends + "x", ends.substr(0, 20) + "!" + ends.substr(21), value + "~"}) {
    EXPECT_FALSE(isValueOf("k00001", wrong)) << wrong;
  }
}

// Sweeps are counted where they take place: at a store that owns the key, and of a value that has ended.
class Sweeps : public Oracle {
 public:
  using Oracle::Oracle;
  std::string_view name() const override { return "sweeps"; }
  void onChange(const StoreChange& change) override {
    if (change.cause != ChangeCause::kExpired) return;
    ++swept;
    EXPECT_EQ(change.after, nullptr);
    EXPECT_LE(endOf(*change.before), world_.nowUs() + kEndSkewUs);
    EXPECT_EQ(world_.theRegister().map().lookup(change.key)->owner, world_.store(change.store).name());
    ++stores[change.store];
    for (const auto& job : world_.jobs()) meanwhile += !job->ended() && job->begun && job->contains(change.key) ? 1U : 0U;
  }
  uint64_t swept = 0, meanwhile = 0;
  std::map<uint16_t, uint64_t> stores;
};

struct Ending {
  Ending(const char* scenario, uint64_t seed) {
    Options options;
    options.seed = seed;
    options.scenario = scenario;
    world = std::make_unique<World>(options);
    addOracles(*world);
    auto made = std::make_unique<Sweeps>(*world);
    sweeps = made.get();
    world->addOracle(std::move(made));
    findScenario(scenario)->build(*world);
  }
  std::unique_ptr<World> world;
  Sweeps* sweeps = nullptr;
};

// Before a move, while it copies, and by the new owner; in a third of the seeds, and in no other.
TEST(Expiry, OwnersSweepWhileRangesMove) {
  for (const char* scenario : {"live-pingpong", "live-shared"}) {
    uint64_t with = 0, swept = 0, meanwhile = 0, byBoth = 0;
    const uint64_t seeds = kThorough ? 60 : 12;
    for (uint64_t seed = 1; seed <= seeds; ++seed) {
      Ending run(scenario, seed);
      const Report report = run.world->run();
      ASSERT_TRUE(report.ok()) << toText(report);
      if (run.world->space().endPercent == 0) { ASSERT_EQ(run.sweeps->swept, 0U); }
      with += run.world->space().endPercent == 0 ? 0U : 1U;
      swept += run.sweeps->swept;
      meanwhile += run.sweeps->meanwhile;
      byBoth += run.sweeps->stores.size() > 1 ? 1U : 0U;
    }
    EXPECT_GT(with, 0U) << scenario;
    EXPECT_GT(swept, with * 20) << scenario;
    EXPECT_GT(meanwhile, with) << scenario;
    if (kThorough) { EXPECT_GT(byBoth * 3, with) << scenario; }
  }
}

TEST(Expiry, AThirdOfTheSeedsHaveValuesThatEnd) {
  for (const char* scenario : {"live-pingpong", "live-shared"}) {
    uint64_t with = 0;
    for (uint64_t seed = 1; seed <= 600; ++seed) with += Ending(scenario, seed).world->space().endPercent == 0 ? 0U : 1U;
    EXPECT_GE(with, 150U) << scenario;
    EXPECT_LE(with, 250U) << scenario;
  }
}

class HistoryOfEnds : public testing::Test {
 protected:
  HistoryOfEnds() : run("live-pingpong", 1), oracle(makeHistory(*run.world)), ends(withEnd(makeValue("k00001", 9, 1, 3), 0)) {
    oracle->onInvoked({0, 9, 1, "k00001", &ends});
    oracle->onAcked({0, 9, 1, "k00001", &ends});
  }
  void read(const std::string* value) { oracle->onRoutedRead({9, 1'000'000, "k00001", value, 0}); }
  const std::vector<Violation>& said() const { return run.world->report().violations; }
  Ending run;
  std::unique_ptr<Oracle> oracle;
  const std::string ends;
};

TEST_F(HistoryOfEnds, WhatEndedMayStandUntilItIsGone) {
  read(&ends);
  read(nullptr);
  EXPECT_TRUE(said().empty());
}

TEST_F(HistoryOfEnds, WhatWasSweptNeverReturns) {
  oracle->onChange({0, ChangeCause::kExpired, 0, "k00001", &ends, nullptr});
  read(nullptr);
  EXPECT_TRUE(said().empty());
  read(&ends);
  ASSERT_EQ(said().size(), 1U);
  EXPECT_EQ(said()[0].harm, Harm::kResurrected);
}

TEST_F(HistoryOfEnds, WhatWasSeenGoneNeverReturns) {
  read(nullptr);
  read(&ends);
  ASSERT_EQ(said().size(), 1U);
  EXPECT_EQ(said()[0].harm, Harm::kResurrected);
}

TEST_F(HistoryOfEnds, NothingEndsBeforeItsTime) {
  const std::string later = withEnd(makeValue("k00001", 9, 2, 3), 5'000'000);
  oracle->onInvoked({0, 9, 2, "k00001", &later});
  oracle->onAcked({0, 9, 2, "k00001", &later});
  oracle->onChange({0, ChangeCause::kExpired, 0, "k00001", &later, nullptr});
  ASSERT_EQ(said().size(), 1U);
  EXPECT_EQ(said()[0].text, "it was swept before it ended");
}

TEST_F(HistoryOfEnds, NothingIsGoneBeforeItsTime) {
  const std::string later = withEnd(makeValue("k00001", 9, 2, 3), 5'000'000);
  oracle->onInvoked({0, 9, 2, "k00001", &later});
  oracle->onAcked({0, 9, 2, "k00001", &later});
  read(nullptr);
  ASSERT_EQ(said().size(), 1U);
  EXPECT_EQ(said()[0].harm, Harm::kLost);
}

}  // namespace
}  // namespace keyhaul::sim
