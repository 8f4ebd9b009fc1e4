// Ranges whose writers outrun their move, moved in parts.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/bytes.h"
#include "support/live_world.h"

namespace keyhaul::test {
namespace {

LiveOptions tooFast(uint64_t seed = 8) {
  LiveOptions options;
  options.seed = seed;
  options.keys = 400;
  options.opsPerTick = 12;
  options.writesInFlightMax = 20;
  options.tickMs = 40;
  return options;
}

Plan planOf(const LiveWorld& world, uint32_t splitMax) {
  Plan plan = world.plan();
  plan.pauseBudgetMs = 2'000;  // a call takes a tick or two, and a fence awaits what is under way
  plan.splitMax = splitMax;
  return plan;
}

// What a host does: the halves one after the other, each with a journal of its own.
struct Chain {
  explicit Chain(LiveWorld& w) : world(w) {
    world.autoResume = false;
    world.onNotice = [this](const Notice& notice) {
      if (notice.kind == NoticeKind::kState && notice.error != ErrorCode::kOk) text = world.textOf(notice);
    };
  }

  void move(Plan plan) {
    plan.claim[2] = static_cast<uint8_t>(++claims);
    plan.digestKey[0] = static_cast<std::byte>(claims);
    const uint32_t most = plan.splitMax;
    const size_t before = parts.size();
    world.start(plan);
    for (int i = 0; i < 20 && !isFinal(world.state()); ++i) {
      ASSERT_TRUE(world.run(100'000)) << stateName(world.state());
      if (world.state() == MigrationState::kStopped) {
        stopped = true;
        return;
      }
    }
    ASSERT_EQ(world.violation(), "");
    ASSERT_TRUE(world.receipt().has_value());
    const Receipt receipt = *world.receipt();
    if (receipt.splitAt.empty()) {
      parts.push_back(receipt);
      return;
    }
    // By the register and the journal: nothing has moved, and the halves are all of it.
    EXPECT_EQ(receipt.state, MigrationState::kFailed);
    EXPECT_EQ(readJournal(asBytes(world.journal()))->receipt->splitAt, receipt.splitAt);
    EXPECT_EQ(world.ownership().lookup(plan.ranges.front().lo)->owner, "S");
    EXPECT_TRUE(world.ownership().claims().empty());
    ++splits;
    auto [first, second] = splitPlan(plan, receipt.splitAt);
    move(first);
    if (stopped || testing::Test::HasFatalFailure()) return;
    second.splitMax = most - static_cast<uint32_t>(parts.size() - before);
    move(second);
  }

  LiveWorld& world;
  std::vector<Receipt> parts;
  uint32_t splits = 0, claims = 0;
  bool stopped = false;
  std::string text;  // of the last end
};

TEST(LiveSplit, WhatDoesNotConvergeIsMovedInPartsThatDo) {
  for (const uint64_t seed : {8U, 9U}) {
    LiveWorld world(tooFast(seed));
    Chain chain(world);
    Plan plan = planOf(world, 16);
    chain.move(plan);
    EXPECT_FALSE(chain.stopped) << errorName(world.error()) << " " << chain.text << " after " << chain.splits << " splits";
    EXPECT_GE(chain.parts.size(), 2U);
    EXPECT_LE(chain.parts.size(), 16U);
    for (const Receipt& part : chain.parts) {
      EXPECT_EQ(part.state, MigrationState::kDone);
      EXPECT_TRUE(part.verified);
      EXPECT_GT(part.totals.copiedEntries, 0U);
    }
    EXPECT_EQ(world.ownership().lookup("key1000")->owner, "T");
    EXPECT_EQ(world.checkEnd(), "");
  }
}

// The same writers, as today: it ends, and nothing has moved.
TEST(LiveSplit, WithoutItTheSameMoveDoesNotConverge) {
  LiveWorld world(tooFast());
  Chain chain(world);
  chain.move(planOf(world, 0));
  EXPECT_TRUE(chain.stopped);
  EXPECT_EQ(world.error(), ErrorCode::kNotConverging);
}

TEST(LiveSplit, NeverMoreOftenThanThePlanAllows) {
  LiveWorld world(tooFast());
  Chain chain(world);
  Plan plan = planOf(world, 2);
  chain.move(plan);
  EXPECT_EQ(chain.splits, 1U);
}

// Not even a pause for nothing would fit: a hundred parts would be no better.
TEST(LiveSplit, IsNotTriedWhereItCannotHelp) {
  LiveOptions options = tooFast();
  options.opsPerTick = 2;
  LiveWorld world(options);
  Chain chain(world);
  Plan plan = planOf(world, 16);
  plan.pauseBudgetMs = 10;
  chain.move(plan);
  EXPECT_TRUE(chain.stopped);
  EXPECT_EQ(chain.splits, 0U);
  EXPECT_EQ(world.error(), ErrorCode::kNotConverging);
  EXPECT_NE(chain.text.find("a split does not help"), std::string::npos) << chain.text;
}

// As one without: for five minutes it waits for a time at which it fits.
TEST(LiveSplit, WaitsForAQuieterTimeWhereItCannotBeSplit) {
  for (const uint32_t splitMax : {0U, 16U}) {
    LiveOptions options = tooFast();
    options.opsPerTick = 2;
    LiveWorld world(options);
    Plan plan = planOf(world, splitMax);
    plan.pauseBudgetMs = 60;  // no two calls of two ticks
    world.autoResume = false;
    uint32_t warnings = 0;
    world.onNotice = [&](const Notice& notice) {
      if (notice.kind == NoticeKind::kWarning && notice.error == ErrorCode::kNotConverging) ++warnings;
    };
    world.start(plan);
    // Priority, back-pressure, and the third is patience.
    for (int i = 0; i < 40'000 && warnings < 3; ++i) world.tick();
    ASSERT_EQ(warnings, 3U);
    for (int i = 0; i < 6'000; ++i) world.tick();  // four minutes
    ASSERT_EQ(stateName(world.state()), stateName(MigrationState::kApproaching)) << splitMax;
    world.setTickMs(1);
    ASSERT_TRUE(world.run(100'000));
    EXPECT_EQ(stateName(world.state()), stateName(MigrationState::kDone)) << splitMax << " " << errorName(world.error());
    EXPECT_EQ(world.checkEnd(), "");
  }
}

// Halves that no journal tells of nobody would find again: whenever it fails, a receipt says no more than it.
TEST(LiveSplit, IsInTheJournalBeforeItIsTold) {
  int givenUp = 0;
  {
    LiveWorld world(tooFast());
    world.autoResume = false;
    world.start(planOf(world, 16));
    for (; world.state() != MigrationState::kAborting; ++givenUp) world.tick();
  }
  uint32_t split = 0, stopped = 0;
  for (int since = givenUp - 40; since < givenUp + 2; since += since < givenUp - 4 ? 6 : 1) {
    LiveWorld world(tooFast());
    world.autoResume = false;
    // From then on its writes hang, and when it would be given up they fail.
    int at = 0;
    // The write that is awaited before it is given up lands after that.
    world.stall = [&](const Action& action) {
      const bool journal = action.kind == ActionKind::kJournal, apply = action.kind == ActionKind::kApply;
      return at >= since && ((journal && at < givenUp + 4) || (apply && at < givenUp + 8));
    };
    world.fault = [&](const Action& action) {
      return action.kind == ActionKind::kJournal && at >= since ? ErrorCode::kDiskFull : ErrorCode::kOk;
    };
    world.start(planOf(world, 16));
    for (; at < givenUp + 9; ++at) world.tick();
    ASSERT_TRUE(world.run(100'000)) << since;
    const auto image = readJournal(asBytes(world.journal()));
    ASSERT_TRUE(image.ok());
    const std::string told = world.receipt() ? world.receipt()->splitAt : "";
    EXPECT_EQ(told, image->aborting ? image->splitAt : "")
        << since - givenUp << " " << errorName(world.error()) << " " << stateName(world.state()) << ", journal " << stateName(image->state)
        << image->aborting << image->torn << " claims " << world.ownership().claims().size();
    ++(told.empty() ? stopped : split);
  }
  EXPECT_GT(split, 0U);
  EXPECT_GT(stopped, 0U);
}

// The mover dies at an effect once its journal has the key: whoever goes on from there ends with it.
TEST(LiveSplit, SurvivesACrashAtEveryEffectOfGivingUp) {
  LiveOptions options = tooFast();
  uint64_t from = 0, to = 0;
  {
    LiveWorld world(options);
    Plan plan = planOf(world, 16);
    world.autoResume = false;
    world.onState = [&](MigrationState state) {
      if (state == MigrationState::kAborting) from = world.effects();
    };
    world.start(plan);
    ASSERT_TRUE(world.run(100'000));
    ASSERT_EQ(world.state(), MigrationState::kFailed);
    to = world.effects();
  }
  ASSERT_GT(from, 0U);
  ASSERT_GT(to, from);
  for (uint64_t effect = from + 1; effect <= to; ++effect) {
    options.crashAtEffect = effect;
    LiveWorld world(options);
    const Plan plan = planOf(world, 16);
    world.autoResume = false;
    world.start(plan);
    ASSERT_TRUE(world.run(100'000)) << "effect " << effect;
    ASSERT_EQ(world.state(), MigrationState::kFailed) << "effect " << effect << " " << errorName(world.error());
    const auto image = readJournal(asBytes(world.journal()));
    ASSERT_TRUE(image.ok() && image->receipt.has_value()) << "effect " << effect;
    ASSERT_NE(image->receipt->splitAt, "") << "effect " << effect;
    ASSERT_TRUE(world.ownership().claims().empty());
    ASSERT_EQ(world.ownership().lookup("key1000")->owner, "S");
    ASSERT_EQ(world.checkEnd(), "") << "effect " << effect;
    if (effect % 16 != 0) continue;
    Chain chain(world);
    const auto [first, second] = splitPlan(plan, image->receipt->splitAt);
    chain.move(first);
    chain.move(second);
    ASSERT_EQ(world.ownership().lookup("key1000")->owner, "T") << "effect " << effect;
    ASSERT_EQ(world.checkEnd(), "") << "effect " << effect;
  }
}

// A pause that is over its budget five times, because so much changed: halves have half of it.
TEST(LiveSplit, IsTheEndOfPausesThatAreTooLongToo) {
  LiveWorld world(tooFast());
  Plan plan = planOf(world, 4);
  world.autoResume = false;
  world.setOpsPerTick(1);
  // Whatever was forecast, the last round takes its time.
  uint32_t fences = 0;
  bool isFenced = false;
  world.onState = [&](MigrationState state) {
    if (state == MigrationState::kFencing) ++fences;
    isFenced = state == MigrationState::kDraining;
  };
  world.stall = [&](const Action&) { return isFenced; };
  plan.pauseBudgetMs = 1'500;
  world.start(plan);
  ASSERT_TRUE(world.run(200'000)) << stateName(world.state());
  EXPECT_EQ(fences, 5U);
  EXPECT_EQ(world.state(), MigrationState::kFailed);
  EXPECT_EQ(world.error(), ErrorCode::kPauseBudget);
  ASSERT_TRUE(world.receipt().has_value());
  EXPECT_NE(world.receipt()->splitAt, "");
  EXPECT_EQ(world.receipt()->totals.postponed, 5U);
  EXPECT_EQ(world.ownership().lookup("key1000")->owner, "S");
  world.stall = {};
  const auto [first, second] = splitPlan(plan, world.receipt()->splitAt);
  uint8_t claim = 50;
  for (Plan half : {first, second}) {
    half.claim[0] = ++claim;
    world.start(half);
    ASSERT_TRUE(world.run(200'000));
    EXPECT_EQ(world.state(), MigrationState::kDone);
  }
  EXPECT_EQ(world.checkEnd(), "");
}

// Nothing changes, or one key is all that does.
TEST(LiveSplit, SaysWhyItCannotBe) {
  for (const bool quiet : {true, false}) {
    LiveOptions options = tooFast();
    if (!quiet) options.keys = 1;
    LiveWorld world(options);
    Plan plan = planOf(world, 4);
    plan.pauseBudgetMs = 1'500;
    world.autoResume = false;
    world.quietClients = quiet;
    world.setOpsPerTick(1);
    bool isFenced = false;
    world.onState = [&](MigrationState state) { isFenced = state == MigrationState::kDraining; };
    world.stall = [&](const Action&) { return isFenced; };
    std::string text;
    world.onNotice = [&](const Notice& notice) {
      if (notice.kind == NoticeKind::kState && notice.error != ErrorCode::kOk) text = world.textOf(notice);
    };
    world.start(plan);
    ASSERT_TRUE(world.run(200'000)) << stateName(world.state());
    EXPECT_EQ(world.error(), ErrorCode::kPauseBudget);
    ASSERT_TRUE(world.receipt().has_value());
    EXPECT_EQ(world.receipt()->splitAt, "");
    EXPECT_NE(text.find(quiet ? "no changes were seen" : "all changes that were seen are on one key"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace keyhaul::test
