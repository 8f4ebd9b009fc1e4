// The reverse window of a live migration: whoever goes back loses nothing, and whoever does not
// is as if there had been no window.
#include <gtest/gtest.h>

#include <cstdlib>

#include "support/reverse_world.h"

namespace keyhaul::test {
namespace {

using enum MigrationState;

// KEYHAUL_LIVE_SEEDS=20000 looks at so many. Sanitizers make it twenty times slower.
uint64_t manySeeds() {
#ifdef __SANITIZE_ADDRESS__
  constexpr uint64_t kSeeds = 40;
#else
  constexpr uint64_t kSeeds = 400;
#endif
  const char* more = std::getenv("KEYHAUL_LIVE_SEEDS");
  return more == nullptr ? kSeeds : std::strtoull(more, nullptr, 10);
}

TEST(LiveReverse, GoesBackWithAllThatWasWrittenToTheTarget) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    LiveOptions options;
    options.seed = seed;
    options.readFence = seed % 2 == 0;
    LiveWorld world(options);
    world.start(windowed(world));
    ASSERT_TRUE(reaches(world, kReversible)) << "seed " << seed << " stands in " << stateName(world.state());
    serves(world.source(), false);
    EXPECT_EQ(world.source().gate.admitRead("key1001").owner, "T");
    serves(world.target(), true);
    EXPECT_EQ(world.view().live->waitsFor, WaitsFor::kReverse);
    EXPECT_GT(world.view().live->reverseLeft.us, 0U);
    const uint64_t before = world.acknowledged();
    for (int i = 0; i < 100; ++i) world.tick();
    EXPECT_GT(world.acknowledged(), before + 20) << "the target takes no writes";
    ASSERT_EQ(world.state(), kReversible);
    ASSERT_TRUE(world.reverse().ok());
    ASSERT_TRUE(world.run()) << "seed " << seed << " stands in " << stateName(world.state());
    ASSERT_EQ(world.state(), kDone) << "seed " << seed << " " << errorName(world.error());
    ASSERT_EQ(world.checkEnd(), "") << "seed " << seed;
    const Receipt receipt = *world.receipt();
    EXPECT_TRUE(receipt.reversed);
    EXPECT_TRUE(receipt.verified);
    EXPECT_LE(receipt.totals.pauseUs, 1'000'000U);
    EXPECT_EQ(receipt.staleReadsUs == 0, options.readFence);
    EXPECT_LE(receipt.staleReadsUs, 1'000'000U);
    EXPECT_GT(world.source().entries.size(), 0U);
    EXPECT_EQ(world.target().entries.size(), 0U);
  }
}

TEST(LiveReverse, AWindowThatEndsLeavesNothingBehind) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    LiveOptions options;
    options.seed = seed;
    LiveWorld world(options);
    const bool finished = seed % 2 == 0;
    world.start(windowed(world, finished ? 3'600'000 : 300));
    ASSERT_TRUE(reaches(world, kReversible)) << "seed " << seed << " stands in " << stateName(world.state());
    if (finished) {
      ASSERT_TRUE(world.closeWindow().ok());
    }
    ASSERT_TRUE(world.run()) << "seed " << seed << " stands in " << stateName(world.state());
    ASSERT_EQ(world.state(), kDone) << "seed " << seed << " " << errorName(world.error());
    ASSERT_EQ(world.checkEnd(), "") << "seed " << seed;
    EXPECT_FALSE(world.receipt()->reversed);
    EXPECT_TRUE(world.receipt()->verified);
    EXPECT_EQ(world.receipt()->windowError, ErrorCode::kOk);
    EXPECT_EQ(world.receipt()->totals.discardedEntries, 0U);
    EXPECT_GT(world.receipt()->totals.deletedEntries, 0U);
    EXPECT_EQ(world.source().gate.admitRead("key1001").owner, "T");
    EXPECT_EQ(world.source().entries.size(), 0U);
  }
}

// The source is kept: for as long as the window is open nobody takes anything off it, and what
// the target took comes to it.
TEST(LiveReverse, TheSourceIsKeptAsTheTargetIs) {
  LiveOptions options;
  options.seed = 3;
  LiveWorld world(options);
  world.start(windowed(world));
  ASSERT_TRUE(reaches(world, kReversible));
  for (int i = 0; i < 200; ++i) world.tick();
  world.quietClients = true;
  for (int i = 0; i < 200; ++i) world.tick();
  EXPECT_EQ(world.source().entries, world.target().entries);
  EXPECT_EQ(world.view().live->lagChanges, 0U);
  EXPECT_GT(world.acknowledged(), 200U);
}

