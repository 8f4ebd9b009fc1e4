// What a reverse window may cost those who write meanwhile, and how it ends: never by what went
// wrong with the store that is only kept.
#include <gtest/gtest.h>

#include "support/reverse_world.h"

namespace keyhaul::test {
namespace {

using enum MigrationState;

// The store that is kept takes less than the clients write, from `begin()` on.
struct Behind {
  explicit Behind(uint32_t windowMs) : world(options()) {
    world.onNotice = [this](const Notice& notice) {
      if (notice.kind == NoticeKind::kWarning && notice.error == ErrorCode::kNotConverging) ++warnings;
      if (notice.kind == NoticeKind::kThrottleWriters) asked.push_back(notice.perSecond);
    };
    world.start(windowed(world, windowMs));
  }
  bool begin() {
    if (!reaches(world, kReversible)) return false;
    world.setOpsPerTick(12);
    for (int i = 0; i < 6'000 && warnings < 5; ++i) world.tick();
    return warnings == 5 && world.state() == kReversible;
  }
  static LiveOptions options() {
    LiveOptions options;
    options.seed = 8;
    options.keys = 400;
    options.opsPerTick = 1;
    options.writesInFlightMax = 20;
    options.tickMs = 40;
    return options;
  }
  LiveWorld world;
  uint32_t warnings = 0;
  std::vector<uint64_t> asked;
};

TEST(LiveWindow, NobodyIsHeldBackForAStoreThatIsOnlyKept) {
  Behind run(3'600'000);
  ASSERT_TRUE(run.begin()) << run.warnings << " " << stateName(run.world.state());
  EXPECT_TRUE(run.asked.empty());
  // It has not caught up, and does not have to.
  ASSERT_TRUE(run.world.closeWindow().ok());
  ASSERT_TRUE(run.world.run(2'000)) << stateName(run.world.state());
  EXPECT_EQ(run.world.state(), kDone);
  EXPECT_FALSE(run.world.receipt()->reversed);
  EXPECT_TRUE(run.asked.empty());
  EXPECT_EQ(run.world.checkEnd(), "");
}

TEST(LiveWindow, ItsTimeEndsItHoweverFarTheOtherStoreIsBehind) {
  Behind run(400'000);
  ASSERT_TRUE(run.begin()) << run.warnings << " " << stateName(run.world.state());
  ASSERT_TRUE(run.world.run(10'000)) << stateName(run.world.state());
  EXPECT_EQ(run.world.state(), kDone);
  EXPECT_FALSE(run.world.receipt()->reversed);
  EXPECT_EQ(run.world.checkEnd(), "");
}

// Also where another process has to catch up before the window is open again.
TEST(LiveWindow, ItEndsWhereItIsNeverCaughtUp) {
  Behind run(60'000);
  ASSERT_TRUE(reaches(run.world, kReversible));
  run.world.setOpsPerTick(12);
  for (int i = 0; i < 50; ++i) run.world.tick();
  run.world.replace(std::string(run.world.journal()));
  ASSERT_TRUE(run.world.run(20'000)) << stateName(run.world.state());
  EXPECT_EQ(run.world.state(), kDone);
  EXPECT_TRUE(run.asked.empty());
  EXPECT_EQ(run.world.checkEnd(), "");
}

// Whoever wants back waits for it: then the writers are asked, and let go once it is withdrawn.
TEST(LiveWindow, WritersAreHeldBackForWhoeverGoesBack) {
  Behind run(3'600'000);
  ASSERT_TRUE(run.begin());
  ASSERT_TRUE(run.world.reverse().ok());
  for (int i = 0; i < 20'000 && run.asked.empty(); ++i) run.world.tick();
  ASSERT_EQ(run.asked.size(), 1U);
  EXPECT_GT(run.asked[0], 0U);
  size_t before = 0;
  run.world.onState = [&](MigrationState state) { before = state == kDiscarding ? run.asked.size() : before; };
  ASSERT_TRUE(run.world.closeWindow().ok());
  ASSERT_TRUE(run.world.run(2'000)) << stateName(run.world.state());
  EXPECT_EQ(run.world.state(), kDone);
  EXPECT_FALSE(run.world.receipt()->reversed);
  ASSERT_EQ(run.asked.size(), 2U);
  EXPECT_EQ(run.asked[1], 0U);
  EXPECT_EQ(before, 2U) << "not only at the very end";
  EXPECT_EQ(run.world.checkEnd(), "");
}

TEST(LiveWindow, KeepsToItsRateUntilSomebodyGoesBack) {
  LiveOptions options;
  options.seed = 4;
  options.keys = 400;
  options.tickMs = 40;
  options.valueBytes = 100;
  LiveWorld world(options);
  uint64_t bytes = 0;
  bool open = false;
  world.onState = [&open](MigrationState state) { open = state == kReversible; };
  world.seen = [&](const Action& action, const std::string& payload) {
    if (open && action.kind == ActionKind::kApply) bytes += payload.size();
  };
  world.start(windowed(world, 3'600'000));
  ASSERT_TRUE(reaches(world, kReversible));
  world.setRate(500);
  for (int i = 0; i < 2'500; ++i) world.tick();  // 100 s
  ASSERT_EQ(world.state(), kReversible);
  EXPECT_GT(bytes, 10'000U);
  EXPECT_LT(bytes, 100'000U);
  ASSERT_TRUE(world.reverse().ok());
  ASSERT_TRUE(reaches(world, kCleaning, 5'000)) << stateName(world.state());
  world.setRate(0);
  ASSERT_TRUE(world.run());
  EXPECT_EQ(world.state(), kDone);
  EXPECT_TRUE(world.receipt()->reversed);
  EXPECT_EQ(world.checkEnd(), "");
}

// finish() is said again by whoever does not know that it was heard. It never closes a window.
TEST(LiveWindow, OnlyItsOwnVerbClosesIt) {
  LiveOptions options;
  options.seed = 9;
  LiveWorld world(options);
  Plan plan = windowed(world);
  plan.follow = true;
  uint32_t refused = 0, times = 0;
  world.onState = [&](MigrationState state) {
    const bool closed = state == kCopying || state == kDeciding || state == kTurning;
    if (!closed) return;
    ++times;
    refused += world.closeWindow().code() == ErrorCode::kUnsupported ? 1U : 0U;
  };
  world.start(plan);
  for (int i = 0; i < 20'000 && world.state() != kApproaching; ++i) world.tick();
  world.finish();
  ASSERT_TRUE(reaches(world, kReversible));
  EXPECT_GE(times, 3U);
  EXPECT_EQ(refused, times);
  world.finish();
  world.replace(std::string(world.journal()));
  EXPECT_EQ(world.closeWindow().code(), ErrorCode::kUnsupported) << "nobody knows yet how it stands";
  world.finish();
  ASSERT_TRUE(reaches(world, kReversible));
  world.finish();
  for (int i = 0; i < 200; ++i) world.tick();
  ASSERT_EQ(world.state(), kReversible);
  // Whoever wanted back may think better of it.
  ASSERT_TRUE(world.reverse().ok());
  ASSERT_TRUE(world.closeWindow().ok());
  ASSERT_TRUE(world.run());
  EXPECT_EQ(world.state(), kDone);
  EXPECT_FALSE(world.receipt()->reversed);
  EXPECT_EQ(world.closeWindow().code(), ErrorCode::kAlreadyComplete);
  EXPECT_EQ(world.checkEnd(), "");
}

// A feed that nobody reads makes its store's log grow for ever.
TEST(LiveWindow, AFeedThatWasArmedForNothingIsClosed) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    LiveOptions options;
    options.seed = seed;
    LiveWorld world(options);
    uint32_t stops = 0;
    world.onState = [&](MigrationState state) {
      if (state == kDraining && ++stops <= 3) world.stop();
    };
    world.start(windowed(world, 300));
    ASSERT_TRUE(world.run()) << "seed " << seed << " stands in " << stateName(world.state());
    ASSERT_EQ(world.state(), kDone);
    ASSERT_EQ(world.checkEnd(), "") << "seed " << seed;
    EXPECT_GE(stops, 4U);
    EXPECT_GE(world.target().feedsOpened, 4U);
    EXPECT_GE(world.target().feedsClosed, world.target().feedsOpened) << "seed " << seed;
  }
}

TEST(LiveWindow, AStopWithoutAJournalDoesNotWaitForTheRegister) {
  LiveOptions options;
  LiveWorld world(options);
  bool away = false;
  world.onState = [&away](MigrationState state) { away = away || state == kTurning; };
  world.fault = [&away](const Action& action) {
    const bool asks = action.kind == ActionKind::kRegisterRead || action.kind == ActionKind::kRegisterSwap;
    return away && asks ? ErrorCode::kRegisterFailed : ErrorCode::kOk;
  };
  Plan plan = windowed(world);
  plan.durable = false;
  world.start(plan, false);
  ASSERT_TRUE(reaches(world, kTurning));
  world.autoResume = false;
  world.stop();
  ASSERT_TRUE(world.run(2'000)) << stateName(world.state());
  EXPECT_EQ(world.state(), kStopped);
  serves(world.target(), true);
}

// A bulk load: more keys change than are remembered. The way back costs one more comparison.
TEST(LiveWindow, MoreChangesThanAreRememberedAreComparedAnew) {
  for (const bool journal : {true, false}) {
    LiveOptions options;
    options.seed = 11;
    options.keys = 400;
    options.changedBytesMax = 4'000;
    options.opsPerTick = 20;
    options.writesInFlightMax = 60;
    LiveWorld world(options);
    world.quietClients = true;
    Plan plan = windowed(world, 3'600'000);
    plan.durable = journal;
    world.start(plan, journal);
    ASSERT_TRUE(reaches(world, kReversible));
    uint32_t warnings = 0;
    countWarnings(world, ErrorCode::kLimitExceeded, warnings);
    world.quietClients = false;
    for (int i = 0; i < 500; ++i) world.tick();
    world.setOpsPerTick(1);
    for (int i = 0; i < 5'000; ++i) world.tick();
    EXPECT_EQ(warnings, 1U) << "from there on there is no list";
    ASSERT_EQ(world.state(), kReversible) << errorName(world.error());
    bool compared = false;
    world.onState = [&compared](MigrationState state) { compared = compared || state == kVerifying; };
    ASSERT_TRUE(world.reverse().ok());
    ASSERT_TRUE(world.run()) << stateName(world.state());
    EXPECT_EQ(world.state(), kDone);
    EXPECT_TRUE(world.receipt()->reversed);
    EXPECT_TRUE(world.receipt()->verified);
    EXPECT_TRUE(compared);
    EXPECT_EQ(world.checkEnd(), "");
  }
}

// And while it goes back, before the fence and behind it.
TEST(LiveWindow, TooManyChangesOnTheWayBackOnlyDelayIt) {
  for (const MigrationState at : {kApproaching, kDraining}) {
    LiveOptions options;
    options.seed = 12;
    options.keys = 400;
    options.changedBytesMax = 20'000;
    options.opsPerTick = 1;
    options.writesInFlightMax = 60;
    LiveWorld world(options);
    Plan plan = windowed(world, 3'600'000);
    plan.pauseBudgetMs = 60'000;
    world.start(plan);
    ASSERT_TRUE(reaches(world, kReversible));
    uint32_t warnings = 0;
    countWarnings(world, ErrorCode::kLimitExceeded, warnings);
    ASSERT_TRUE(world.reverse().ok());
    bool flood = false;
    uint32_t times = 0;
    world.stall = [&flood](const Action& action) { return flood && (action.kind == ActionKind::kPollFeed || action.kind == ActionKind::kGate); };
    world.onState = [&](MigrationState state) {
      const MigrationState before = at == kDraining ? kFencing : kApproaching;
      flood = state == before && times++ == 0;
      world.setOpsPerTick(flood ? 60 : 1);
    };
    for (int i = 0; i < 100 && !flood; ++i) world.tick();
    ASSERT_TRUE(flood);
    for (int i = 0; i < 40 && flood; ++i) world.tick();
    flood = false;
    world.setOpsPerTick(1);
    ASSERT_TRUE(world.run()) << stateName(world.state());
    EXPECT_EQ(world.state(), kDone);
    EXPECT_TRUE(world.receipt()->reversed);
    EXPECT_TRUE(world.receipt()->verified);
    EXPECT_GT(warnings, 0U);
    EXPECT_EQ(world.checkEnd(), "");
  }
}

// The store that is kept is away for minutes, or says what cannot be: it is not emptied for that.
TEST(LiveWindow, AStoreThatIsAwayIsKept) {
  for (const bool journal : {true, false}) {
    for (const ErrorCode error : {ErrorCode::kStoreFailed, ErrorCode::kFrameVersion}) {
      if (!journal && retryClass(error) == RetryClass::kFatal) continue;  // nobody could go on
      LiveOptions options;
      options.seed = 13;
      options.tickMs = 40;
      LiveWorld world(options);
      Plan plan = windowed(world, 3'600'000);
      plan.durable = journal;
      world.start(plan, journal);
      ASSERT_TRUE(reaches(world, kReversible));
      bool away = true;
      uint32_t warnings = 0;
      countWarnings(world, error, warnings);
      world.autoResume = false;
      world.fault = [&away, error](const Action& action) {
        return away && action.kind == ActionKind::kApply ? error : ErrorCode::kOk;
      };
      for (int i = 0; i < 6'000; ++i) world.tick();
      EXPECT_GT(world.source().entries.size(), 0U);
      EXPECT_EQ(world.state() == kStopped, journal) << stateName(world.state());
      if (!journal) {
        EXPECT_GT(warnings, 10U);
      }
      serves(world.target(), true);
      away = false;
      if (journal) world.replace(std::string(world.journal()));
      ASSERT_TRUE(reaches(world, kReversible)) << stateName(world.state());
      ASSERT_TRUE(world.reverse().ok());
      ASSERT_TRUE(world.run());
      EXPECT_EQ(world.state(), kDone);
      EXPECT_TRUE(world.receipt()->reversed);
      EXPECT_TRUE(world.receipt()->verified);
      EXPECT_EQ(world.receipt()->windowError, ErrorCode::kOk);
      EXPECT_EQ(world.checkEnd(), "");
    }
  }
}

// A disk that is full for a moment: what stands in the journal is enough to go on from.
TEST(LiveWindow, AJournalThatFailsEndsNoWindow) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    LiveOptions options;
    options.seed = seed;
    LiveWorld world(options);
    world.start(windowed(world, 3'600'000));
    ASSERT_TRUE(reaches(world, kReversible));
    bool full = true;
    world.fault = [&full](const Action& action) {
      return full && action.kind == ActionKind::kJournal ? ErrorCode::kDiskFull : ErrorCode::kOk;
    };
    world.autoResume = false;
    if (seed % 2 == 0) {
      ASSERT_TRUE(world.reverse().ok());
    }
    ASSERT_TRUE(world.run()) << stateName(world.state());
    ASSERT_EQ(world.state(), kStopped);
    EXPECT_EQ(world.error(), ErrorCode::kJournalWriteFailed);
    EXPECT_GT(world.source().entries.size(), 0U);
    serves(world.target(), true);
    full = false;
    world.autoResume = true;
    world.replace(std::string(world.journal()));
    ASSERT_TRUE(reaches(world, kReversible)) << stateName(world.state());
    ASSERT_TRUE(world.reverse().ok());
    ASSERT_TRUE(world.run()) << stateName(world.state());
    EXPECT_TRUE(world.receipt()->reversed);
    EXPECT_EQ(world.checkEnd(), "") << "seed " << seed;
  }
}

// Somebody was told that it goes back, and it cannot any more: the receipt says why.
TEST(LiveWindow, ALostFeedOnTheWayBackIsNamed) {
  for (const bool again : {false, true}) {
    LiveOptions options;
    options.seed = 14;
    LiveWorld world(options);
    world.start(windowed(world));
    ASSERT_TRUE(reaches(world, kReversible));
    ASSERT_TRUE(world.reverse().ok());
    world.target().recording = false;
    world.target().trimmed = world.target().gate.head() + 1;
    bool died = !again;
    world.onState = [&](MigrationState state) {
      if (state != kReleasing || std::exchange(died, true)) return;
      world.stop();
    };
    ASSERT_TRUE(world.run()) << stateName(world.state());
    EXPECT_EQ(world.state(), kDone);
    EXPECT_FALSE(world.receipt()->reversed);
    EXPECT_EQ(world.receipt()->windowError, ErrorCode::kFeedPositionLost);
    EXPECT_EQ(world.checkEnd(), "");
  }
}

}  // namespace
}  // namespace keyhaul::test
