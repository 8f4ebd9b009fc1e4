// What was once found wrong in live migrations, and is mended.
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "support/live_world.h"

namespace keyhaul::test {
namespace {

TEST(LiveFindings, AJournalThatFailsIsNoFaultOfAStore) {
  LiveOptions options;
  LiveWorld world(options);
  world.autoResume = false;
  bool copying = false, told = false;
  world.onState = [&](MigrationState state) { copying = copying || state == MigrationState::kCopying; };
  world.onNotice = [&](const Notice& notice) {
    if (notice.kind != NoticeKind::kState || notice.error == ErrorCode::kOk) return;
    told = true;
    EXPECT_EQ(notice.error, ErrorCode::kJournalWriteFailed);
    EXPECT_FALSE(notice.node);
  };
  world.fault = [&](const Action& action) {
    return copying && action.kind == ActionKind::kJournal ? ErrorCode::kDiskFull : ErrorCode::kOk;
  };
  Plan plan = world.plan();
  plan.durable = false;
  world.start(plan);
  world.run();
  EXPECT_TRUE(told) << stateName(world.state()) << " " << errorName(world.error());
}

// Also of keys that lie apart: a batch of the feed has some of several.
TEST(LiveFindings, MovesRangesThatLieApart) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    LiveOptions options;
    options.seed = seed;
    options.losesAnswers = true;
    options.crashMoverEvery = 60;
    LiveWorld world(options);
    Plan plan = world.plan();
    plan.ranges.clear();
    for (int i = 1'000; i < 1'600; i += 2) {
      const std::string key = "key" + std::to_string(i);
      plan.ranges.push_back({key, Bound::at(key + "5")});
    }
    plan.lanes = 3;
    world.start(plan);
    ASSERT_TRUE(world.run()) << "seed " << seed << " stands in " << stateName(world.state());
    ASSERT_EQ(world.state(), MigrationState::kDone) << errorName(world.error());
    ASSERT_EQ(world.source().entries.count("key1000"), 0U);
    ASSERT_EQ(world.target().entries.count("key1001"), 0U);
    ASSERT_EQ(world.checkEnd(), "") << "seed " << seed;
  }
}

