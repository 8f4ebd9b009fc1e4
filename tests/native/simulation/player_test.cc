// Watching, stopping, stepping and breaking by hand do not change what happens (D5), and what is
// done by hand is input like any other.
#include "player.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
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
      "6000000:mute:1,7000000:pause:3:500,8000000:clock-jump:3,9000000:disk-full:2,9500000:feed-lost:0,"
      "10000000:part:0-3:700,10500000:one-way:3-2:400,11000000:torn:3:600,12000000:torn:2,"
      "13000000:rate:reorder:900000,14000000:rival:3,15000000:zone-loss:0:400");
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
  const auto two = parseInterventions("5:one-way:2-7:900");
  ASSERT_TRUE(two.has_value());
  EXPECT_EQ(two->at(0).which, (2U << 16) | 7U);
  EXPECT_EQ(two->at(0).amount, 900U);
  for (const char* wrong : {"x", "1", "1:", "1:crash", "1:crash:", "1:crash:s0", "1:boil:0",
                            "1:crash:0:60001", "1:rate:rain:1", "1:rate:drop:1000001", ",", "-1:crash:0", "1:sabotage:x", "1:crash:0:1:1",
                            "1:part:1", "1:part:1-", "1:part:1-1", "1:part:1-2-3", "1:one-way:-1", "1:part:1-2:60001"}) {
    EXPECT_FALSE(parseInterventions(wrong)) << wrong;
  }
}

