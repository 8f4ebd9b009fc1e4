// The checkers are checked: every bug that is put in on purpose is found, every oracle finds one by
// itself, and the tables of core/sim/README.md say how soon.
#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <string>
#include <vector>

#include "oracles/oracles.h"
#include "scenario.h"
#include "simulation.h"
#include "support/readme_table.h"
#include "world.h"

namespace keyhaul::sim {
namespace {

using test::Row;
using test::tableOfTheSimulator;

constexpr uint64_t kSeeds = KEYHAUL_SIM_SEEDS;
constexpr uint64_t kSeedsMax = 1'000;

const std::vector<Row>& sabotages() {
  static const auto rows = tableOfTheSimulator("| sabotage | first seed | found in | by, first | and by |");
  return rows;
}

uint64_t numberOf(const std::string& text) {
  uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

class EverySabotage : public testing::TestWithParam<uint32_t> {};

TEST_P(EverySabotage, IsFoundFirstWhereTheTableSays) {
  Options options;
  options.sabotage = static_cast<Sabotage>(GetParam());
  options.scenario = scenarioOf(options.sabotage);
  if (kSeeds < kSeedsMax && isOfLive(options.sabotage)) GTEST_SKIP() << "takes too long with sanitizers";
  const std::string name(sabotageName(options.sabotage));
  const auto row = std::find_if(sabotages().begin(), sabotages().end(), [&](const Row& r) { return r[0] == name; });
  ASSERT_NE(row, sabotages().end()) << name << " is not in the table of core/sim/README.md";
  for (options.seed = 1; options.seed <= kSeedsMax; ++options.seed) {
    const Report report = runAgainstHonest(options);
    if (report.ok()) continue;
    const Row found{name, std::to_string(options.seed), (*row)[2], report.violations.front().oracle, otherOracles(report)};
    EXPECT_EQ(found, *row) << "keyhaul_sim --check-sabotage --seeds 1..200 prints the table";
    return;
  }
  ADD_FAILURE() << name << " was not found";
}

INSTANTIATE_TEST_SUITE_P(Simulation, EverySabotage, testing::Range(1U, kSabotages),
                         [](const auto& param) {
                           std::string name(kSabotageInfos[param.param].name);
                           std::erase(name, '-');
                           return name;
                         });

TEST(Sabotage, HalfOfThemAreFoundWithinFiftySeeds) {
  std::vector<uint64_t> ofCopies, ofLive;
  for (const Row& row : sabotages()) {
    ASSERT_EQ(row.size(), 5U) << row[0];
    const auto sabotage = parseSabotage(row[0]);
    ASSERT_TRUE(sabotage) << row[0];
    (isOfLive(*sabotage) ? ofLive : ofCopies).push_back(numberOf(row[1]));
  }
  EXPECT_EQ(ofCopies.size() + ofLive.size() + 1, kSabotages);
  for (std::vector<uint64_t>* seeds : {&ofCopies, &ofLive}) {
    std::sort(seeds->begin(), seeds->end());
    EXPECT_GT(seeds->front(), 0U);
    EXPECT_LE((*seeds)[seeds->size() / 2], 50U);
    EXPECT_LE(seeds->back(), kSeedsMax);
  }
}

// Names of the oracles that judge worlds of this kind.
std::set<std::string> oraclesOf(std::initializer_list<const char*> scenarios) {
  std::set<std::string> names;
  for (const char* scenario : scenarios) {
    Options options;
    options.scenario = scenario;
    World world(options);
    addOracles(world);
    for (const auto& oracle : world.oracles()) names.emplace(oracle->name());
  }
  return names;
}

TEST(EveryOracle, FindsSomethingAlone) {
  if (kSeeds < kSeedsMax) GTEST_SKIP() << "takes too long with sanitizers";
  std::set<std::string> left[] = {oraclesOf({"swarm", "versioned"}), oraclesOf({"live-swarm", "live-shared"})};
  // What no host can bring about, only the engine; oracles_test.cc shows them what they look for.
  for (auto& names : left) EXPECT_EQ(names.erase("edges"), 1U);
  for (const Row& row : tableOfTheSimulator("| oracle | scenario | sabotage | first seed |")) {
    ASSERT_EQ(row.size(), 4U) << row[0];
    Options options;
    options.oracle = row[0];
    options.scenario = row[1];
    ASSERT_NE(findScenario(options.scenario), nullptr) << options.scenario;
    const auto sabotage = parseSabotage(row[2]);
    ASSERT_TRUE(sabotage) << row[2];
    options.sabotage = *sabotage;
    EXPECT_EQ(left[isLive(options.scenario) ? 1 : 0].erase(row[0]), 1U) << row[0];
    for (options.seed = 1; options.seed <= kSeedsMax; ++options.seed) {
      if (!runAgainstHonest(options).ok()) break;
    }
    EXPECT_EQ(options.seed, numberOf(row[3])) << row[0] << " by " << row[2];
  }
  for (const auto& names : left) {
    for (const std::string& name : names) ADD_FAILURE() << name << " finds nothing";
  }
}

TEST(WhatWentWrongElsewhere, IsPutInOrItIsSaidWhyNot) {
  const std::vector<Row> rows = tableOfTheSimulator("| row | what went wrong | put in as |");
  ASSERT_EQ(rows.size(), 15U);
  for (size_t i = 0; i < rows.size(); ++i) {
    ASSERT_EQ(rows[i].size(), 3U);
    EXPECT_EQ(rows[i][0], std::to_string(i + 1));
    const std::string& as = rows[i][2];
    if (as.rfind("not here, because ", 0) == 0) continue;
    size_t named = 0;
    for (size_t at = as.find('`'); at != std::string::npos; ++named) {
      const size_t end = as.find('`', at + 1);
      ASSERT_NE(end, std::string::npos) << as;
      const std::string name = as.substr(at + 1, end - at - 1);
      EXPECT_TRUE(parseSabotage(name)) << name << " in row " << i + 1;
      at = as.find('`', end + 1);
    }
    EXPECT_GT(named, 0U) << as;
  }
}

}  // namespace
}  // namespace keyhaul::sim
