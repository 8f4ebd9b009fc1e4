// One test for each thing that a live migration must not get wrong and that a run of good luck
// does not show. scripts/mutants.mjs puts each fault in, and says which of these notices.
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "support/live_world.h"

namespace keyhaul::test {
namespace {

// An adapter that says yes and loses the write is found out by the comparison.
TEST(LiveMutants, ATargetThatLosesWritesIsFoundOut) {
  uint32_t mismatches = 0;
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    LiveOptions options;
    options.seed = seed;
    options.forgetsEvery = 60;
    LiveWorld world(options);
    world.start(world.plan());
    ASSERT_TRUE(world.run()) << "seed " << seed << " stands in " << stateName(world.state());
    ASSERT_EQ(world.checkEnd(), "") << "seed " << seed << " " << stateName(world.state());
    if (world.state() != MigrationState::kMismatch) continue;
    ++mismatches;
    EXPECT_FALSE(world.receipt()->verified);
    // A put that was lost leaves no key, or an older value of it.
    const Totals totals = world.receipt()->totals;
    EXPECT_GT(totals.missing + totals.changed, 0U);
    EXPECT_EQ(totals.extra, 0U);
  }
  EXPECT_GT(mismatches, 20U);
  EXPECT_LT(mismatches, 100U);
}

// Whenever it loses them: also those of the last round, behind the fence.
TEST(LiveMutants, AWriteLostInAnyStateIsFoundOut) {
  using enum MigrationState;
  for (const MigrationState when : {kCopying, kCatchingUp, kVerifying, kApproaching, kDraining}) {
    uint32_t mismatches = 0;
    for (uint64_t seed = 1; seed <= 60; ++seed) {
      LiveOptions options;
      options.seed = seed;
      LiveWorld world(options);
      bool now = false;
      std::string lost;  // every write of this key
      world.onState = [&](MigrationState state) { now = state == when; };
      world.forgets = [&](const std::string& key) {
        if (!now || (!lost.empty() && key != lost)) return false;
        lost = key;
        return world.quietClients = true;  // or a client may write it again
      };
      world.start(world.plan());
      ASSERT_TRUE(world.run()) << "seed " << seed << " stands in " << stateName(world.state());
      ASSERT_EQ(world.checkEnd(), "") << "seed " << seed << ", lost in " << stateName(when);
      mismatches += world.state() == kMismatch ? 1U : 0U;
    }
    // Nothing is written to the target while it verifies: what comes then waits for Approaching.
    EXPECT_EQ(mismatches > 20, when != kVerifying) << stateName(when) << " " << mismatches;
  }
}

// The target serves and the source does not know yet: whoever asks it still gets no old value.
TEST(LiveMutants, NobodyReadsAtTheSourceWhatTheTargetHasChanged) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    LiveOptions options;
    options.seed = seed;
    options.clients = 6;
    LiveWorld world(options);
    uint32_t waits = 0;
    world.stall = [&](const Action& action) {
      return action.kind == ActionKind::kGate && action.verb == GateVerb::kRedirect && ++waits < 40;
    };
    world.start(world.plan());
    ASSERT_TRUE(world.run()) << "seed " << seed << " stands in " << stateName(world.state());
    ASSERT_EQ(world.checkEnd(), "") << "seed " << seed;
    ASSERT_EQ(world.state(), MigrationState::kDone);
    ASSERT_EQ(waits, 40U);
  }
}

