// Ranges that were split, or lay side by side, move back as one.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "oracles/oracles.h"
#include "register.h"
#include "scenario.h"
#include "world.h"

namespace keyhaul::sim {
namespace {

constexpr bool kThorough = KEYHAUL_SIM_SEEDS >= 1'000;

// Of the job that joins: how many parts it claims, and how many the register has of them once it has decided.
class Parts : public Oracle {
 public:
  using Oracle::Oracle;
  std::string_view name() const override { return "parts"; }
  void onRegister(const OwnershipMap& before, const OwnershipMap& after) override {
    for (const auto& job : world_.jobs()) {
      if (job->joined.empty()) continue;
      const Claim *was = before.find(job->plan.claim), *is = after.find(job->plan.claim);
      if (was == nullptr && is != nullptr) claimed = partsOf(before, *job);
      const bool wasOpen = was != nullptr && was->state == ClaimState::kClaimed;
      if (wasOpen && is != nullptr && is->state == ClaimState::kDecided) decided = partsOf(after, *job);
    }
  }
  // The most of one range.
  static size_t partsOf(const OwnershipMap& map, const Job& job) {
    size_t most = 0;
    for (const KeyRange& range : job.plan.ranges) {
      const auto overlaps = [&](const Ownership& part) { return part.range.overlaps(range); };
      most = std::max(most, static_cast<size_t>(std::count_if(map.parts().begin(), map.parts().end(), overlaps)));
    }
    return most;
  }
  size_t claimed = 0, decided = 0;
};

TEST(Joined, PartsBecomeOneRangeAndMoveAsOne) {
  uint64_t with = 0, moved = 0, ofParts = 0, ofNeighbours = 0;
  const uint64_t seeds = kThorough ? 120 : 18;
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    Options options;
    options.seed = seed;
    options.scenario = "live-split";
    World world(options);
    addOracles(world);
    auto made = std::make_unique<Parts>(world);
    const Parts& parts = *made;
    world.addOracle(std::move(made));
    findScenario("live-split")->build(world);
    const auto joins = [](const auto& job) { return !job->joined.empty(); };
    const auto job = std::find_if(world.jobs().begin(), world.jobs().end(), joins);
    if (job == world.jobs().end()) continue;
    ++with;
    const Report report = world.run();
    ASSERT_TRUE(report.ok()) << toText(report);
    if (!(*job)->begun || (*job)->state != MigrationState::kDone) continue;
    ++moved;
    EXPECT_EQ(parts.decided, 1U) << "one owner, one epoch: seed " << seed;
    ofParts += parts.claimed > 1 ? 1U : 0U;
    ofNeighbours += (*job)->joined.size() < world.job(0).plan.ranges.size() ? 1U : 0U;
  }
  EXPECT_GE(with * 5, seeds);
  EXPECT_LE(with * 2, seeds);
  EXPECT_GT(moved * 3, with);
  EXPECT_GT(ofParts, kThorough ? 5U : 0U);
  EXPECT_GT(ofNeighbours, kThorough ? 2U : 0U);
}

}  // namespace
}  // namespace keyhaul::sim
