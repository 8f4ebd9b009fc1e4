// Watching, stopping, stepping and breaking by hand do not change what happens (D5), and what is
// done by hand is input like any other.
#include "player.h"

#include <gtest/gtest.h>

#include <utility>

#include "prng.h"
#include "scenario.h"
#include "simulation.h"

namespace keyhaul::sim {
namespace {

// To its end in unequal steps, looking all the time.
std::string watched(Player& player, uint64_t stepUs) {
  uint64_t timeUs = 0;
  for (int i = 0; i < 100'000; ++i) {
    timeUs += stepUs + stepUs * static_cast<uint64_t>(i % 7);
    player.advance(timeUs, UINT64_MAX, 50 + static_cast<uint64_t>(i % 13));
    if (player.view().find("\"ended\":1") != std::string::npos) break;
  }
  return player.report();
}

TEST(SimPlayer, HasTheHashOfTheRun) {
  for (const Scenario& scenario : scenarios()) {
    for (uint64_t seed = 1; seed <= 3; ++seed) {
      Options options;
      options.seed = seed;
      options.scenario = scenario.name;
      options.untilUs = 20'000'000;
      Player player(options);
      EXPECT_EQ(watched(player, 40'000), toJson(run(options))) << scenario.name << ' ' << seed;
    }
  }
}

TEST(SimPlayer, StepsEventByEvent) {
  Options options;
  options.seed = 4;
  options.untilUs = 3'000'000;
  const Report whole = run(options);
  Player player(options);
  uint64_t events = 0;
  while (player.advance(UINT64_MAX, events + 1, 10) == 1) ++events;
  EXPECT_EQ(events, whole.events);
  EXPECT_EQ(player.report(), toJson(whole));
}

TEST(SimPlayer, WhatIsDoneByHandIsInput) {
  Options options;
  options.seed = 9;
  options.scenario = "story";
  options.faults = 0;
  const uint64_t untouched = run(options).hash;
  options.interventions = *parseInterventions(
      "1500000:crash:3:800,2000000:cut:2,2000000:rate:drop:200000,4000000:slow:0:3000,"
      "6000000:mute:1,7000000:pause:3:500,8000000:clock-jump:3,9000000:disk-full:2,9500000:feed-lost:0");
  const Report known = run(options);
  EXPECT_TRUE(known.ok()) << toText(known);
  EXPECT_GT(known.counts.crashes, 0U);
  EXPECT_NE(known.hash, untouched);

  const std::vector<Intervention> all = std::exchange(options.interventions, {});
  Player player(options);
  for (const Intervention& one : all) {
    player.advance(one.timeUs, UINT64_MAX, UINT64_MAX);
    player.intervene(one);
  }
  player.advance(UINT64_MAX, UINT64_MAX, UINT64_MAX);
  EXPECT_EQ(player.report(), toJson(known));
}

TEST(SimPlayer, InterventionsThatDoNotFitChangeNothingButTheHash) {
  Options options;
  options.seed = 3;
  options.scenario = "copy";
  options.interventions = *parseInterventions("1000:clock-jump:0,2000:feed-lost:3,3000:crash:200,59000000:crash:0");
  const Report report = run(options);
  EXPECT_TRUE(report.ok()) << toText(report);
}

TEST(SimPlayer, ParsesWhatIsDoneByHand) {
  const auto all = parseInterventions("200:crash:1,100:rate:bit-rot:77,150:sabotage:no-dedupe");
  ASSERT_TRUE(all.has_value() && all->size() == 3U);
  EXPECT_EQ(all->at(0).timeUs, 100U);
  EXPECT_EQ(all->at(0).amount, 77U);
  EXPECT_EQ(all->at(2).amount, 2'000U);
  for (const char* wrong : {"x", "1", "1:", "1:crash", "1:crash:", "1:crash:s0", "1:boil:0",
                            "1:crash:0:60001", "1:rate:rain:1", "1:rate:drop:1000001", ",", "-1:crash:0", "1:sabotage:x", "1:crash:0:1:1"}) {
    EXPECT_FALSE(parseInterventions(wrong)) << wrong;
  }
}

// Whoever breaks things at any moment finds no promise broken: it is in the model.
TEST(SimPlayer, PromisesHoldWhateverIsDoneByHand) {
  for (uint64_t seed = 1; seed <= KEYHAUL_SIM_SEEDS / 20; ++seed) {
    Prng prng(seed, "hand");
    Options options;
    options.seed = seed;
    const auto list = scenarios();
    options.scenario = list[prng.below(list.size())].name;
    options.faults = prng.below(2) == 0 ? 0 : kAllFaults;
    std::string text;
    for (uint64_t i = prng.between(1, 12); i > 0; --i) {
      const auto& info = kInterventionInfos[prng.below(8)];
      text += (text.empty() ? "" : ",") + std::to_string(prng.below(70'000'000)) + ':' +
              std::string(info.name) + ':' + std::to_string(prng.below(6)) + ':' + std::to_string(prng.below(20'000));
    }
    options.interventions = *parseInterventions(text);
    const Report report = run(options);
    EXPECT_TRUE(report.ok()) << toText(report) << options.scenario << " --do " << text;
  }
}

}  // namespace
}  // namespace keyhaul::sim