// The pause is over when the budget is, whatever the reason that it lasts.
TEST(LiveMutants, WritersAreNotHeldForLongerThanTheBudget) {
  for (const ActionKind slow : {ActionKind::kPollFeed, ActionKind::kRead, ActionKind::kApply}) {
    LiveOptions options;
    options.seed = 9;
    LiveWorld world(options);
    uint32_t fences = 0;
    bool fenced = false;
    world.onState = [&](MigrationState state) {
      fences += state == MigrationState::kFencing ? 1U : 0U;
      fenced = state == MigrationState::kDraining;
    };
    world.stall = [&](const Action& action) {
      return fences == 1 && fenced && action.kind == slow;
    };
    Plan plan = world.plan();
    plan.pauseBudgetMs = 200;
    world.start(plan);
    ASSERT_TRUE(world.run());
    EXPECT_EQ(world.state(), MigrationState::kDone) << errorName(world.error());
    EXPECT_LE(world.receipt()->totals.pauseUs, 200'000U);
    EXPECT_EQ(world.checkEnd(), "");
  }
}

// Nor when it is stopped, or fails, while a write hangs.
TEST(LiveMutants, AStopBehindTheFenceDoesNotHoldTheWriters) {
  LiveOptions options;
  options.seed = 9;
  LiveWorld world(options);
  world.autoResume = false;
  bool draining = false, hangs = false;
  world.onState = [&](MigrationState state) { draining = state == MigrationState::kDraining; };
  world.stall = [&](const Action& action) {
    hangs = hangs || (draining && action.kind == ActionKind::kApply);
    return hangs && action.kind == ActionKind::kApply;
  };
  Plan plan = world.plan();
  plan.pauseBudgetMs = 60'000;
  world.start(plan);
  for (int i = 0; i < 5'000 && !hangs; ++i) world.tick();
  ASSERT_TRUE(hangs);
  world.stop();
  for (int i = 0; i < 60; ++i) world.tick();
  const KeyView key = "key1001";
  const Admission write = world.source().gate.admitWrite(std::span(&key, 1));
  EXPECT_EQ(write.answer, Answer::kOk) << stateName(world.state());
  world.source().gate.landed(write.position);
  ASSERT_TRUE(world.run());
  EXPECT_EQ(world.state(), MigrationState::kStopped);
}

// Writes that nobody waits for any more arrive all the same.
TEST(LiveMutants, WritesThatWereGivenUpAndArriveLateChangeNothing) {
  uint64_t postponed = 0;
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    LiveOptions options;
    options.seed = seed;
    options.opsPerTick = 3;
    options.lateWrites = 1 + static_cast<uint32_t>(seed % 40);
    options.losesAnswers = seed % 3 == 0;
    options.crashMoverEvery = seed % 3 == 1 ? 60 : 0;
    LiveWorld world(options);
    uint32_t fences = 0;
    bool fenced = false;
    world.onState = [&](MigrationState state) {
      fences += state == MigrationState::kFencing ? 1U : 0U;
      fenced = state == MigrationState::kDraining;
    };
    world.stall = [&](const Action& action) {
      return fenced && fences <= 3 && action.kind == ActionKind::kApply;
    };
    Plan plan = world.plan();
    plan.pauseBudgetMs = 250;
    world.start(plan);
    ASSERT_TRUE(world.run()) << "seed " << seed << " stands in " << stateName(world.state());
    ASSERT_EQ(world.checkEnd(), "") << "seed " << seed;
    ASSERT_TRUE(world.state() == MigrationState::kDone || world.state() == MigrationState::kFailed)
        << "seed " << seed << " " << stateName(world.state()) << " " << errorName(world.error());
    postponed += world.receipt()->totals.postponed;
  }
  EXPECT_GT(postponed, 50U);
}

// The same where it is cancelled: what arrives late may not stay on the target.
TEST(LiveMutants, ACancelWaitsForItsWrites) {
  using enum MigrationState;
  for (const MigrationState when : {kCopying, kCatchingUp, kApproaching, kDraining, kDiscarding}) {
    uint32_t cancelled = 0;
    for (uint64_t seed = 1; seed <= 60; ++seed) {
      LiveOptions options;
      options.seed = seed;
      options.lateWrites = 1 + static_cast<uint32_t>(seed % 30);
      LiveWorld world(options);
      bool now = false, hangs = false;
      world.onState = [&](MigrationState state) { now = state == when; };
      world.stall = [&](const Action& action) {
        if (action.kind != ActionKind::kApply || !now) return false;
        // The last pages: then there is something to discard, and time to arrive meanwhile.
        hangs = hangs || when != kCopying || world.target().entries.size() >= 24;
        return hangs;
      };
      world.start(world.plan());
      for (int i = 0; i < 400 && !hangs && !isFinal(world.state()); ++i) {
        if (when == kDiscarding && world.state() == kVerifying) world.cancel();
        world.tick();
      }
      if (!hangs) continue;
      ++cancelled;
      world.cancel();
      for (int i = 0; i < 5; ++i) world.tick();
      world.stall = nullptr;
      ASSERT_TRUE(world.run()) << "seed " << seed << " stands in " << stateName(world.state());
      ASSERT_EQ(world.checkEnd(), "") << "seed " << seed << " " << stateName(world.state());
      ASSERT_EQ(world.state(), kCancelled) << "seed " << seed;
    }
    EXPECT_GT(cancelled, 20U) << stateName(when);
  }
}

// Somebody else had the migration meanwhile, with a journal of its own: what the older journal
// says of the target is not true any more.
TEST(LiveMutants, AnOlderJournalIsNotBelieved) {
  uint32_t tried = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    LiveOptions options;
    options.seed = seed;
    LiveWorld world(options);
    bool copied = false, catchingUp = false;
    world.onState = [&](MigrationState state) {
      copied = copied || state == MigrationState::kVerifying;
      catchingUp = state == MigrationState::kCopying;
    };
    world.start(world.plan());
    for (int i = 0; i < 5'000 && !copied; ++i) world.tick();
    ASSERT_TRUE(copied);
    const std::string older = world.journal();
    catchingUp = false;
    world.replace("");  // begins anew, with the same claim
    for (int i = 0; i < 5'000 && !catchingUp; ++i) world.tick();
    for (int i = 0; i < 4; ++i) world.tick();
    ASSERT_TRUE(catchingUp) << stateName(world.state()) << world.violation();
    world.replace(older);
    ASSERT_TRUE(world.run()) << "seed " << seed << " stands in " << stateName(world.state());
    ASSERT_EQ(world.state(), MigrationState::kDone) << "seed " << seed << " " << errorName(world.error());
    ASSERT_EQ(world.checkEnd(), "") << "seed " << seed;
    ++tried;
  }
  EXPECT_EQ(tried, 60U);
}

// One that gives up its attempt while another takes it over is not that other.
TEST(LiveMutants, ACoordinatorThatWasTakenOverSaysSo) {
  LiveOptions options;
  options.seed = 12;
  LiveWorld world(options);
  bool fenced = false, postponing = false, away = true;
  world.onState = [&](MigrationState state) {
    fenced = state == MigrationState::kDraining;
    postponing = postponing || state == MigrationState::kPostponing;
  };
  world.stall = [&](const Action& action) {
    const bool asks = action.kind == ActionKind::kRegisterRead || action.kind == ActionKind::kRegisterSwap;
    return world.acting == 0 && ((fenced && action.kind == ActionKind::kPollFeed) || (postponing && away && asks));
  };
  Plan plan = world.plan();
  // Of a hundred pauses in this world one takes longer than 78 ms, half of them 44 (LiveForecast.WhoWasOverBudgetForLongStillGets-
  // ToAShortRound prints it). With 50 the first coordinator goes ahead on two quick rounds; the other one measures what
  // most are like, and waits for a pause that does not come.
  plan.pauseBudgetMs = 80;
  world.start(plan);
  for (int i = 0; i < 5'000 && !postponing; ++i) world.tick();
  ASSERT_TRUE(postponing) << stateName(world.state());
  world.replace(world.journal(), 2'000);
  for (int i = 0; i < 12; ++i) world.tick();
  away = false;
  for (int i = 0; i < 200 && world.stateBefore() == MigrationState::kPostponing; ++i) world.tick();
  EXPECT_EQ(world.stateBefore(), MigrationState::kStopped) << "it goes on as if it were the other";
  EXPECT_EQ(world.errorBefore(), ErrorCode::kSuperseded);
  ASSERT_TRUE(world.run());
  EXPECT_EQ(world.state(), MigrationState::kDone) << errorName(world.error());
  EXPECT_EQ(world.checkEnd(), "");
}

// What was trimmed can never be read again, so the journal says first that it was applied.
TEST(LiveMutants, NothingIsTrimmedThatTheJournalDoesNotHave) {
  LiveOptions options;
  options.seed = 3;
  options.healAfter = 0;
  LiveWorld world(options);
  uint32_t trims = 0;
  world.seen = [&](const Action& action, const std::string& payload) {
    if (action.kind != ActionKind::kTrimFeed) return;
    ++trims;
    const auto image = readJournal(asBytes(world.journal()));
    ASSERT_TRUE(image.ok());
    const auto at = [](const std::string& bytes) { return loadLe<uint64_t>(bytes.data()); };
    ASSERT_FALSE(image->appliedPosition.empty());
    EXPECT_LE(at(payload), at(image->appliedPosition));
  };
  Plan plan = world.plan();
  plan.follow = true;
  world.start(plan);
  for (int i = 0; i < 3'000; ++i) world.tick();
  world.finish();
  ASSERT_TRUE(world.run());
  EXPECT_EQ(world.state(), MigrationState::kDone);
  EXPECT_GT(trims, 3U);
  EXPECT_EQ(world.checkEnd(), "");
}

// The feed was lost and the staging is to be emptied; so says the journal to whoever comes next.
TEST(LiveMutants, ARestartIsKnownToTheNextProcess) {
  LiveOptions options;
  options.seed = 4;
  LiveWorld world(options);
  bool copying = false, lost = false;
  uint32_t inspections = 0, discards = 0;
  world.onState = [&](MigrationState state) {
    copying = copying || state == MigrationState::kCatchingUp;
    discards += state == MigrationState::kDiscarding ? 1U : 0U;
  };
  world.fault = [&](const Action& action) {
    // Before it fences anybody it always asks.
    const bool fences = world.state() == MigrationState::kFencing;
    inspections += action.kind == ActionKind::kGate && action.verb == GateVerb::kInspect && !fences ? 1U : 0U;
    if (action.kind != ActionKind::kPollFeed || lost) return ErrorCode::kOk;
    lost = true;
    return ErrorCode::kFeedPositionLost;
  };
  world.start(world.plan());
  bool knows = false;
  for (int i = 0; i < 5'000 && !knows; ++i) {
    world.tick();
    const auto image = readJournal(asBytes(world.journal()));
    knows = image.ok() && image->restarting && !image->prepared;
  }
  ASSERT_TRUE(knows);
  ASSERT_EQ(discards, 0U);
  world.crashMover();
  ASSERT_TRUE(world.run());
  EXPECT_EQ(world.state(), MigrationState::kDone);
  EXPECT_EQ(discards, 1U);
  EXPECT_EQ(inspections, 0U) << "it knows whose the staging is";
  EXPECT_EQ(world.checkEnd(), "");
}

}  // namespace
}  // namespace keyhaul::test
