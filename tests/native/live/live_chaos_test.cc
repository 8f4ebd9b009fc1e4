// Everything at once, drawn from a seed: KEYHAUL_LIVE_SEEDS=20000 looks at so many.
#include <gtest/gtest.h>

#include <cstdlib>

#include "support/live_world.h"

namespace keyhaul::test {
namespace {

// Sanitizers make it twenty times slower.
#ifdef __SANITIZE_ADDRESS__
constexpr uint64_t kSeeds = 40;
#else
constexpr uint64_t kSeeds = 400;
#endif

uint64_t seeds() {
  const char* more = std::getenv("KEYHAUL_LIVE_SEEDS");
  return more == nullptr ? kSeeds : std::strtoull(more, nullptr, 10);
}

TEST(LiveChaos, NothingIsLostWhateverComesTogether) {
  uint64_t outcomes[kMigrationStates] = {};
  for (uint64_t seed = 1; seed <= seeds(); ++seed) {
    Random draw(seed * 7'919);
    LiveOptions options;
    options.seed = seed;
    options.keys = 10 + static_cast<uint32_t>(draw.below(60));
    options.opsPerTick = 1 + static_cast<uint32_t>(draw.below(3));
    options.readFence = draw.below(2) == 0;
    options.losesAnswers = draw.below(2) == 0;
    options.crashMoverEvery = draw.below(2) == 0 ? 30 + static_cast<uint32_t>(draw.below(60)) : 0;
    options.crashStoreEvery = draw.below(2) == 0 ? 40 + static_cast<uint32_t>(draw.below(60)) : 0;
    options.zombies = draw.below(2) == 0;
    options.lateWrites = draw.below(2) == 0 ? 1 + static_cast<uint32_t>(draw.below(30)) : 0;
    options.forgetsEvery = draw.below(4) == 0 ? 200 : 0;
    LiveWorld world(options);
    Plan plan = world.plan();
    plan.pauseBudgetMs = draw.below(3) == 0 ? 500 : 1'000;
    plan.lanes = 1 + static_cast<uint32_t>(draw.below(3));
    if (draw.below(3) == 0) plan.ranges = {{"key101", Bound::at("key1020")}, {"key103", Bound::at("key104")}};
    const uint64_t slow = draw.below(4) == 0 ? 1 + draw.below(3) : 0;
    uint32_t fences = 0;
    bool fenced = false;
    world.onState = [&](MigrationState state) {
      fences += state == MigrationState::kFencing ? 1U : 0U;
      fenced = state == MigrationState::kDraining;
    };
    world.stall = [&](const Action& action) {
      return fenced && fences <= slow && action.kind == ActionKind::kApply;
    };
    const uint64_t asks = draw.below(3), when = draw.below(300);
    world.start(plan);
    for (uint64_t i = 0; asks != 0 && i < when && !isFinal(world.state()); ++i) {
      world.tick();
      if (world.state() == MigrationState::kStopped) break;
    }
    if (asks == 1) world.cancel();
    if (asks == 2) world.stop();
    ASSERT_TRUE(world.run(60'000)) << "seed " << seed << " stands in " << stateName(world.state());
    ASSERT_EQ(world.checkEnd(), "") << "seed " << seed << " " << stateName(world.state());
    ++outcomes[static_cast<uint32_t>(world.state())];
    const bool mayDiffer = options.forgetsEvery != 0;
    using enum MigrationState;
    // Stopped before it claimed anything, there is nothing to go on with.
    const bool neverBegan = asks == 2 && world.state() == kFailed && world.error() == ErrorCode::kInterrupted;
    const bool fine = world.state() == kDone || neverBegan || (asks == 1 && world.state() == kCancelled) ||
                      (mayDiffer && world.state() == kMismatch) || world.error() == ErrorCode::kPauseBudget;
    ASSERT_TRUE(fine) << "seed " << seed << " " << stateName(world.state()) << " " << errorName(world.error());
  }
  EXPECT_GT(outcomes[static_cast<uint32_t>(MigrationState::kDone)], seeds() / 3);
  EXPECT_GT(outcomes[static_cast<uint32_t>(MigrationState::kCancelled)], 0U);
  EXPECT_GT(outcomes[static_cast<uint32_t>(MigrationState::kMismatch)], 0U);
}

}  // namespace
}  // namespace keyhaul::test
