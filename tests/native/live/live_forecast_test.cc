// The pause that is forecast before the fence, and the one that it was.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "migrate/pause_forecast.h"
#include "support/live_world.h"

namespace keyhaul::test {
namespace {

LiveOptions optionsOf(uint64_t seed) {
  LiveOptions options;
  options.seed = seed;
  options.keys = seed % 5 == 0 ? 400 : 40;
  options.opsPerTick = static_cast<uint32_t>(seed % 4);
  options.tickMs = seed % 3 == 0 ? 1 : 0;
  options.readFence = seed % 7 != 0;
  return options;
}

// With sanitizers each takes twenty times as long, and what they look for is in every one.
#if defined(__SANITIZE_ADDRESS__)
constexpr uint64_t kMoves = 80, kMovesWithABudget = 40;
#else
constexpr uint64_t kMoves = 800, kMovesWithABudget = 200;
#endif

TEST(LiveForecast, OfAHundredPausesOneIsLonger) {
  std::vector<double> ratios;
  uint32_t longer = 0;
  for (uint64_t seed = 1; seed <= kMoves; ++seed) {
    LiveWorld world(optionsOf(seed));
    Plan plan = world.plan();
    plan.pageEntries = world.source().entries.size() > 100 ? 100 : 8;
    if (seed % 6 == 5) plan.require = GuaranteeLevel::kL5;
    plan.follow = seed % 11 == 0;
    world.start(plan);
    for (int i = 0; i < 2'000 && plan.follow && !world.view().caughtUp; ++i) world.tick();
    for (int i = 0; i < 100 && plan.follow; ++i) world.tick();
    world.finish();
    ASSERT_TRUE(world.run()) << "seed " << seed;
    ASSERT_EQ(world.state(), MigrationState::kDone) << "seed " << seed;
    const Totals totals = world.receipt()->totals;
    ASSERT_GT(totals.pauseUs, 0U);
    longer += totals.pauseUs > totals.pauseForecastUs ? 1U : 0U;
    ratios.push_back(static_cast<double>(totals.pauseForecastUs) / static_cast<double>(totals.pauseUs));
  }
  std::sort(ratios.begin(), ratios.end());
  const double median = ratios[ratios.size() / 2];
  std::printf("%u of %zu pauses were longer than forecast; forecast / pause: least %.2f, median %.2f, p90 %.2f, most %.2f\n",
              longer, ratios.size(), ratios.front(), median, ratios[ratios.size() * 9 / 10], ratios.back());
  EXPECT_LE(longer * 100, std::max<size_t>(ratios.size(), 200));
  EXPECT_LE(median, 4.0);
}

// Steps of a millisecond: a budget of 50 is enough for pauses of 5 to 30, and is kept.
TEST(LiveForecast, ABudgetOf50MsLetsPausesOf5To30Pass) {
  uint32_t waited = 0;
  std::vector<uint64_t> pauses;
  for (uint64_t seed = 1; seed <= kMovesWithABudget; ++seed) {
    LiveOptions options = optionsOf(seed);
    options.tickMs = 1;
    LiveWorld world(options);
    Plan plan = world.plan();
    plan.pauseBudgetMs = 50;
    plan.pageEntries = 100;
    world.start(plan);
    bool waits = false;
    for (int i = 0; i < 20'000 && !isFinal(world.state()); ++i) {
      world.tick();
      waits = waits || world.view().live->waitsFor == WaitsFor::kShorterPause;
    }
    ASSERT_EQ(world.state(), MigrationState::kDone) << "seed " << seed;
    const Totals totals = world.receipt()->totals;
    EXPECT_EQ(totals.postponed, 0U) << "seed " << seed;
    EXPECT_LE(totals.pauseUs, 50'000U) << "seed " << seed;
    waited += waits ? 1U : 0U;
    pauses.push_back(totals.pauseUs);
  }
  std::sort(pauses.begin(), pauses.end());
  std::printf("%u of %zu waited for a shorter pause first; pauses of %.0f to %.0f ms, half of them %.0f or less\n", waited, pauses.size(),
              static_cast<double>(pauses.front()) / 1e3, static_cast<double>(pauses.back()) / 1e3,
              static_cast<double>(pauses[pauses.size() / 2]) / 1e3);
  EXPECT_GE(pauses.front(), 4'000U);
  EXPECT_LE(pauses.back(), 31'000U);
  EXPECT_LE(waited, pauses.size() / 5);
}

TEST(PauseForecast, ReckonsLongRoundsDownToWhatWaitsAndNotBelowTheQuickest) {
  PauseForecast forecast;
  for (int i = 0; i < 20; ++i) forecast.addRound(10'000, 1'000);
  EXPECT_EQ(forecast.us(0, 1'000), 14'750U);  // three eighths and a tenth for chance
  EXPECT_EQ(forecast.us(0, 2'000), 29'500U);
  EXPECT_EQ(forecast.us(0, 10), 14'750U);
  forecast.addRound(500, 20);
  EXPECT_EQ(forecast.us(0, 20), 737U);
  forecast.addCall(3'000);
  forecast.addCall(1'000);
  // Four of the mean, and two of the slowest.
  EXPECT_EQ(forecast.us(4, 20), 737U + 14'000 * 11 / 8);
  forecast.ageCalls();
  EXPECT_EQ(forecast.us(4, 20), 737U + 7'000 * 11 / 8);
}

TEST(PauseForecast, ForgetsWhatIsOlderThanTwentyRounds) {
  PauseForecast forecast;
  forecast.addRound(90'000, 20);
  for (int i = 0; i < 19; ++i) forecast.addRound(1'000, 20);
  EXPECT_GT(forecast.us(0, 20), 90'000U);
  forecast.addRound(1'000, 20);
  EXPECT_EQ(forecast.us(0, 20), 1'475U);
}

}  // namespace
}  // namespace keyhaul::test
