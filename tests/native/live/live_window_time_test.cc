// When a reverse window ends where its process does not live as long, and what it holds meanwhile.
#include <gtest/gtest.h>

#include "support/reverse_world.h"

namespace keyhaul::test {
namespace {

using enum MigrationState;

constexpr uint32_t kWindowMs = 600'000;

LiveOptions options(uint64_t seed, bool wallClock) {
  LiveOptions options;
  options.seed = seed;
  options.wallClock = wallClock;
  return options;
}

// It is away for so long, and another process goes on.
void resumeAfter(LiveWorld& world, Duration away) {
  world.passTime(away);
  world.replace(std::string(world.journal()));
}

TEST(LiveWindowTime, WhatIsLeftOfItIsLeftToWhoeverResumes) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    LiveWorld world(options(seed, true));
    world.start(windowed(world, kWindowMs));
    ASSERT_TRUE(reaches(world, kReversible));
    for (int i = 0; i < 30; ++i) world.tick();
    for (const uint64_t minutes : {2U, 3U}) {
      const Duration before = world.view().live->reverseLeft;
      resumeAfter(world, seconds(60 * minutes));
      ASSERT_TRUE(reaches(world, kReversible)) << stateName(world.state());
      const Duration left = world.view().live->reverseLeft;
      // It is written down in whole milliseconds, rounded up.
      EXPECT_LE(left.us, before.us - 60'000'000 * minutes + 3'000);
      EXPECT_GT(left.us + 5'000'000, before.us - 60'000'000 * minutes);
    }
    ASSERT_TRUE(world.reverse().ok());
    ASSERT_TRUE(world.run());
    EXPECT_TRUE(world.receipt()->reversed);
    ASSERT_EQ(world.checkEnd(), "") << "seed " << seed;
  }
}

TEST(LiveWindowTime, OneThatIsOverIsClosedAtOnce) {
  for (const bool wants : {false, true}) {
    LiveWorld world(options(2, true));
    world.start(windowed(world, kWindowMs));
    ASSERT_TRUE(reaches(world, kReversible));
    for (int i = 0; i < 30; ++i) world.tick();  // until it is written down
    if (wants) {
      // Whoever was on the way back stays on it: that is in the journal.
      ASSERT_TRUE(world.reverse().ok());
      ASSERT_TRUE(reaches(world, kApproaching));
      for (int i = 0; i < 100; ++i) {
        const auto image = readJournal(std::as_bytes(std::span(world.journal())));
        if (image.ok() && image->reversing) break;
        world.tick();
      }
    }
    bool open = false;
    resumeAfter(world, milliseconds(kWindowMs));
    world.onState = [&open](MigrationState state) { open = open || state == kReversible; };
    ASSERT_TRUE(world.run(5'000)) << stateName(world.state());
    EXPECT_EQ(world.state(), kDone);
    EXPECT_EQ(world.receipt()->reversed, wants);
    EXPECT_FALSE(open);
    EXPECT_EQ(world.checkEnd(), "");
  }
}

// A host that does not know what time it is, or a journal of an earlier version.
TEST(LiveWindowTime, BeginsAnewWhereNobodyKnowsWhatTimeItIs) {
  LiveWorld world(options(3, false));
  world.start(windowed(world, kWindowMs));
  ASSERT_TRUE(reaches(world, kReversible));
  resumeAfter(world, milliseconds(2 * kWindowMs));
  ASSERT_TRUE(reaches(world, kReversible)) << stateName(world.state());
  EXPECT_GT(world.view().live->reverseLeft.us, 599'000'000U);
  ASSERT_TRUE(world.closeWindow().ok());
  ASSERT_TRUE(world.run());
  EXPECT_EQ(world.checkEnd(), "");
}

// A way back that is refused opens the window for its whole time, also for whoever resumes then.
TEST(LiveWindowTime, ARefusedWayBackBeginsItAnew) {
  LiveWorld world(options(4, true));
  bool lose = false;
  world.forgets = [&](const std::string&) { return lose; };
  world.start(windowed(world, kWindowMs));
  ASSERT_TRUE(reaches(world, kReversible));
  world.passTime(milliseconds(kWindowMs - 20'000));
  world.tick();
  ASSERT_EQ(world.state(), kReversible);
  lose = true;
  for (int i = 0; i < 50; ++i) world.tick();
  world.quietClients = true;
  ErrorCode refused = ErrorCode::kOk;
  world.onNotice = [&](const Notice& notice) {
    if (notice.kind == NoticeKind::kRefused) refused = notice.error;
  };
  ASSERT_TRUE(world.reverse().ok());
  for (int i = 0; i < 5'000 && refused == ErrorCode::kOk; ++i) world.tick();
  EXPECT_EQ(refused, ErrorCode::kVerifyMismatch);
  lose = false;
  for (int i = 0; i < 20; ++i) world.tick();
  resumeAfter(world, seconds(30));
  ASSERT_TRUE(reaches(world, kReversible)) << stateName(world.state());
  EXPECT_GT(world.view().live->reverseLeft.us, 500'000'000U);
  ASSERT_TRUE(world.closeWindow().ok());
  ASSERT_TRUE(world.run());
  EXPECT_EQ(world.checkEnd(), "");
}

// Who reverses is told that it cannot be, and who has the range.
TEST(LiveWindowTime, ALostFeedRefusesTheWayBack) {
  LiveWorld world(options(5, true));
  world.start(windowed(world, kWindowMs));
  ASSERT_TRUE(reaches(world, kReversible));
  uint32_t times = 0;
  world.onNotice = [&](const Notice& notice) {
    if (notice.kind != NoticeKind::kRefused) return;
    ++times;
    EXPECT_EQ(notice.error, ErrorCode::kFeedPositionLost);
    EXPECT_FALSE(world.isOfS(notice.node));
  };
  ASSERT_TRUE(world.reverse().ok());
  world.target().recording = false;
  world.target().trimmed = world.target().gate.head() + 1;
  ASSERT_TRUE(world.run());
  EXPECT_EQ(times, 1U);
  EXPECT_FALSE(world.receipt()->reversed);
  EXPECT_EQ(world.checkEnd(), "");
}

struct Slots {
  explicit Slots(uint8_t priority) : world(make()) {
    Plan plan = windowed(world, 3'600'000);
    plan.priority = priority;
    world.start(plan);
  }
  static LiveOptions make() {
    LiveOptions options;
    options.seed = 6;
    options.slots = 1;
    return options;
  }
  bool waitsForSlot() { return world.view().live->waitsFor == WaitsFor::kSlot; }
  LiveWorld world;
};

TEST(LiveWindowTime, AnOpenWindowHoldsNoSlot) {
  Slots run(128);
  LiveWorld& world = run.world;
  const MigrationId before = world.startBeside(0);
  for (int i = 0; i < 50; ++i) world.tick();
  EXPECT_EQ(world.stateOf(before), kPending);
  ASSERT_TRUE(reaches(world, kReversible));
  for (int i = 0; i < 5; ++i) world.tick();
  EXPECT_EQ(world.stateOf(before), kPreparing) << "it waits for a window of an hour";
  // The window is open and followed all the same.
  const uint64_t acknowledged = world.acknowledged();
  for (int i = 0; i < 200; ++i) world.tick();
  EXPECT_GT(world.acknowledged(), acknowledged);
  world.quietClients = true;
  for (int i = 0; i < 200; ++i) world.tick();
  EXPECT_EQ(world.source().entries, world.target().entries);
  ASSERT_TRUE(world.reverse().ok());
  for (int i = 0; i < 500; ++i) world.tick();
  EXPECT_EQ(world.state(), kReversible);
  EXPECT_TRUE(run.waitsForSlot());
  world.stop(before);
  ASSERT_TRUE(world.run()) << stateName(world.state());
  EXPECT_TRUE(world.receipt()->reversed);
  EXPECT_EQ(world.checkEnd(), "");
}

TEST(LiveWindowTime, WhoeverGoesBackWaitsByItsPriority) {
  for (const uint8_t priority : std::initializer_list<uint8_t>{50, 200}) {
    Slots run(priority);
    LiveWorld& world = run.world;
    ASSERT_TRUE(reaches(world, kReversible));
    for (int i = 0; i < 5; ++i) world.tick();
    const MigrationId runs = world.startBeside(100);
    for (int i = 0; i < 5; ++i) world.tick();
    const MigrationId waits = world.startBeside(128);
    ASSERT_TRUE(world.reverse().ok());
    for (int i = 0; i < 20; ++i) world.tick();
    ASSERT_TRUE(run.waitsForSlot());
    world.stop(runs);
    for (int i = 0; i < 20; ++i) world.tick();
    EXPECT_EQ(world.stateOf(waits) == kPending, priority > 128);
    EXPECT_EQ(run.waitsForSlot(), priority < 128);
    if (priority < 128) world.stop(waits);
    ASSERT_TRUE(world.run()) << stateName(world.state());
    EXPECT_TRUE(world.receipt()->reversed);
    EXPECT_EQ(world.checkEnd(), "");
  }
}

// One that thinks better of it holds nothing up, and neither needs a slot to end.
TEST(LiveWindowTime, AWindowIsClosedWithoutASlot) {
  Slots run(128);
  LiveWorld& world = run.world;
  ASSERT_TRUE(reaches(world, kReversible));
  for (int i = 0; i < 5; ++i) world.tick();
  const MigrationId first = world.startBeside(100);
  for (int i = 0; i < 5; ++i) world.tick();
  ASSERT_TRUE(world.reverse().ok());
  for (int i = 0; i < 20; ++i) world.tick();
  ASSERT_TRUE(run.waitsForSlot());
  ASSERT_TRUE(world.closeWindow().ok());
  ASSERT_TRUE(world.run()) << stateName(world.state());
  EXPECT_FALSE(world.receipt()->reversed);
  EXPECT_EQ(world.stateOf(first), kPreparing);
  EXPECT_EQ(world.checkEnd(), "");
  const MigrationId second = world.startBeside(100);
  world.stop(first);
  for (int i = 0; i < 5; ++i) world.tick();
  EXPECT_EQ(world.stateOf(second), kPreparing) << "a slot is kept for one that has ended";
}

// Not only what it applies: what it looks at again is read from both stores.
TEST(LiveWindowTime, RechecksKeepToTheRate) {
  LiveOptions options;
  options.seed = 4;
  options.keys = 50;
  options.opsPerTick = 1;
  options.tickMs = 40;
  options.valueBytes = 1'000;
  LiveWorld world(options);
  uint64_t reads = 0;
  bool open = false;
  world.onState = [&open](MigrationState state) { open = state == kReversible; };
  world.seen = [&](const Action& action, const std::string&) { reads += open && action.kind == ActionKind::kRead ? action.count : 0; };
  world.start(windowed(world, 3'600'000));
  ASSERT_TRUE(reaches(world, kReversible));
  // 1.25 puts a second, which leave less than half of the rate to look at them again; without a rate
  // each is read from both stores.
  world.setTickMs(400);
  world.setRate(2'000);
  for (int i = 0; i < 25; ++i) world.tick();
  reads = 0;
  for (int i = 0; i < 2'500; ++i) world.tick();  // 1,000 s
  ASSERT_EQ(world.state(), kReversible);
  EXPECT_GT(reads, 50U);
  EXPECT_LT(reads, 1'500U);
  world.setRate(0);
  reads = 0;
  for (int i = 0; i < 2'500; ++i) world.tick();
  EXPECT_GT(reads, 2'500U);
  world.setTickMs(40);
  world.setRate(2'000);
  ASSERT_TRUE(world.reverse().ok());
  ASSERT_TRUE(reaches(world, kCleaning, 5'000)) << stateName(world.state());
  world.setRate(0);
  ASSERT_TRUE(world.run());
  EXPECT_TRUE(world.receipt()->reversed);
  EXPECT_EQ(world.checkEnd(), "");
}

}  // namespace
}  // namespace keyhaul::test