TEST(LiveReverse, CanBeAskedForOnlyWhileTheWindowIsOpen) {
  LiveOptions options;
  options.seed = 2;
  LiveWorld world(options);
  world.start(windowed(world, 500));
  EXPECT_EQ(world.reverse().code(), ErrorCode::kUnsupported);
  bool cleaning = false;
  int refused = 0;
  world.onState = [&](MigrationState state) {
    if (state == kFencing || state == kRedirecting) refused += world.reverse().code() == ErrorCode::kUnsupported ? 1 : 0;
    cleaning = cleaning || state == kDiscarding;
  };
  ASSERT_TRUE(reaches(world, kReversible));
  for (int i = 0; i < 20'000 && !cleaning; ++i) world.tick();
  ASSERT_TRUE(cleaning);
  EXPECT_EQ(refused, 2);
  EXPECT_EQ(world.reverse().code(), ErrorCode::kUnsupported);
  ASSERT_TRUE(world.run());
  EXPECT_EQ(world.reverse().code(), ErrorCode::kAlreadyComplete);
  EXPECT_EQ(world.checkEnd(), "");

  LiveWorld without(options);
  without.start(without.plan());
  ASSERT_TRUE(reaches(without, kCleaning));
  EXPECT_EQ(without.reverse().code(), ErrorCode::kUnsupported);
}

TEST(LiveReverse, ACancelComesTooLate) {
  LiveOptions options;
  LiveWorld world(options);
  world.start(windowed(world, 500));
  ASSERT_TRUE(reaches(world, kReversible));
  world.cancel();
  ASSERT_TRUE(world.run());
  EXPECT_EQ(world.state(), kDone);
  EXPECT_FALSE(world.receipt()->reversed);
  EXPECT_EQ(world.checkEnd(), "");
}

// What is asked for and cannot be is refused before anything is done, with what is missing.
TEST(LiveReverse, IsRefusedWhereAStoreCannotDoIt) {
  LiveWorld world(LiveOptions{});
  Plan plan = windowed(world);
  plan.targetCapabilities.bits &= ~static_cast<uint32_t>(Capability::kFeed);
  plan.sourceCapabilities.bits &= ~static_cast<uint32_t>(Capability::kActivate);
  PlanProblem problem;
  EXPECT_EQ(validatePlan(plan, &problem).code(), ErrorCode::kLevelNotMet);
  EXPECT_EQ(problem.missing, static_cast<uint32_t>(Capability::kFeed) | static_cast<uint32_t>(Capability::kActivate));
  plan.reverseWindowMs = 0;
  EXPECT_TRUE(validatePlan(plan).ok());
  plan = windowed(world, kReverseWindowMsMax + 1);
  EXPECT_EQ(validatePlan(plan, &problem).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(problem.field, "reverseWindowMs");
}

// Without a journal too; and where nobody can go on, the window ends with whoever is stopped.
TEST(LiveReverse, AStopWithoutAJournalEndsTheWindow) {
  LiveOptions options;
  options.seed = 5;
  LiveWorld world(options);
  Plan plan = windowed(world);
  plan.durable = false;
  world.start(plan, false);
  ASSERT_TRUE(reaches(world, kReversible));
  world.stop();
  ASSERT_TRUE(world.run());
  EXPECT_EQ(world.state(), kDone);
  EXPECT_FALSE(world.receipt()->reversed);
  EXPECT_EQ(world.receipt()->windowError, ErrorCode::kInterrupted);
  EXPECT_EQ(world.checkEnd(), "");
}

TEST(LiveReverse, AStopKeepsTheWayBackForWhoeverResumes) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    LiveOptions options;
    options.seed = seed;
    LiveWorld world(options);
    world.start(windowed(world));
    ASSERT_TRUE(reaches(world, kReversible));
    world.autoResume = false;
    world.stop();
    ASSERT_TRUE(world.run());
    ASSERT_EQ(world.state(), kStopped) << stateName(world.state());
    serves(world.target(), true);
    for (int i = 0; i < 50; ++i) world.tick();
    world.autoResume = true;
    world.replace(std::string(world.journal()));
    ASSERT_TRUE(reaches(world, kReversible)) << "seed " << seed << " stands in " << stateName(world.state());
    ASSERT_TRUE(world.reverse().ok());
    ASSERT_TRUE(world.run());
    ASSERT_EQ(world.state(), kDone);
    EXPECT_TRUE(world.receipt()->reversed);
    EXPECT_TRUE(world.receipt()->verified);
    ASSERT_EQ(world.checkEnd(), "") << "seed " << seed;
  }
}

