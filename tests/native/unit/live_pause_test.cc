// What stands between the fence and the activation, while writers wait.
#include <gtest/gtest.h>

#include "support/live_world.h"

namespace keyhaul::test {
namespace {

bool inPause(MigrationState state) {
  return state == MigrationState::kDraining || state == MigrationState::kReadFencing ||
         state == MigrationState::kDeciding || state == MigrationState::kActivating;
}

TEST(LivePause, NoRecordIsWrittenInIt) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    LiveOptions options;
    options.seed = seed;
    LiveWorld world(options);
    uint32_t inside = 0, outside = 0;
    world.fault = [&](const Action& action) {
      if (action.kind == ActionKind::kJournal) ++(inPause(world.state()) ? inside : outside);
      return ErrorCode::kOk;
    };
    world.start(world.plan());
    ASSERT_TRUE(world.run());
    ASSERT_EQ(world.state(), MigrationState::kDone);
    EXPECT_EQ(inside, 0U) << "seed " << seed;
    EXPECT_GT(outside, 3U);
    EXPECT_EQ(world.checkEnd(), "");
  }
}

// A register that is away must not keep the journal of one that is stopped from its end.
TEST(LivePause, AStopInItGetsItsRecord) {
  LiveWorld world(LiveOptions{});
  bool away = true, stopped = false;
  world.autoResume = false;
  world.fault = [&](const Action& action) {
    const bool decides = world.state() == MigrationState::kDeciding &&
                         (action.kind == ActionKind::kRegisterSwap ||
                          action.kind == ActionKind::kRegisterRead);
    return away && decides ? ErrorCode::kRegisterFailed : ErrorCode::kOk;
  };
  world.start(world.plan());
  for (int i = 0; i < 20'000 && world.state() != MigrationState::kStopped; ++i) {
    world.tick();
    if (world.state() == MigrationState::kDeciding && !stopped) {
      stopped = true;
      world.stop();
    }
  }
  EXPECT_EQ(world.state(), MigrationState::kStopped);
  away = false;
}

TEST(LivePause, ARateDoesNotLengthenIt) {
  const auto pauseUs = [](uint64_t bytesPerSecond) {
    LiveOptions options;
    options.opsPerTick = 2;
    LiveWorld world(options);
    world.start(world.plan());
    world.setRate(bytesPerSecond);
    EXPECT_TRUE(world.run());
    EXPECT_EQ(world.state(), MigrationState::kDone);
    return world.receipt()->totals.pauseUs;
  };
  // The figures of a world are drawn, so the two differ a little.
  EXPECT_LE(pauseUs(20'000), 2 * pauseUs(0));
}

}  // namespace
}  // namespace keyhaul::test
