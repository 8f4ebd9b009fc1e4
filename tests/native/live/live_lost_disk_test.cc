// A target that comes back without its disk, or is emptied while its gate lives, at every single effect: before the decision the source has everything, so
// the migration is given up with what it lacks, or begins with an empty target if nothing was there yet; after it nobody
// serves what is gone.
#include <gtest/gtest.h>

#include "support/reverse_world.h"

namespace keyhaul::test {
namespace {

using enum MigrationState;

// `alive`: behind the back of its gate, which sees that its record is gone before it answers or writes it.
void losesItsDisk(LiveWorld& world, GatedStore& store, bool alive) {
  if (!alive) world.restart(store);
  store.entries.clear();
  store.log.clear();
  store.recording = false;
  if (alive) {
    store.gate.emptied();
  } else {
    store.gate = Gate();
  }
  store.durableGate.clear();
}

// From the fence on the last answer of the target counts, until it is asked to serve.
bool isBeforeTheFence(MigrationState state) {
  return state == kStaging || state == kCopying || state == kCatchingUp || state == kVerifying || state == kApproaching;
}

class LiveLostDisk : public ::testing::TestWithParam<bool> {
 protected:
  static void loses(LiveWorld& world, GatedStore& store) { losesItsDisk(world, store, GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(OrIsEmptied, LiveLostDisk, ::testing::Bool(), [](const auto& info) { return info.param ? "alive" : "restarted"; });

TEST_P(LiveLostDisk, TheMigrationEndsAndTheSourceHasEverything) {
  uint32_t failed = 0, done = 0;
  for (const VerifyDepth verify : {VerifyDepth::kNone, VerifyDepth::kBoth}) {
    for (const bool quiet : {false, true}) {
      bool lost = true;
      for (uint64_t at = 1; lost; ++at) {
        LiveOptions options;
        options.seed = at;
        LiveWorld world(options);
        world.quietClients = quiet;
        Plan plan = world.plan();
        plan.verify = verify;
        world.start(plan);
        lost = false;
        uint64_t effects = 0;
        world.fault = [&](const Action&) {
          if (lost || !isBeforeTheFence(world.state()) || ++effects < at) return ErrorCode::kOk;
          lost = true;
          loses(world, world.target());
          return ErrorCode::kOk;
        };
        ASSERT_TRUE(world.run()) << at << " stands in " << stateName(world.state()) << " " << errorName(world.error());
        ASSERT_EQ(world.checkEnd(), "") << "lost at " << at << ", ended as " << stateName(world.state());
        if (!lost) break;
        const bool moved = world.state() == kDone;
        ASSERT_TRUE(moved || (world.state() == kFailed && world.error() == ErrorCode::kNotOwner))
            << at << " " << stateName(world.state()) << " " << errorName(world.error());
        serves(world.source(), !moved);
        serves(world.target(), moved);
        failed += moved ? 0U : 1U;
        done += moved ? 1U : 0U;
      }
    }
  }
  EXPECT_GT(failed, 40U);
  EXPECT_GT(done, 0U);  // nothing was there yet
}

// The last call before it is asked: one long, so the simulator leaves it out.
TEST_P(LiveLostDisk, WhileItsOwnFeedIsOpened) {
  for (const VerifyDepth verify : {VerifyDepth::kNone, VerifyDepth::kBoth}) {
    LiveOptions options;
    LiveWorld world(options);
    Plan plan = windowed(world, 3'600'000);
    plan.verify = verify;
    world.start(plan);
    bool lost = false;
    world.fault = [&](const Action&) {
      if (!lost && world.state() == kArming) {
        lost = true;
        loses(world, world.target());
      }
      return ErrorCode::kOk;
    };
    ASSERT_TRUE(world.run()) << stateName(world.state()) << " " << errorName(world.error());
    ASSERT_TRUE(lost);
    EXPECT_EQ(world.state(), kFailed);
    EXPECT_EQ(world.error(), ErrorCode::kNotOwner);
    serves(world.source(), true);
    serves(world.target(), false);
  }
}

// It has decided, and the target had acknowledged nothing: nobody serves, nothing is deleted, and the error says whose gate it is.
TEST_P(LiveLostDisk, WhatIsDecidedStopsBeforeItIsServed) {
  LiveOptions options;
  LiveWorld world(options);
  world.autoResume = false;
  world.start(world.plan());
  std::string blamed;
  bool lost = false;
  world.onNotice = [&](const Notice& notice) {
    if (notice.error == ErrorCode::kNotOwner && !world.isOfS(notice.node)) blamed = "T";
  };
  world.fault = [&](const Action& action) {
    if (action.kind == ActionKind::kGate && action.verb == GateVerb::kActivate && !lost) {
      lost = true;
      loses(world, world.target());
    }
    return ErrorCode::kOk;
  };
  for (int i = 0; i < 20'000 && world.state() != kStopped; ++i) world.tick();
  ASSERT_EQ(world.state(), kStopped);
  EXPECT_EQ(world.error(), ErrorCode::kNotOwner);
  EXPECT_TRUE(lost);
  EXPECT_EQ(blamed, "T");
  serves(world.source(), false);
  serves(world.target(), false);
  EXPECT_GT(world.source().entries.size(), 30U);
  EXPECT_EQ(world.target().entries.size(), 0U);
  EXPECT_EQ(world.violation(), "");
}

// What is kept for a way back holds nothing of its own either.
TEST_P(LiveLostDisk, AWindowEndsWhereWhatItKeptIsGone) {
  for (const VerifyDepth verify : {VerifyDepth::kNone, VerifyDepth::kBoth}) {
    for (uint64_t seed = 1; seed <= 20; ++seed) {
      LiveOptions options;
      options.seed = seed;
      LiveWorld world(options);
      Plan plan = windowed(world, 3'600'000);
      plan.verify = verify;
      world.start(plan);
      ASSERT_TRUE(reaches(world, kReversible)) << seed << " " << stateName(world.state());
      loses(world, world.source());
      if (seed % 2 == 0 || GetParam()) {  // no write is refused that tells of it
        ASSERT_TRUE(world.reverse().ok());
      }
      ASSERT_TRUE(world.run()) << seed << " stands in " << stateName(world.state()) << " " << errorName(world.error());
      ASSERT_EQ(world.state(), kDone) << seed << " " << errorName(world.error());
      ASSERT_EQ(world.checkEnd(), "") << seed;
      EXPECT_FALSE(world.receipt()->reversed);
      EXPECT_EQ(world.receipt()->windowError, ErrorCode::kNotOwner);
      serves(world.target(), true);
      serves(world.source(), false);
    }
  }
}

// A source that does not answer the question before its fence: nobody waits behind it, so what may end a window ends it there.
TEST(LiveLostDiskAlive, WhoIsAskedForeverHoldsNoWindow) {
  for (const bool givesUp : {false, true}) {
    LiveOptions options;
    LiveWorld world(options);
    world.start(windowed(world, 3'600'000));
    ASSERT_TRUE(reaches(world, kReversible));
    ASSERT_TRUE(world.reverse().ok());
    bool asked = false;
    world.fault = [&](const Action& action) {
      const bool asks = action.kind == ActionKind::kGate && action.verb == GateVerb::kInspect && world.state() == kFencing;
      asked = asked || asks;
      return asks ? ErrorCode::kStoreStalled : ErrorCode::kOk;
    };
    for (int i = 0; i < 20'000 && !asked; ++i) world.tick();
    ASSERT_TRUE(asked);
    world.tick();
    ASSERT_EQ(world.state(), kFencing);
    ASSERT_TRUE((givesUp ? world.giveUpSource() : world.closeWindow()).ok());
    ASSERT_TRUE(world.run()) << stateName(world.state());
    EXPECT_EQ(world.state(), kDone);
    EXPECT_FALSE(world.receipt()->reversed);
    EXPECT_EQ(world.receipt()->sourceGivenUp, givesUp);
    serves(world.target(), true);
    serves(world.source(), false);
  }
}

// From the decision on, until it is asked for the last time on the way back.
TEST(LiveLostDiskAlive, TheWayBackIsNotGoneWhereItsStoreWasEmptied) {
  uint32_t ended = 0;
  for (const VerifyDepth verify : {VerifyDepth::kNone, VerifyDepth::kBoth}) {
    bool lost = true;
    for (uint64_t at = 1; lost; ++at) {
      LiveOptions options;
      options.seed = at;
      LiveWorld world(options);
      Plan plan = windowed(world, 3'600'000);
      plan.verify = verify;
      world.start(plan);
      lost = false;
      uint64_t effects = 0;
      bool asked = false, decided = false, over = false;
      world.fault = [&](const Action& action) {
        const MigrationState state = world.state();
        if (state == kReversible && !asked) asked = world.reverse().ok();
        decided = decided || state == kDeciding;
        over = over || (asked && state == kFencing);
        const bool counts = decided && !over && action.kind != ActionKind::kJournal;
        if (lost || !counts || ++effects < at) return ErrorCode::kOk;
        lost = true;
        losesItsDisk(world, world.source(), true);
        return ErrorCode::kOk;
      };
      ASSERT_TRUE(world.run()) << at << " stands in " << stateName(world.state()) << " " << errorName(world.error());
      ASSERT_EQ(world.checkEnd(), "") << at;
      ASSERT_EQ(world.state(), kDone) << at << " " << errorName(world.error());
      EXPECT_EQ(world.receipt()->reversed, !lost) << at;
      serves(world.source(), !lost);
      serves(world.target(), lost);
      if (!lost) break;
      EXPECT_EQ(world.receipt()->windowError, ErrorCode::kNotOwner) << at;
      ++ended;
    }
  }
  EXPECT_GT(ended, 20U);
}

}  // namespace
}  // namespace keyhaul::test