// Undoing goes on after a crash, and the outcome is that of the one who began it.
TEST(LiveFindings, AMismatchIsOneAlsoAfterACrash) {
  for (int after = 0; after < 60; after += 2) {
    LiveOptions options;
    options.seed = 2;
    LiveWorld world(options);
    bool draining = false, aborting = false;
    std::string lost;
    world.onState = [&](MigrationState state) {
      draining = state == MigrationState::kDraining;
      aborting = aborting || state == MigrationState::kAborting;
    };
    world.forgets = [&](const std::string& key) {
      if (!draining || (!lost.empty() && key != lost)) return false;
      lost = key;
      return world.quietClients = true;
    };
    world.start(world.plan());
    for (int i = 0; i < 5'000 && !aborting; ++i) world.tick();
    ASSERT_TRUE(aborting);
    // Known in the journal: before, it is found once more.
    const auto known = [&] {
      const auto image = readJournal(asBytes(world.journal()));
      return image.ok() && image->aborting;
    };
    for (int i = 0; i < 100 && !known(); ++i) world.tick();
    for (int i = 0; i < after && !isFinal(world.state()); ++i) world.tick();
    if (!isFinal(world.state())) world.crashMover();
    ASSERT_TRUE(world.run()) << after << " stands in " << stateName(world.state());
    ASSERT_EQ(world.state(), MigrationState::kMismatch) << after;
    EXPECT_EQ(world.receipt()->totals.changed, 1U) << after;
    EXPECT_FALSE(world.receipt()->verified);
    EXPECT_EQ(world.checkEnd(), "") << after;
  }
}

// Over its budget for good, and then a crash: not what somebody cancelled.
TEST(LiveFindings, AFailureIsOneAlsoAfterACrash) {
  LiveOptions options;
  options.seed = 2;
  LiveWorld world(options);
  bool draining = false, aborting = false;
  world.onState = [&](MigrationState state) {
    draining = state == MigrationState::kDraining;
    aborting = aborting || state == MigrationState::kAborting;
  };
  world.stall = [&](const Action& action) { return draining && action.kind == ActionKind::kPollFeed; };
  Plan plan = world.plan();
  plan.pauseBudgetMs = 300;
  world.start(plan);
  for (int i = 0; i < 20'000 && !aborting; ++i) world.tick();
  ASSERT_TRUE(aborting);
  for (int i = 0; i < 4; ++i) world.tick();
  world.crashMover();
  ASSERT_TRUE(world.run());
  EXPECT_EQ(world.state(), MigrationState::kFailed);
  EXPECT_EQ(world.error(), ErrorCode::kPauseBudget);
  EXPECT_EQ(world.checkEnd(), "");
}

// A stop does not wait for a store that is away; the next process does.
TEST(LiveFindings, AStopDoesNotWaitForAGate) {
  for (const GateVerb away : {GateVerb::kUnfence, GateVerb::kActivate, GateVerb::kRedirect, GateVerb::kDiscard}) {
    LiveOptions options;
    options.seed = 5;
    LiveWorld world(options);
    world.autoResume = false;
    bool isAway = true, asked = false, draining = false;
    world.onState = [&](MigrationState state) { draining = state == MigrationState::kDraining; };
    world.stall = [&](const Action& action) {
      return away == GateVerb::kUnfence && isAway && draining && action.kind == ActionKind::kPollFeed;
    };
    world.fault = [&](const Action& action) {
      if (!isAway || action.kind != ActionKind::kGate || action.verb != away) return ErrorCode::kOk;
      asked = true;
      return ErrorCode::kStoreFailed;
    };
    Plan plan = world.plan();
    plan.pauseBudgetMs = 100;
    world.start(plan);
    if (away == GateVerb::kDiscard) {
      for (int i = 0; i < 40; ++i) world.tick();
      world.cancel();
    }
    for (int i = 0; i < 20'000 && !asked; ++i) world.tick();
    ASSERT_TRUE(asked) << gateVerbName(away) << stateName(world.state());
    world.stop();
    ASSERT_TRUE(world.run(2'000)) << gateVerbName(away) << " stands in " << stateName(world.state());
    EXPECT_EQ(world.state(), MigrationState::kStopped) << gateVerbName(away);
    EXPECT_EQ(world.error(), ErrorCode::kInterrupted) << gateVerbName(away);
    isAway = false;
    world.autoResume = true;
    ASSERT_TRUE(world.run());
    EXPECT_EQ(world.state(), away == GateVerb::kDiscard ? MigrationState::kCancelled : MigrationState::kDone)
        << gateVerbName(away);
    EXPECT_EQ(world.checkEnd(), "") << gateVerbName(away);
  }
}

// One that was asked for behind the fence, while the source's gate is away.
TEST(LiveFindings, AStopBehindTheFenceDoesNotWaitForAGate) {
  LiveOptions options;
  options.seed = 5;
  LiveWorld world(options);
  world.autoResume = false;
  bool draining = false, isAway = true;
  world.onState = [&](MigrationState state) { draining = draining || state == MigrationState::kDraining; };
  world.fault = [&](const Action& action) {
    return isAway && action.kind == ActionKind::kGate && action.verb == GateVerb::kUnfence && draining
               ? ErrorCode::kStoreFailed : ErrorCode::kOk;
  };
  world.start(world.plan());
  for (int i = 0; i < 5'000 && !draining; ++i) world.tick();
  world.stop();
  ASSERT_TRUE(world.run(2'000)) << stateName(world.state());
  EXPECT_EQ(world.state(), MigrationState::kStopped);
  EXPECT_EQ(world.error(), ErrorCode::kInterrupted);
  isAway = false;
  world.autoResume = true;
  ASSERT_TRUE(world.run());
  EXPECT_EQ(world.state(), MigrationState::kDone);
  EXPECT_EQ(world.checkEnd(), "");
}

}  // namespace
}  // namespace keyhaul::test
