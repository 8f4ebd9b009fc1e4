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

// One that had no luck for a whole rung waits between rounds from there on, so that the next one compares what changed
// meanwhile; the short round after that, which is what a pause would be, comes without a wait.
TEST(LiveForecast, WhoWasOverBudgetForLongStillGetsToAShortRound) {
  uint32_t climbed = 0;
  uint64_t ticks = 0;
  std::vector<uint64_t> pauses;
  for (uint64_t seed = 1; seed <= 400; ++seed) {
    LiveOptions options;
    options.seed = seed;
    LiveWorld world(options);
    bool over = false;
    world.onNotice = [&over](const Notice& notice) { over = over || notice.error == ErrorCode::kNotConverging; };
    Plan plan = world.plan();
    plan.pauseBudgetMs = 120;  // of a hundred pauses here one takes longer than 78
    world.start(plan);
    while (!isFinal(world.state()) && !over) world.tick();
    climbed += over ? 1U : 0U;
    for (; !isFinal(world.state()); ++ticks) world.tick();
    ASSERT_EQ(world.state(), MigrationState::kDone) << "seed " << seed;
    pauses.push_back(world.receipt()->totals.pauseUs);
  }
  std::sort(pauses.begin(), pauses.end());
  std::printf("half of the pauses took %u ms, one of a hundred %u; %u of 400 were over budget for a rung, and took %u more ticks each\n",
              static_cast<unsigned>(pauses[200] / 1'000), static_cast<unsigned>(pauses[396] / 1'000), climbed,
              static_cast<unsigned>(ticks / std::max(climbed, 1U)));
  EXPECT_LE(pauses[396], 120'000U);
  EXPECT_GE(climbed, 3U);
  EXPECT_LE(ticks, uint64_t{climbed} * 1'000);
}

// What everybody waits for in the pause is what a round leaves, so there is another as long as that halves it.
TEST(LiveForecast, TheLastLookIsAFewKeysAfterALongOne) {
  uint64_t first = 0, last = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    LiveOptions options;
    options.seed = seed;
    options.keys = 400;
    options.tickMs = 1;
    options.opsPerTick = 1;
    options.valueBytes = 300;
    LiveWorld world(options);
    Plan plan = world.plan();
    plan.pageEntries = 4;  // many change while all are copied and compared
    plan.pageBytes = 1'024;  // and are read again a few at a time
    MigrationState state = MigrationState::kPending;
    bool looked = false, ended = false;  // the first time
    world.onState = [&](MigrationState now) { state = now; };
    world.seen = [&](const Action& action, const std::string&) {
      const bool approaches = state == MigrationState::kApproaching;
      ended = ended || (approaches && looked && action.kind == ActionKind::kPollFeed);
      if (action.kind != ActionKind::kRead || !world.isOfS(action)) return;
      looked = looked || approaches;
      if (approaches && !ended) first += action.count;
      if (state == MigrationState::kDraining) last += action.count;
    };
    world.start(plan);
    ASSERT_TRUE(world.run()) << "seed " << seed;
    ASSERT_EQ(world.state(), MigrationState::kDone) << "seed " << seed;
  }
  std::printf("first looks at %u keys, last ones at %u\n", static_cast<unsigned>(first), static_cast<unsigned>(last));
  EXPECT_LE(last * 5, first);
}

// The first round compares all that gathered while everything was compared.
TEST(PauseForecast, TakesOfALongRoundHowLongAnAnswerTook) {
  PauseForecast forecast;
  forecast.addRound(500'000, 25'000, 100);
  // Four answers of 5 ms, three eighths of it, and for chance: those of one short round, of a hundred answers.
  EXPECT_EQ(forecast.us(0, 0), 20'000U * 11 / 8 + 1'600);
  EXPECT_EQ(forecast.us(0, 5'000), 115'000U * 11 / 8 + 9'200);  // and 19 of the 96 that its changes took
  EXPECT_EQ(forecast.us(0, 25'000), 500'000U * 11 / 8 + 40'000);
  EXPECT_EQ(forecast.us(0, 50'000), 1'000'000U * 11 / 8 + 80'000);
}

TEST(PauseForecast, ARoundOfFewAnswersIsWhatALastOneIs) {
  PauseForecast forecast;
  for (int i = 0; i < 20; ++i) forecast.addRound(1'000, 0, 1);  // nobody writes
  EXPECT_EQ(forecast.us(0, 0), 1'000U * 11 / 8 + 100);
  forecast.addRound(4'400, 20, 4);
  EXPECT_EQ(forecast.us(0, 20), 4'400U * 11 / 8 + 440);
  EXPECT_EQ(forecast.us(0, 40), 8'800U * 11 / 8 + 880);  // more at once than it had
}

TEST(PauseForecast, CountsCallsAsMostAreAndTwoAsTheSlowest) {
  PauseForecast forecast;
  forecast.addRound(500, 20, 4);
  forecast.addCall(3'000);
  forecast.addCall(1'000);
  EXPECT_EQ(forecast.us(4, 20), 14'500U * 11 / 8 + 2 * 500);
  forecast.ageCalls();
  EXPECT_EQ(forecast.us(4, 20), 7'500U * 11 / 8 + 2 * 500);
}

TEST(PauseForecast, ForgetsWhatIsOlderThanTwentyRounds) {
  PauseForecast forecast;
  forecast.addRound(90'000, 20, 4);
  for (int i = 0; i < 19; ++i) forecast.addRound(1'000, 20, 4);
  EXPECT_GT(forecast.us(0, 20), 90'000U);
  forecast.addRound(1'000, 20, 4);
  EXPECT_EQ(forecast.us(0, 20), 1'475U);
}

}  // namespace
}  // namespace keyhaul::test
