// Live migrations: nothing acknowledged is lost, whoever dies when.
#include <gtest/gtest.h>

#include "support/live_world.h"

namespace keyhaul::test {
namespace {

TEST(Live, MovesEverythingWhileClientsWrite) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    LiveOptions options;
    options.seed = seed;
    options.readFence = seed % 2 == 0;
    LiveWorld world(options);
    world.start(world.plan());
    ASSERT_TRUE(world.run()) << "seed " << seed << " stands in " << stateName(world.state());
    ASSERT_EQ(world.state(), MigrationState::kDone) << "seed " << seed << " " << errorName(world.error());
    ASSERT_EQ(world.checkEnd(), "") << "seed " << seed;
    const Receipt receipt = *world.receipt();
    EXPECT_TRUE(receipt.verified);
    EXPECT_EQ(receipt.level, GuaranteeLevel::kL4);
    EXPECT_GT(receipt.totals.pauseUs, 0U);
    EXPECT_LE(receipt.totals.pauseUs, 1'000'000U);
    EXPECT_GT(world.acknowledged(), 50U);
  }
}

TEST(Live, ACancelLeavesTheSourceServingAndTheTargetEmpty) {
  for (uint64_t seed = 1; seed <= 120; ++seed) {
    LiveOptions options;
    options.seed = seed;
    LiveWorld world(options);
    world.start(world.plan());
    for (uint64_t i = 0; i < seed; ++i) world.tick();
    world.cancel();
    ASSERT_TRUE(world.run()) << "seed " << seed << " stands in " << stateName(world.state());
    ASSERT_EQ(world.checkEnd(), "") << "seed " << seed;
  }
}

TEST(Live, LosesNothingWhereAnswersAreLostAndCallsComeTwice) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    LiveOptions options;
    options.seed = seed;
    options.losesAnswers = true;
    LiveWorld world(options);
    world.start(world.plan());
    ASSERT_TRUE(world.run()) << "seed " << seed << " stands in " << stateName(world.state());
    ASSERT_EQ(world.state(), MigrationState::kDone) << "seed " << seed << " " << errorName(world.error());
    ASSERT_EQ(world.checkEnd(), "") << "seed " << seed;
  }
}

TEST(Live, LosesNothingWhereMoversAndStoresCrash) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    LiveOptions options;
    options.seed = seed;
    options.losesAnswers = true;
    options.crashMoverEvery = 40;
    options.crashStoreEvery = 50;
    options.zombies = seed % 2 == 0;
    LiveWorld world(options);
    world.start(world.plan());
    ASSERT_TRUE(world.run()) << "seed " << seed << " stands in " << stateName(world.state()) << ": "
                             << world.violation();
    ASSERT_EQ(world.checkEnd(), "") << "seed " << seed << " " << stateName(world.state());
    ASSERT_EQ(world.state(), MigrationState::kDone) << "seed " << seed << " " << errorName(world.error());
  }
}

// Every single effect of a small run is the last one of its mover.
TEST(Live, SurvivesACrashAtEveryEffect) {
  LiveOptions options;
  options.seed = 5;
  options.keys = 20;
  LiveWorld whole(options);
  whole.start(whole.plan());
  ASSERT_TRUE(whole.run());
  const uint64_t effects = whole.effects();
  ASSERT_GT(effects, 20U);
  for (uint64_t at = 1; at <= effects; ++at) {
    for (uint64_t again : {0U, 1U, 2U, 3U, 5U, 8U, 13U}) {
      options.crashAtEffect = at;
      options.crashAgainAfter = again;
      LiveWorld world(options);
      world.start(world.plan());
      ASSERT_TRUE(world.run()) << at << " stands in " << stateName(world.state()) << world.violation();
      ASSERT_EQ(world.checkEnd(), "") << "crash at " << at << " and " << again << " later";
      ASSERT_EQ(world.state(), MigrationState::kDone) << at << " " << errorName(world.error());
    }
  }
}

// Whoever only has to clean up says of the move what the one before knew of it.
TEST(Live, AResumedOneKnowsThatItWasVerified) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    LiveOptions options;
    options.seed = seed;
    LiveWorld world(options);
    world.start(world.plan());
    bool cleaning = false;
    world.fault = [&cleaning](const Action& action) {
      cleaning = cleaning || action.cleanUp;
      return ErrorCode::kOk;
    };
    for (int i = 0; i < 20'000 && !cleaning; ++i) world.tick();
    ASSERT_TRUE(cleaning) << "seed " << seed << " stands in " << stateName(world.state());
    world.crashMover();
    ASSERT_TRUE(world.run()) << "seed " << seed << " stands in " << stateName(world.state());
    ASSERT_EQ(world.state(), MigrationState::kDone);
    EXPECT_TRUE(world.receipt()->verified) << "seed " << seed;
    EXPECT_GT(world.receipt()->target.entries, 0U);
    ASSERT_EQ(world.checkEnd(), "") << "seed " << seed;
  }
}

// Without a journal, and before anything was claimed, there is nothing to wait for.
TEST(Live, ARegisterThatIsAwayFromTheStartEndsIt) {
  LiveOptions options;
  LiveWorld world(options);
  world.fault = [](const Action& action) {
    return action.kind == ActionKind::kRegisterRead ? ErrorCode::kRegisterFailed : ErrorCode::kOk;
  };
  Plan plan = world.plan();
  plan.durable = false;
  world.start(plan, false);
  ASSERT_TRUE(world.run(60'000)) << "stands in " << stateName(world.state());
  EXPECT_EQ(world.state(), MigrationState::kFailed);
  EXPECT_EQ(world.error(), ErrorCode::kRegisterFailed);
  EXPECT_EQ(world.checkEnd(), "");
}

}  // namespace
}  // namespace keyhaul::test
