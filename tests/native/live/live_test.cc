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
    // Without a read fence old values may be shown for a while, and for how long is said.
    EXPECT_EQ(receipt.staleReadsUs == 0, options.readFence);
    EXPECT_LE(receipt.staleReadsUs, 1'000'000U);
  }
}

// Who finds a decision that an earlier process made does not know since when reads may be stale.
TEST(Live, AReceiptDoesNotGuessForHowLongReadsWereStale) {
  uint32_t known = 0, unknown = 0;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    LiveOptions options;
    options.seed = seed;
    options.readFence = false;
    options.crashMoverEvery = 40;
    LiveWorld world(options);
    world.start(world.plan());
    ASSERT_TRUE(world.run()) << "seed " << seed << " stands in " << stateName(world.state());
    ASSERT_EQ(world.state(), MigrationState::kDone) << "seed " << seed << " " << errorName(world.error());
    const uint64_t said = world.receipt()->staleReadsUs;
    ASSERT_GT(said, 0U) << "seed " << seed;
    ++(said == kStaleReadsUnknown ? unknown : known);
  }
  EXPECT_GT(known, 10U);
  EXPECT_GT(unknown, 10U);
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
      ASSERT_TRUE(world.receipt()->verified) << "crash at " << at << " and " << again << " later";
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

// What stood on the target before is nobody's to take away, whatever happens on the way.
TEST(Live, LeavesATargetAloneThatIsNotEmpty) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    LiveOptions options;
    options.seed = seed;
    options.losesAnswers = seed % 2 == 0;
    options.crashAtEffect = seed % 3 == 0 ? 0 : seed / 3;
    LiveWorld world(options);
    world.target().entries["precious"] = "theirs";
    world.start(world.plan());
    ASSERT_TRUE(world.run()) << "seed " << seed << " stands in " << stateName(world.state());
    ASSERT_TRUE(world.state() == MigrationState::kFailed || world.state() == MigrationState::kCancelled)
        << "seed " << seed << " " << stateName(world.state());
    ASSERT_EQ(world.target().entries.size(), 1U) << "seed " << seed;
    world.target().entries.clear();
    ASSERT_EQ(world.checkEnd(), "") << "seed " << seed;
  }
}

TEST(Live, AFailureBehindTheFenceLetsTheSourceServeAgain) {
  for (const bool journal : {true, false}) {
    LiveOptions options;
    options.seed = 3;
    LiveWorld world(options);
    bool fenced = false;
    world.onState = [&fenced](MigrationState state) { fenced = fenced || state == MigrationState::kDraining; };
    world.fault = [&fenced](const Action& action) {
      return fenced && action.kind == ActionKind::kRead ? ErrorCode::kStoreCorrupt : ErrorCode::kOk;
    };
    world.autoResume = false;
    Plan plan = world.plan();
    plan.durable = journal;
    world.start(plan, journal);
    ASSERT_TRUE(world.run());
    EXPECT_EQ(world.error(), ErrorCode::kStoreCorrupt);
    EXPECT_EQ(world.state(), journal ? MigrationState::kStopped : MigrationState::kFailed);
    const KeyView key = "key1001";
    EXPECT_EQ(world.source().gate.admitWrite(std::span(&key, 1)).answer, Answer::kOk);
    if (!journal) {
      world.source().gate.landed(world.source().gate.last());
      EXPECT_EQ(world.checkEnd(), "");
    }
  }
}

TEST(Live, AWriteThatHangsOnTheTargetDoesNotHoldTheWritersLonger) {
  LiveOptions options;
  options.seed = 4;
  LiveWorld world(options);
  uint32_t fences = 0, postponements = 0;
  bool hang = false;
  world.onState = [&](MigrationState state) {
    fences += state == MigrationState::kFencing ? 1U : 0U;
    postponements += state == MigrationState::kPostponing ? 1U : 0U;
    hang = fences == 1 && state == MigrationState::kDraining;
  };
  world.stall = [&hang](const Action& action) { return hang && action.kind == ActionKind::kApply; };
  Plan plan = world.plan();
  plan.pauseBudgetMs = 300;
  world.start(plan);
  ASSERT_TRUE(world.run());
  EXPECT_EQ(world.state(), MigrationState::kDone) << errorName(world.error());
  EXPECT_EQ(world.receipt()->totals.postponed, postponements);
  EXPECT_EQ(postponements, 1U);
  EXPECT_EQ(world.checkEnd(), "");
}

