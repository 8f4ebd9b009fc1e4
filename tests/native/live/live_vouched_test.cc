// Below level 5 what was compared is recorded before the fence, for the attempt that follows: it is a proof
// where that attempt is decided on, and of nothing else.
#include <gtest/gtest.h>

#include "support/reverse_world.h"

namespace keyhaul::test {
namespace {

using enum MigrationState;

// One whose first attempt hangs in the drain and is put off, so that the second one is decided on.
struct TwoAttempts {
  explicit TwoAttempts(uint64_t seed) : world(optionsOf(seed)) {
    world.onState = [this](MigrationState state) {
      fences += state == kFencing ? 1U : 0U;
      hangs = fences == 1 && state == kDraining;
      if (hangs) ofTheFirst = world.journal();
    };
    world.stall = [this](const Action& action) { return hangs && action.kind == ActionKind::kApply; };
    Plan plan = world.plan();
    plan.pauseBudgetMs = 300;
    world.start(plan);
  }

  static LiveOptions optionsOf(uint64_t seed) {
    LiveOptions options;
    options.seed = seed;
    return options;
  }

  // Whether two attempts were made before it was decided; its world stands right behind the decision.
  bool decidesOnTheSecond() { return reaches(world, kActivating) && fences == 2; }

  LiveWorld world;
  uint32_t fences = 0;
  bool hangs = false;
  std::string ofTheFirst;
};

std::optional<VerifiedRecord> recorded(const std::string& journal) {
  const auto image = readJournal(std::as_bytes(std::span(journal)));
  EXPECT_TRUE(image.ok());
  return image.ok() ? image->verified : std::nullopt;
}

TEST(LiveVouched, ForOneAttemptIsNoProofOfAnother) {
  uint32_t tried = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    TwoAttempts two(seed);
    if (!two.decidesOnTheSecond()) continue;
    LiveWorld& world = two.world;
    const auto first = recorded(two.ofTheFirst), second = recorded(world.journal());
    ASSERT_TRUE(first && first->equal && second && second->equal) << "seed " << seed;
    ASSERT_NE(first->epoch, second->epoch) << "seed " << seed;

    world.onState = nullptr;
    world.replace(two.ofTheFirst);
    ASSERT_TRUE(world.run()) << "seed " << seed << " stands in " << stateName(world.state());
    ASSERT_EQ(world.state(), kDone) << "seed " << seed << " " << errorName(world.error());
    EXPECT_FALSE(world.receipt()->verified) << "seed " << seed << ": by what was given up";
    ++tried;
  }
  EXPECT_GT(tried, 20U);
}

TEST(LiveVouched, IsAProofOfTheAttemptThatWasDecidedOn) {
  uint32_t tried = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    TwoAttempts two(seed);
    if (!two.decidesOnTheSecond()) continue;
    LiveWorld& world = two.world;
    world.crashMover();
    ASSERT_TRUE(world.run()) << "seed " << seed << " stands in " << stateName(world.state());
    ASSERT_EQ(world.checkEnd(), "") << "seed " << seed;
    EXPECT_TRUE(world.receipt()->verified) << "seed " << seed;
    ++tried;
  }
  EXPECT_GT(tried, 20U);
}

// Who goes on behind a decision that somebody else made leaves a journal that says so: the next one would take
// what stands there for the proof of what was decided.
TEST(LiveVouched, IsTakenBackWhereAnotherWasDecidedOn) {
  uint32_t tried = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    TwoAttempts two(seed);
    if (!two.decidesOnTheSecond()) continue;
    LiveWorld& world = two.world;
    world.onState = nullptr;
    world.replace(two.ofTheFirst);
    if (!reaches(world, kCleaning)) continue;
    world.crashMover();
    ASSERT_TRUE(world.run()) << "seed " << seed << " stands in " << stateName(world.state());
    ASSERT_EQ(world.state(), kDone) << "seed " << seed << " " << errorName(world.error());
    EXPECT_FALSE(world.receipt()->verified) << "seed " << seed;
    const auto record = recorded(world.journal());
    ASSERT_TRUE(record) << "seed " << seed;
    EXPECT_FALSE(record->equal) << "seed " << seed;
    ++tried;
  }
  EXPECT_GT(tried, 20U);
}

// Who dies in between, and whose way back is refused, has the proof of the way there in the journal or nowhere.
TEST(LiveVouched, NoClaimIsTurnedBeforeTheJournalSaysSo) {
  uint32_t turns = 0;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    LiveWorld world(TwoAttempts::optionsOf(seed));
    bool turning = false;
    world.onState = [&](MigrationState state) { turning = state == kTurning; };
    world.seen = [&](const Action& action, const std::string&) {
      if (!turning || action.kind != ActionKind::kRegisterSwap) return;
      ++turns;
      const auto image = readJournal(std::as_bytes(std::span(world.journal())));
      ASSERT_TRUE(image.ok());
      EXPECT_EQ(image->state, kTurning) << "seed " << seed;
    };
    world.start(windowed(world));
    ASSERT_TRUE(reaches(world, kReversible)) << "seed " << seed << " stands in " << stateName(world.state());
  }
  EXPECT_GE(turns, 40U);
}

}  // namespace
}  // namespace keyhaul::test
