// A source that never comes back while it is kept for a way back: it is given up where somebody says
// so, the other store keeps the range, and should it come back after all it serves nobody.
#include <gtest/gtest.h>

#include "support/reverse_world.h"

namespace keyhaul::test {
namespace {

using enum MigrationState;

enum class Gone : uint8_t { kFails, kHangs };

// S is away for good from `leave()` on.
struct Lost {
  explicit Lost(uint64_t seed, Gone how = Gone::kFails, uint32_t windowMs = 3'600'000) : world(options(seed)) {
    world.fault = [this, how](const Action& action) {
      return away && how == Gone::kFails && action.node && world.isOfS(action) ? ErrorCode::kStoreFailed : ErrorCode::kOk;
    };
    world.stall = [this, how](const Action& action) {
      const bool asked = away && action.node && world.isOfS(action);
      askedOfS += asked ? 1U : 0U;
      return asked && how == Gone::kHangs;
    };
    world.start(windowed(world, windowMs));
  }
  static LiveOptions options(uint64_t seed) {
    LiveOptions options;
    options.seed = seed;
    options.tickMs = 20;
    return options;
  }
  void leave() {
    away = true;
    world.autoResume = false;
  }
  // Another process takes it up.
  void resume() { world.replace(std::string(world.journal())); }
  void expectGivenUp(ErrorCode window = ErrorCode::kSourceGivenUp) {
    ASSERT_EQ(world.state(), kDone) << errorName(world.error());
    EXPECT_TRUE(world.receipt()->sourceGivenUp);
    EXPECT_FALSE(world.receipt()->reversed);
    EXPECT_EQ(world.receipt()->windowError, window);
    EXPECT_GT(world.source().entries.size(), 0U) << "it was asked for something";
    EXPECT_EQ(world.checkEnd(true), "");
    EXPECT_TRUE(world.ownership().owns("T", KeyRange::all()));
    EXPECT_TRUE(world.ownership().claims().empty());
  }
  LiveWorld world;
  bool away = false;
  uint32_t askedOfS = 0;
};

// As it was before there was a way out, and still is for whoever does not take it.
TEST(LiveGivenUp, NobodyGivesItUpUnasked) {
  Lost run(1);
  ASSERT_TRUE(reaches(run.world, kReversible));
  run.leave();
  for (int resumes = 0; resumes < 5; ++resumes) {
    ASSERT_TRUE(run.world.run()) << stateName(run.world.state());
    ASSERT_EQ(run.world.state(), kStopped);
    EXPECT_EQ(run.world.error(), ErrorCode::kStoreFailed);
    run.resume();
  }
  EXPECT_EQ(run.world.ownership().claims().size(), 1U);
  serves(run.world.target(), true);
}

TEST(LiveGivenUp, GivesItUpWhereSomebodySaysSo) {
  for (const Gone how : {Gone::kFails, Gone::kHangs}) {
    for (uint64_t seed = 1; seed <= 20; ++seed) {
      Lost run(seed, how);
      ASSERT_TRUE(reaches(run.world, kReversible));
      for (uint64_t i = 0; i < seed; ++i) run.world.tick();
      run.leave();
      for (uint64_t i = 0; i < 3 * seed; ++i) run.world.tick();
      ASSERT_TRUE(run.world.giveUpSource().ok());
      run.world.tick();
      run.askedOfS = 0;
      ASSERT_TRUE(run.world.run(2'000)) << "seed " << seed << " stands in " << stateName(run.world.state());
      run.expectGivenUp();
      EXPECT_EQ(run.askedOfS, 0U) << "what never comes back is waited for";
      EXPECT_EQ(run.world.giveUpSource().code(), ErrorCode::kAlreadyComplete);
    }
  }
}

// The way it comes up: it has stopped, and whoever resumes it knows that there is nothing to wait for.
TEST(LiveGivenUp, GivesItUpAtOnceAfterAResume) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Lost run(seed, seed % 2 == 0 ? Gone::kFails : Gone::kHangs);
    ASSERT_TRUE(reaches(run.world, kReversible));
    run.leave();
    if (seed % 3 == 0) {
      ASSERT_TRUE(run.world.reverse().ok());
    }
    ASSERT_TRUE(run.world.run()) << stateName(run.world.state());
    ASSERT_EQ(run.world.state(), kStopped);
    run.resume();
    run.askedOfS = 0;
    ASSERT_TRUE(run.world.giveUpSource().ok()) << "the journal says that it is turned round";
    ASSERT_TRUE(run.world.run(2'000)) << stateName(run.world.state());
    EXPECT_EQ(run.askedOfS, 0U);
    run.expectGivenUp();
  }
}

// Its time was over, and it died before it was emptied.
TEST(LiveGivenUp, GivesUpWhatCannotBeEmptied) {
  for (const bool resumes : {false, true}) {
    Lost run(7, Gone::kHangs, 300);
    bool ends = false;
    run.world.onState = [&](MigrationState state) { ends = ends || state == kAborting; };
    ASSERT_TRUE(reaches(run.world, kReversible));
    for (int i = 0; i < 2'000 && !ends; ++i) run.world.tick();
    ASSERT_TRUE(ends);
    run.leave();
    for (int i = 0; i < 2'000 && run.world.state() != kStaging; ++i) run.world.tick();
    ASSERT_EQ(run.world.state(), kStaging);
    if (resumes) {
      ASSERT_TRUE(run.world.run());
      ASSERT_EQ(run.world.state(), kStopped);
      run.resume();
    }
    ASSERT_TRUE(run.world.giveUpSource().ok());
    ASSERT_TRUE(run.world.run(2'000)) << stateName(run.world.state());
    run.expectGivenUp(ErrorCode::kOk);
  }
}

TEST(LiveGivenUp, IsRefusedWhereNothingIsKept) {
  LiveOptions options;
  LiveWorld world(options);
  uint32_t refused = 0, times = 0;
  world.onState = [&](MigrationState state) {
    const bool closed = state == kCopying || state == kDeciding || state == kTurning || state == kRedirecting;
    if (!closed) return;
    ++times;
    refused += world.giveUpSource().code() == ErrorCode::kUnsupported ? 1U : 0U;
  };
  world.start(windowed(world));
  EXPECT_EQ(world.giveUpSource().code(), ErrorCode::kUnsupported);
  ASSERT_TRUE(reaches(world, kReversible));
  ASSERT_TRUE(world.reverse().ok());
  ASSERT_TRUE(world.run());
  EXPECT_GE(times, 5U);
  EXPECT_EQ(refused, times);
  EXPECT_TRUE(world.receipt()->reversed);
  EXPECT_FALSE(world.receipt()->sourceGivenUp);
  EXPECT_EQ(world.checkEnd(), "");
}

// Whoever dies between any two effects after it was asked for is followed by one who ends it: what
// was written down is not asked for again, and what was not is asked for once more.
TEST(LiveGivenUp, SurvivesACrashAtEveryEffect) {
  for (uint64_t at = 1; at <= 40; ++at) {
    LiveOptions options = Lost::options(5);
    options.keys = 12;
    LiveWorld world(options);
    bool away = false;
    world.fault = [&](const Action& action) {
      return away && action.node && world.isOfS(action) ? ErrorCode::kStoreFailed : ErrorCode::kOk;
    };
    world.start(windowed(world, 3'600'000));
    ASSERT_TRUE(reaches(world, kReversible));
    away = true;
    world.autoResume = false;
    ASSERT_TRUE(world.giveUpSource().ok());
    const uint64_t begin = world.effects();
    while (world.effects() < begin + at && !isFinal(world.state())) world.tick();
    if (!isFinal(world.state())) world.crashMover();
    uint32_t asked = 0;
    for (int i = 0; i < 5'000 && !isFinal(world.state()); ++i) {
      world.tick();
      if (world.state() != kStopped) continue;
      world.replace(std::string(world.journal()));
      ASSERT_TRUE(world.giveUpSource().ok());
      ++asked;
    }
    ASSERT_EQ(world.state(), kDone) << "crash at " << at;
    EXPECT_LE(asked, 1U);
    EXPECT_TRUE(world.receipt()->sourceGivenUp) << "crash at " << at;
    EXPECT_EQ(world.checkEnd(true), "") << "crash at " << at;
  }
}

// Its gate knows of no give-up, so another coordinator that was away meanwhile may still stage it. That
// one asks the register once more before it writes there.
TEST(LiveGivenUp, ACoordinatorThatWasAwayMeanwhileWritesNothingThere) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    Lost run(seed, Gone::kHangs);
    LiveWorld& world = run.world;
    ASSERT_TRUE(reaches(world, kReversible));
    run.leave();
    run.resume();
    for (int i = 0; i < 500 && world.state() != kStaging; ++i) world.tick();
    ASSERT_EQ(world.state(), kStaging);
    for (int i = 0; i < 5; ++i) world.tick();
    world.replace(std::string(world.journal()), 5'000);
    ASSERT_TRUE(world.giveUpSource().ok());
    ASSERT_TRUE(world.run(2'000)) << stateName(world.state());
    run.expectGivenUp();
    ASSERT_EQ(world.stateBefore(), kStaging) << "it does not know";
    uint32_t staged = 0, written = 0;
    world.seen = [&](const Action& action, const std::string&) {
      if (!action.node || !world.isOfS(action)) return;
      const bool stages = action.verb == GateVerb::kPrepare || action.verb == GateVerb::kRestage;
      staged += action.kind == ActionKind::kGate && stages ? 1U : 0U;
      written += action.kind == ActionKind::kApply ? 1U : 0U;
    };
    run.away = false;
    for (int i = 0; i < 3'000 && world.stateBefore() != kStopped; ++i) world.tick();
    EXPECT_GT(staged, 0U);
    EXPECT_EQ(written, 0U);
    EXPECT_EQ(world.stateBefore(), kStopped);
    EXPECT_EQ(world.errorBefore(), ErrorCode::kSuperseded);
  }
}

// Where that does not answer, no store is to blame.
TEST(LiveGivenUp, ARegisterThatIsAwayBeforeTheWayBackIsStagedIsNoFaultOfTheSource) {
  Lost run(3);
  LiveWorld& world = run.world;
  world.autoResume = false;
  uint32_t asked = 0;
  world.fault = [&](const Action& action) {
    const bool looks = action.kind == ActionKind::kRegisterRead && world.state() == kStaging;
    asked += looks ? 1U : 0U;
    return looks ? ErrorCode::kRegisterFailed : ErrorCode::kOk;
  };
  std::optional<NodeId> blamed;
  world.onNotice = [&](const Notice& notice) {
    if (notice.kind == NoticeKind::kState && notice.state == kStopped) blamed = notice.node;
  };
  ASSERT_TRUE(world.run()) << stateName(world.state());
  EXPECT_GT(asked, 1U);
  ASSERT_EQ(world.state(), kStopped);
  EXPECT_EQ(world.error(), ErrorCode::kRegisterFailed);
  ASSERT_TRUE(blamed);
  EXPECT_FALSE(*blamed);
}

// It comes back from its disk, with all that stood there: its gate sends clients on, obeys nothing of
// the old migration that would open it, and a new one begins only with an empty range.
TEST(LiveGivenUp, WhatComesBackServesNobody) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    Lost run(seed);
    LiveWorld& world = run.world;
    ASSERT_TRUE(reaches(world, kReversible));
    for (int i = 0; i < 100; ++i) world.tick();
    run.leave();
    ASSERT_TRUE(world.giveUpSource().ok());
    ASSERT_TRUE(world.run());
    run.expectGivenUp();
    run.away = false;
    GatedStore& back = world.source();
    world.restart(back);
    const KeyView key = "key1001";
    EXPECT_EQ(back.gate.admitRead(key).answer, Answer::kMoved);
    EXPECT_EQ(back.gate.admitRead(key).owner, "T");
    EXPECT_EQ(back.gate.admitWrite(std::span(&key, 1)).answer, Answer::kMoved);
    for (const GateVerb verb : {GateVerb::kActivate, GateVerb::kUnfence, GateVerb::kAssign}) {
      GateCall late;
      late.verb = verb;
      late.claim = world.plan().claim;
      late.coordEpoch = 99;
      late.ranges = {KeyRange::all()};
      // Whatever the old migration can have sent, and what the register says now.
      const uint64_t epoch = world.ownership().parts()[0].epoch;
      for (late.epoch = 1; late.epoch <= epoch + 3; ++late.epoch) {
        Gate gate = Gate::restore(std::as_bytes(std::span(back.durableGate)), 1'000).value();
        // The one activation that its staging waited for was never decided, so nobody sends it.
        const bool own = verb == GateVerb::kActivate && late.epoch == gate.ranges()[0].epoch;
        if (own) continue;
        EXPECT_FALSE(gate.change(late).ok()) << gateVerbName(verb) << " at " << late.epoch;
        EXPECT_NE(gate.answer(key, true), Answer::kOk);
      }
    }
    // Clients go on, and T's writes are not to be found at S.
    for (int i = 0; i < 50; ++i) world.tick();
    Plan plan = world.plan();
    std::swap(plan.source, plan.target);
    plan.targetCapabilities = plan.sourceCapabilities;
    plan.claim[0] = 8;
    plan.pauseBudgetMs = 10'000;
    world.start(plan);
    ASSERT_TRUE(world.run());
    ASSERT_EQ(world.state(), kFailed);
    EXPECT_EQ(world.error(), ErrorCode::kTargetNotEmpty);
    serves(world.target(), true);
    serves(back, false);
    ASSERT_EQ(world.checkEnd(true), "");
    back.entries.clear();
    plan.claim[0] = 9;
    world.start(plan);
    ASSERT_TRUE(world.run()) << stateName(world.state());
    ASSERT_EQ(world.state(), kDone) << errorName(world.error());
    EXPECT_EQ(world.checkEnd(), "");
    EXPECT_TRUE(world.ownership().owns("S", KeyRange::all()));
  }
}

}  // namespace
}  // namespace keyhaul::test