// One thing done by hand in a run where nothing else fails: what the views, the marks and the report
// say of it.
std::string after(const char* scenario, uint64_t seed, const char* list) {
  Options options;
  options.seed = seed;
  options.scenario = scenario;
  options.faults = 0;
  options.interventions = *parseInterventions(list);
  Player player(options);
  std::string told;
  player.advance(options.interventions.front().timeUs + 300'000, UINT64_MAX, UINT64_MAX);
  told += player.view();
  player.advance(UINT64_MAX, UINT64_MAX, UINT64_MAX);
  told += player.marks(0) + player.report();
  EXPECT_NE(told.find("\"violations\":[]"), std::string::npos) << list << told.substr(told.size() - 900);
  return told;
}

TEST(SimPlayer, PartsTwoNodesInBothDirectionsOrOne) {
  const std::string both = after("story", 1, "3000000:part:0-3:5000");
  EXPECT_NE(both.find("\"entries\":"), std::string::npos);
  EXPECT_NE(both.find("\"cutFrom\":[3]"), std::string::npos);
  EXPECT_NE(both.find("\"cutFrom\":[0]"), std::string::npos);
  EXPECT_NE(both.find("by hand: part s0 and keyhaul"), std::string::npos);
  const std::string one = after("story", 1, "3000000:one-way:3-0:5000");
  EXPECT_NE(one.find("\"cutFrom\":[0]"), std::string::npos);
  EXPECT_EQ(one.find("\"cutFrom\":[3]"), std::string::npos);
}

TEST(SimPlayer, TearsAWriteAndResumesFromWhatStands) {
  const std::string mover = after("story", 1, "3000000:torn:3:800");
  EXPECT_NE(mover.find("keyhaul dies"), std::string::npos);
  EXPECT_NE(mover.find("resumes from its journal"), std::string::npos);
  EXPECT_NE(after("story", 1, "3000000:torn:2:800").find("s2 dies"), std::string::npos);
}

TEST(SimPlayer, LosesAZoneWithAllItsStoresAndNothingElse) {
  const std::string lost = after("add-node", 1, "3000000:zone-loss:1:800");
  for (const char* dead : {"\"s0\",\"up\":0", "\"s1\",\"up\":0", "\"s2\",\"up\":1", "\"s3\",\"up\":1", "\"keyhaul\",\"up\":1", "\"register\",\"up\":1"}) {
    EXPECT_NE(lost.find(dead), std::string::npos) << dead;
  }
  EXPECT_NE(lost.find("by hand: zone-loss s1"), std::string::npos);
  // What is in no zone loses none: the coordinator, and a store where there are no zones.
  for (const auto& [scenario, list] : {std::pair{"add-node", "3000000:zone-loss:5:800"}, {"story", "3000000:zone-loss:0:800"}}) {
    EXPECT_EQ(after(scenario, 1, list).find("\"up\":0"), std::string::npos) << list;
  }
}

TEST(SimPlayer, TellsWhatAStoreHoldsAndHowMuchItIsWritten) {
  Options options;
  options.scenario = "hot-range";
  options.faults = 0;
  Player player(options);
  uint64_t most = 0;
  for (uint64_t second = 1; second <= 5; ++second) {
    player.advance(second * 1'000'000 - 1, UINT64_MAX, UINT64_MAX);
    const std::string view = player.view();
    const auto numberAt = [&view](const char* name, size_t from) {
      return std::strtoull(view.c_str() + view.find(name, from) + std::string_view(name).size(), nullptr, 10);
    };
    const size_t first = view.find("\"s0\""), other = view.find("\"s1\"");
    EXPECT_GT(numberAt("\"bytes\":", first), numberAt("\"entries\":", first) * 12);
    // Four of five requests are for a range of the first.
    most += numberAt("\"load\":", first) > 2 * numberAt("\"load\":", other) ? 1U : 0U;
  }
  EXPECT_GE(most, 4U);
}

TEST(SimPlayer, ASecondCoordinatorTakesUpTheWork) {
  const std::string live = after("live", 3, "1000:rival:3");
  EXPECT_NE(live.find("by hand: rival"), std::string::npos);
  size_t movers = 0;
  for (size_t at = 0; (at = live.find("\"kind\":\"mover\"", at)) != std::string::npos; ++at) ++movers;
  EXPECT_EQ(movers, 2U);
}

// Columns are looked at and change nothing; rows cover the key space once, and every acknowledged
// write is counted in one of them.
TEST(SimPlayer, MapsKeysByTime) {
  for (const char* scenario : {"story", "many", "live-group", "live-pingpong"}) {
    Options options;
    options.seed = 2;
    options.scenario = scenario;
    options.untilUs = 20'000'000;
    Player player(options);
    const std::string rows = player.rows();
    const auto count = static_cast<size_t>(std::count(rows.begin(), rows.end(), '{'));
    EXPECT_GE(count, 2U) << scenario;
    EXPECT_LE(count, 64U) << scenario;
    uint64_t counted = 0, last = 0;
    while (player.view().find("\"ended\":1") == std::string::npos) {
      player.advance(last += 250'000, UINT64_MAX, UINT64_MAX);
      const std::string column = player.column();
      const size_t owners = column.find("\"owners\":\"") + 10;
      EXPECT_EQ(column.find('"', owners) - owners, count) << column;
      const char* at = column.c_str() + column.find("\"writes\":[") + 10;
      for (size_t i = 0; i < count; ++i) counted += std::strtoull(at, const_cast<char**>(&at), 10), ++at;
    }
    const Report whole = run(options);
    EXPECT_EQ(player.report(), toJson(whole)) << scenario;
    EXPECT_EQ(counted, whole.counts.clientAcks) << scenario;
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
      const auto& info = kInterventionInfos[prng.below(std::size(kInterventionInfos))];
      std::string which = std::to_string(prng.below(6)), amount = std::to_string(prng.below(20'000));
      if (info.argument == InterventionArgument::kSabotage) continue;
      if (info.argument == InterventionArgument::kNodes) which += '-' + std::to_string(6 + prng.below(3));
      if (info.argument == InterventionArgument::kFault) {
        const FaultInfo& fault = kFaultInfos[prng.below(kFaultKinds)];
        which = fault.name;
        amount = std::to_string(prng.below(fault.maxRate));
      }
      text += (text.empty() ? "" : ",") + std::to_string(prng.below(70'000'000)) + ':' +
              std::string(info.name) + ':' + which + ':' + amount;
    }
    options.interventions = *parseInterventions(text);
    const Report report = run(options);
    EXPECT_TRUE(report.ok()) << toText(report) << options.scenario << " --do " << text;
  }
}

}  // namespace
}  // namespace keyhaul::sim