// Cancelled at any moment, once or twice, with a crash at any effect: it ends cancelled, or done
// where it was too late, and the register, the stores and the receipt say the same.
TEST(Live, ACancelHoldsThroughCrashes) {
  for (uint64_t at = 1; at <= 110; at += 3) {
    for (uint64_t when = 1; when <= 60; when += 7) {
      LiveOptions options;
      options.seed = 5;
      options.keys = 20;
      options.crashAtEffect = at;
      LiveWorld world(options);
      world.start(world.plan());
      for (uint64_t i = 0; i < when; ++i) world.tick();
      world.cancel();
      world.tick();
      world.cancel();
      ASSERT_TRUE(world.run()) << at << " " << when << " stands in " << stateName(world.state());
      ASSERT_EQ(world.checkEnd(), "") << "crash at " << at << ", cancel at " << when;
      ASSERT_TRUE(world.state() == MigrationState::kDone || world.state() == MigrationState::kCancelled)
          << "crash at " << at << ", cancel at " << when << ": " << stateName(world.state()) << " "
          << errorName(world.error());
      const bool moved = world.source().entries.empty();
      ASSERT_EQ(moved, world.state() == MigrationState::kDone) << at << " " << when;
    }
  }
}

// Behind the decision a failed journal stops nothing; what fails after it does.
TEST(Live, AFailureAfterThatOfTheJournalStopsItToo) {
  for (const bool refused : {false, true}) {
    LiveOptions options;
    options.seed = 7;
    LiveWorld world(options);
    bool deciding = false;
    world.onState = [&deciding](MigrationState state) { deciding = deciding || state == MigrationState::kDeciding; };
    world.fault = [&](const Action& action) {
      if (deciding && action.kind == ActionKind::kJournal) return ErrorCode::kJournalWriteFailed;
      const bool activates = action.kind == ActionKind::kGate && action.verb == GateVerb::kActivate;
      return activates && refused ? ErrorCode::kStoreClosed : ErrorCode::kOk;
    };
    world.autoResume = false;
    world.start(world.plan());
    ASSERT_TRUE(world.run()) << "stands in " << stateName(world.state());
    EXPECT_EQ(world.state(), MigrationState::kStopped);
    EXPECT_EQ(world.error(), refused ? ErrorCode::kStoreClosed : ErrorCode::kJournalWriteFailed);
    const KeyView key = "key1001";
    EXPECT_EQ(world.target().gate.admitWrite(std::span(&key, 1)).answer,
              refused ? Answer::kRetry : Answer::kOk);
  }
}

// It does not know yet who else goes on with the migration, so it gives nothing up.
TEST(Live, ASuccessorWhoseJournalFailsAtOnceLeavesTheClaimAlone) {
  LiveOptions options;
  options.seed = 8;
  LiveWorld world(options);
  bool copying = false, failing = false;
  world.onState = [&copying](MigrationState state) { copying = copying || state == MigrationState::kCopying; };
  uint32_t swaps = 0;
  world.fault = [&](const Action& action) {
    swaps += failing && action.kind == ActionKind::kRegisterSwap ? 1U : 0U;
    return failing && action.kind == ActionKind::kJournal ? ErrorCode::kJournalWriteFailed
                                                          : ErrorCode::kOk;
  };
  world.autoResume = false;
  world.start(world.plan());
  for (int i = 0; i < 1'000 && !copying; ++i) world.tick();
  failing = true;
  world.crashMover();
  ASSERT_TRUE(world.run());
  EXPECT_EQ(world.state(), MigrationState::kStopped);
  EXPECT_EQ(world.error(), ErrorCode::kJournalWriteFailed);
  EXPECT_EQ(swaps, 0U);
}

// Whoever stops a cancel on its way does not make a failure of it.
TEST(Live, ACancelThatIsStoppedGoesOnLater) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    LiveOptions options;
    options.seed = seed;
    LiveWorld world(options);
    uint32_t undoing = 0;
    world.onState = [&undoing](MigrationState state) {
      const bool begun = undoing > 0 || state == MigrationState::kAborting;
      undoing += begun ? 1U : 0U;
    };
    world.start(world.plan());
    for (uint64_t i = 0; i < seed; ++i) world.tick();
    world.cancel();
    for (uint32_t i = 0; i < 1'000 && undoing < 2 + seed % 4; ++i) world.tick();
    world.stop();
    ASSERT_TRUE(world.run()) << "seed " << seed << " stands in " << stateName(world.state());
    // Stopped between the opening of a feed and the record of it, it leaves the feed open.
    world.source().recording = false;
    ASSERT_EQ(world.checkEnd(), "") << "seed " << seed;
    const bool moved = world.source().entries.empty();
    ASSERT_EQ(world.state(), moved ? MigrationState::kDone : MigrationState::kCancelled)
        << "seed " << seed << " " << errorName(world.error());
  }
}

TEST(Live, AStoreThatSpeaksOfALostFeedWhereNobodyAskedStopsIt) {
  LiveOptions options;
  options.seed = 6;
  LiveWorld world(options);
  world.autoResume = false;
  world.fault = [](const Action& action) {
    return action.kind == ActionKind::kScan && action.count > 1 ? ErrorCode::kFeedPositionLost : ErrorCode::kOk;
  };
  world.start(world.plan());
  ASSERT_TRUE(world.run());
  EXPECT_EQ(world.state(), MigrationState::kStopped);
}

}  // namespace
}  // namespace keyhaul::test