// The feed of the target is lost: nothing is, but the way back.
TEST(LiveReverse, ALostFeedEndsTheWindow) {
  for (const bool resumed : {false, true}) {
    LiveOptions options;
    options.seed = 6;
    LiveWorld world(options);
    world.start(windowed(world));
    ASSERT_TRUE(reaches(world, kReversible));
    bool warned = false;
    world.onNotice = [&warned](const Notice& notice) {
      warned = warned || (notice.kind == NoticeKind::kWarning && notice.error == ErrorCode::kFeedPositionLost);
    };
    world.target().recording = false;
    if (resumed) world.replace(std::string(world.journal()));
    ASSERT_TRUE(world.run()) << "stands in " << stateName(world.state());
    EXPECT_EQ(world.state(), kDone) << errorName(world.error());
    EXPECT_EQ(world.error(), ErrorCode::kOk);
    EXPECT_TRUE(warned);
    EXPECT_FALSE(world.receipt()->reversed);
    EXPECT_EQ(world.receipt()->windowError, ErrorCode::kFeedPositionLost);
    EXPECT_EQ(world.source().entries.size(), 0U);
    EXPECT_EQ(world.checkEnd(), "");
  }
}

// Each attempt to go back hangs behind the fence: the target serves on, and the window is open.
TEST(LiveReverse, APauseThatIsTooLongKeepsTheTargetServing) {
  LiveOptions options;
  options.seed = 4;
  LiveWorld world(options);
  bool back = false, hang = false;
  uint32_t attempts = 0, warnings = 0;
  world.onState = [&](MigrationState state) {
    attempts += back && state == kFencing ? 1U : 0U;
    hang = back && state == kDraining && attempts <= 5;
  };
  world.onNotice = [&warnings](const Notice& notice) {
    warnings += notice.kind == NoticeKind::kWarning && notice.error == ErrorCode::kPauseBudget ? 1U : 0U;
  };
  world.stall = [&hang](const Action& action) { return hang && action.kind == ActionKind::kPollFeed; };
  Plan plan = windowed(world, 3'600'000);
  plan.pauseBudgetMs = 200;
  world.start(plan);
  ASSERT_TRUE(reaches(world, kReversible));
  back = true;
  ASSERT_TRUE(world.reverse().ok());
  world.tick();
  for (int i = 0; i < 20'000 && (attempts < 5 || world.state() != kReversible); ++i) world.tick();
  EXPECT_EQ(attempts, 5U);
  EXPECT_EQ(warnings, 1U);
  ASSERT_EQ(world.state(), kReversible);
  serves(world.target(), true);
  ASSERT_TRUE(world.reverse().ok());
  ASSERT_TRUE(world.run());
  EXPECT_EQ(world.state(), kDone);
  EXPECT_TRUE(world.receipt()->reversed);
  EXPECT_EQ(world.checkEnd(), "");
}

// The old source loses writes and says nothing: going back shows it and is refused. Both are kept,
// the one that serves goes on, and whoever wants may look at them until the window ends.
TEST(LiveReverse, ASourceThatLosesWritesIsNotGoneBackTo) {
  uint32_t refused = 0;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    LiveOptions options;
    options.seed = seed;
    LiveWorld world(options);
    bool open = false, loses = true;
    std::string lost;
    uint32_t warnings = 0;
    world.onState = [&](MigrationState state) { open = open || state == kReversible; };
    countWarnings(world, ErrorCode::kVerifyMismatch, warnings);
    world.forgets = [&](const std::string& key) {
      if (!open || !loses || (!lost.empty() && key != lost)) return false;
      lost = key;
      return world.quietClients = true;
    };
    world.start(windowed(world));
    ASSERT_TRUE(reaches(world, kReversible));
    const int ticks = seed <= 5 ? 5'000 : 100;  // a quarter of its time
    for (int i = 0; i < ticks; ++i) world.tick();
    ASSERT_TRUE(world.reverse().ok());
    for (int i = 0; i < 1'000 && world.state() == kReversible; ++i) world.tick();
    for (int i = 0; i < 20'000 && world.state() != kReversible && !isFinal(world.state()); ++i) world.tick();
    if (world.state() == kReversible) {
      ++refused;
      EXPECT_EQ(warnings, 1U);
      EXPECT_FALSE(world.view().verified);
      EXPECT_GT(world.view().differences, 0U);
      EXPECT_GT(world.source().entries.size(), 0U) << "the second copy is gone";
      EXPECT_GT(world.view().live->reverseLeft.us, 50'000'000U) << "there is no time to look";
      serves(world.target(), true);
      loses = false;
      // Another process knows it too.
      if (seed % 2 == 0) world.replace(std::string(world.journal()));
      ASSERT_TRUE(reaches(world, kReversible));
      EXPECT_FALSE(world.view().verified);
      world.quietClients = false;
      ASSERT_TRUE(world.closeWindow().ok());
    }
    ASSERT_TRUE(world.run()) << "seed " << seed << " stands in " << stateName(world.state());
    ASSERT_EQ(world.state(), kDone);
    ASSERT_EQ(world.checkEnd(), "") << "seed " << seed << ", lost " << lost;
    EXPECT_TRUE(world.receipt()->verified) << "it is of the cutover that counts";
    EXPECT_EQ(world.receipt()->reversed, warnings == 0);
  }
  EXPECT_GT(refused, 20U);
}

// Everything at once: what comes is what the register says, and nothing is lost.
TEST(LiveReverse, LosesNothingWhereMoversAndStoresCrash) {
  uint32_t reversed = 0, kept = 0;
  const uint64_t seeds = manySeeds();
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    Random draw(seed * 104'729);
    LiveOptions options;
    options.seed = seed;
    options.losesAnswers = draw.below(2) == 0;
    options.crashMoverEvery = draw.below(2) == 0 ? 40 : 0;
    options.crashStoreEvery = draw.below(2) == 0 ? 50 : 0;
    options.zombies = draw.below(2) == 0;
    options.lateWrites = draw.below(2) == 0 ? 1 + static_cast<uint32_t>(draw.below(30)) : 0;
    options.healAfter = 800;
    LiveWorld world(options);
    Plan plan = windowed(world, draw.below(2) == 0 ? 400 : 20'000);
    plan.verify = draw.below(4) == 0 ? VerifyDepth::kNone : VerifyDepth::kBoth;
    if (draw.below(3) == 0) plan.ranges = {{"key101", Bound::at("key1020")}, {"key103", Bound::at("key104")}};
    const bool wants = draw.below(3) != 0;
    const uint64_t after = draw.below(200);
    world.start(plan);
    bool asked = false;
    uint64_t open = 0;
    for (int i = 0; i < 60'000 && !isFinal(world.state()) && world.violation().empty(); ++i) {
      ASSERT_TRUE(world.run(1) || !isFinal(world.state()));
      open += world.state() == kReversible ? 1U : 0U;
      if (wants && open > after && !asked) asked = world.reverse().ok();
    }
    ASSERT_EQ(world.checkEnd(), "") << "seed " << seed << " " << stateName(world.state());
    ASSERT_EQ(world.state(), kDone) << "seed " << seed << " " << errorName(world.error());
    const bool back = world.target().entries.empty();
    ASSERT_EQ(world.receipt()->reversed, back) << "seed " << seed;
    (back ? reversed : kept) += 1;
  }
  EXPECT_GT(reversed, seeds / 5);
  EXPECT_GT(kept, seeds / 5);
}

// Every single effect of a small run is the last one of its mover, there and back.
TEST(LiveReverse, SurvivesACrashAtEveryEffect) {
  for (const bool back : {true, false}) {
    LiveOptions options;
    options.seed = 5;
    options.keys = 12;
    const auto run = [&options, back](uint64_t& effects) -> std::string {
      LiveWorld world(options);
      world.start(windowed(world, back ? 600'000 : 150));
      for (int i = 0; i < 20'000 && !isFinal(world.state()) && world.violation().empty(); ++i) {
        world.run(1);
        // Of one who died at once nobody knows that he was asked.
        if (back && world.state() == kReversible) static_cast<void>(world.reverse());
      }
      effects = world.effects();
      const std::string end = world.checkEnd();
      if (!end.empty()) return end;
      if (world.state() != kDone) return "stands in " + std::string(stateName(world.state()));
      if (world.receipt()->reversed != back) return "reversed is wrong";
      if (!world.receipt()->verified) return "is not verified";
      if (world.target().entries.empty() != back) return "the other store has it";
      return {};
    };
    uint64_t effects = 0, ignored = 0;
    ASSERT_EQ(run(effects), "");
    ASSERT_GT(effects, 60U);
    for (uint64_t at = 1; at <= effects; ++at) {
      for (uint64_t again : {0U, 1U, 2U, 3U, 5U, 8U, 13U}) {
        options.crashAtEffect = at;
        options.crashAgainAfter = again;
        ASSERT_EQ(run(ignored), "") << "crash at " << at << " and " << again << " later, back " << back;
      }
    }
  }
}

}  // namespace
}  // namespace keyhaul::test
