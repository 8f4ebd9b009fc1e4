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
  for (uint64_t seed = 1; seed <= 5; ++seed) {
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

// Nobody can go on with it later, so it is tried again; but not for ever, and not against a stop.
TEST(LiveFindings, UndoingOfWhatHasNoJournalEnds) {
  for (const bool stops : {false, true}) {
    LiveOptions options;
    LiveWorld world(options);
    world.autoResume = false;
    uint32_t asked = 0;
    world.fault = [&](const Action& action) {
      const bool inspects = action.kind == ActionKind::kGate && action.verb == GateVerb::kInspect;
      if (inspects && ++asked == 3 && stops) world.stop();
      return inspects ? ErrorCode::kStoreClosed : ErrorCode::kOk;
    };
    Plan plan = world.plan();
    plan.durable = false;
    plan.require = GuaranteeLevel::kL3;
    world.start(plan, false);
    for (int i = 0; i < 5'000 && world.state() != MigrationState::kCopying; ++i) world.tick();
    world.cancel();
    for (int i = 0; i < 5'000 && world.state() != MigrationState::kStopped; ++i) world.tick();
    EXPECT_EQ(world.state(), MigrationState::kStopped);
    EXPECT_GE(asked, 3U);
    EXPECT_LE(asked, stops ? 4U : 70U);
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

TEST(LiveFindings, AFeedIsAskedToCloseUntilItDoes) {
  LiveOptions options;
  LiveWorld world(options);
  uint32_t asked = 0;
  world.fault = [&asked](const Action& action) {
    return action.kind == ActionKind::kCloseFeed && ++asked < 4 ? ErrorCode::kStoreFailed : ErrorCode::kOk;
  };
  world.start(world.plan());
  ASSERT_TRUE(world.run());
  EXPECT_EQ(asked, 4U);
  EXPECT_EQ(world.checkEnd(), "");
}

// Single keys are read again in batches that fit, also where their values are large.
TEST(LiveFindings, ReadsNoMoreAtOnceThanAPage) {
  LiveOptions options;
  options.seed = 7;
  options.keys = 200;
  options.opsPerTick = 4;
  options.valueBytes = 300;
  LiveWorld world(options);
  uint32_t reads = 0, most = 0;
  world.seen = [&](const Action& action, const std::string&) {
    if (action.kind != ActionKind::kRead) return;
    ++reads;
    most = std::max(most, action.count);
  };
  Plan plan = world.plan();
  plan.pageBytes = 2'048;
  plan.pageEntries = 100;
  plan.pauseBudgetMs = 20'000;
  world.start(plan);
  ASSERT_TRUE(world.run()) << stateName(world.state()) << reads << " " << most;
  EXPECT_EQ(world.state(), MigrationState::kDone);
  EXPECT_GT(reads, 4U);
  // Deleted meanwhile, a key may count for nothing but itself: then it is one of a page of keys.
  EXPECT_LE(most, 2'048U / 100);
  EXPECT_EQ(world.checkEnd(), "");
}

struct Ladder {
  explicit Ladder(bool heeds) : world(options()) {
    world.autoResume = false;
    world.onNotice = [this, heeds](const Notice& notice) {
      if (notice.kind == NoticeKind::kWarning && notice.error == ErrorCode::kNotConverging) ++warnings;
      if (notice.kind == NoticeKind::kThrottleWriters) {
        asked.push_back(notice.perSecond);
        if (heeds) world.setOpsPerTick(notice.perSecond == 0 ? 12 : 1);
      }
    };
    world.seen = [this](const Action& action, const std::string&) {
      if (priorities.empty() || priorities.back() != action.priority) priorities.push_back(action.priority);
    };
    world.onState = [this](MigrationState state) {
      behindFence = behindFence || (state == MigrationState::kDraining && world.view().live->ahead);
    };
    world.start(world.plan());
    for (int i = 0; i < 40'000 && aheadText.empty() && !isFinal(world.state()); ++i) {
      world.tick();
      if (world.view().live->ahead) aheadText = world.view().live->text;
    }
    ended = world.run(40'000);
  }
  static LiveOptions options() {
    LiveOptions options;
    options.seed = 8;
    options.keys = 400;
    options.opsPerTick = 12;
    options.writesInFlightMax = 20;
    options.tickMs = 40;
    return options;
  }
  LiveWorld world;
  bool ended = false;
  uint32_t warnings = 0;
  std::vector<uint64_t> asked;
  std::vector<uint8_t> priorities;
  std::string aheadText;
  bool behindFence = false;
};

// The feed does not say how much waits; its end that never comes says enough.
TEST(LiveConverge, WritersThatAreTooFastStopItAfterAllWasTried) {
  const Ladder ladder(false);
  ASSERT_TRUE(ladder.ended) << stateName(ladder.world.state());
  EXPECT_EQ(ladder.world.state(), MigrationState::kStopped);
  EXPECT_EQ(ladder.world.error(), ErrorCode::kNotConverging);
  EXPECT_GE(ladder.warnings, 3U);
  ASSERT_EQ(ladder.asked.size(), 2U);
  EXPECT_GT(ladder.asked[0], 0U);
  EXPECT_EQ(ladder.asked[1], 0U) << "writers are let go at the end";
  // Raised at the first rung, and lowered when nothing is left to try.
  ASSERT_EQ(ladder.priorities.size(), 3U);
  EXPECT_GT(ladder.priorities[1], ladder.priorities[0]);
  EXPECT_EQ(ladder.priorities[2], ladder.priorities[0]);
}

TEST(LiveConverge, WritersThatAreAskedAndHoldBackLetItEnd) {
  Ladder ladder(true);
  ASSERT_TRUE(ladder.ended) << stateName(ladder.world.state());
  EXPECT_EQ(ladder.world.state(), MigrationState::kDone) << errorName(ladder.world.error());
  ASSERT_EQ(ladder.asked.size(), 2U);
  EXPECT_GT(ladder.asked[0], 0U);
  EXPECT_EQ(ladder.asked[1], 0U);
  EXPECT_EQ(ladder.world.checkEnd(), "");
  ASSERT_EQ(ladder.priorities.size(), 3U);
  EXPECT_EQ(ladder.priorities[2], ladder.priorities[0]);
  EXPECT_NE(ladder.aheadText.find("goes before other migrations"), std::string::npos) << ladder.aheadText;
  EXPECT_FALSE(ladder.behindFence) << "it converged";
}

// Half of a range staged and half of it not: no call of a migration does that. Discarding says that
// there is something, looking says that there is nothing, and neither can be believed for ever.
TEST(LiveFindings, AGateRecordThatContradictsItselfIsNamed) {
  for (const bool journal : {true, false}) {
    LiveOptions options;
    LiveWorld world(options);
    world.autoResume = false;
    const Plan plan = [&] {
      Plan of = world.plan();
      of.durable = journal;
      if (!journal) of.require = GuaranteeLevel::kL3;
      return of;
    }();
    uint32_t looks = 0;
    std::string text;
    std::optional<Gate> whole;
    world.onState = [&](MigrationState state) {
      if (state != MigrationState::kUnfencing || whole) return;
      whole = world.target().gate;
      const GateRange staged = world.target().gate.ranges().front();
      ASSERT_EQ(staged.state, GateState::kStaged);
      GateCall half{GateVerb::kPrepare, staged.claim, staged.coordEpoch - 1, staged.epoch, "", {}};
      half.ranges = {{"", Bound::at("key1010")}};
      world.target().gate = Gate();
      ASSERT_TRUE(world.target().gate.change(half).ok());
    };
    world.seen = [&](const Action& action, const std::string&) {
      looks += action.kind == ActionKind::kGate && action.verb == GateVerb::kInspect ? 1 : 0;
    };
    world.onNotice = [&](const Notice& notice) {
      if (notice.kind == NoticeKind::kState && notice.error == ErrorCode::kRegisterCorrupt) {
        text = world.textOf(notice);
      }
    };
    world.start(plan, journal);
    for (int i = 0; i < 5'000 && world.state() != MigrationState::kCopying; ++i) world.tick();
    world.cancel();
    for (int i = 0; i < 5'000 && world.state() != MigrationState::kStopped; ++i) world.tick();
    ASSERT_EQ(world.state(), MigrationState::kStopped);
    EXPECT_EQ(world.error(), ErrorCode::kRegisterCorrupt);
    EXPECT_NE(text.find("gate"), std::string::npos) << text;
    EXPECT_LE(looks, 8U);
    if (!journal) continue;
    // Mended, it goes on to its end.
    world.target().gate = *whole;
    world.replace(world.journal());
    ASSERT_TRUE(world.run()) << stateName(world.state());
    EXPECT_EQ(world.state(), MigrationState::kCancelled) << errorName(world.error());
    EXPECT_EQ(world.checkEnd(), "");
  }
}

}  // namespace
}  // namespace keyhaul::test
