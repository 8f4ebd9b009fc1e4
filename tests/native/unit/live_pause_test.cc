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

// What it took at a rate that was set for the copy is paid for when the target serves.
TEST(LivePause, ARateDoesNotLengthenIt) {
  const auto pauseUs = [](uint64_t bytesPerSecond) {
    LiveWorld world(LiveOptions{});
    world.start(world.plan());
    for (int i = 0; i < 20'000 && world.state() != MigrationState::kApproaching; ++i) world.tick();
    world.setRate(bytesPerSecond);
    for (int i = 0; i < 20'000 && world.state() != MigrationState::kRedirecting; ++i) world.tick();
    const uint64_t us = world.view().live->forecast.us;
    world.setRate(0);
    EXPECT_TRUE(world.run());
    EXPECT_EQ(world.state(), MigrationState::kDone);
    EXPECT_EQ(world.receipt()->totals.postponed, 0U);
    return us;
  };
  EXPECT_LE(pauseUs(100), 3 * pauseUs(0));
}

}  // namespace
}  // namespace keyhaul::test
