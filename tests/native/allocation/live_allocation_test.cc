// How often Engine::step asks the heap for memory while several live migrations are under way and
// their clients write on: while they copy, catch up, verify, and in their rounds.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>

#include "allocation/counter.h"
#include "keyhaul/journal.h"
#include "migrate/changed_keys.h"
#include "support/endless_live.h"

namespace keyhaul::test {
namespace {

constexpr uint32_t kStepsMax = 200'000;

EndlessLive::Shape shapeOf(bool versions) {
  EndlessLive::Shape shape;
  shape.versions = versions;
  shape.pageEntries = 20;
  shape.keys = 100'000;
  return shape;
}

uint64_t countStep(EndlessLive& live, uint32_t writes) {
  (void)takeAllocations();
  live.step(writes, startCounting, stopCounting);
  return takeAllocations();
}
// Clients write so many keys of each in each step.
uint64_t count(EndlessLive& live, uint32_t writes, uint32_t steps) {
  uint64_t sum = 0;
  for (uint32_t i = 0; i < steps; ++i) sum += countStep(live, writes);
  return sum;
}
template <typename IsSo>
uint64_t countUntil(EndlessLive& live, uint32_t writes, IsSo isSo) {
  uint64_t sum = 0;
  for (uint32_t i = 0; i < kStepsMax && !isSo(); ++i) sum += countStep(live, writes);
  EXPECT_TRUE(isSo());
  return sum;
}
void skipTo(EndlessLive& live, MigrationState state, uint32_t writes) {
  (void)countUntil(live, writes, [&] { return live.all(state); });
}

// A memory that doubles as it fills does so at most so often on the way.
uint32_t doublings(uint64_t from, uint64_t to) { return static_cast<uint32_t>(std::bit_width(to / from)); }

TEST(LiveAllocation, CopiesAllocateNothing) {
  for (const bool versions : {false, true}) {
    EndlessLive live(shapeOf(versions));
    skipTo(live, MigrationState::kCopying, 1);
    const auto copied = [&live](uint64_t pages) { return [&live, pages] { return live.applied() >= pages; }; };
    // Each page with a checkpoint. What a range remembers of them grows up to kLeavesMax: a list, and its keys.
    (void)countUntil(live, 1, copied(100));
    EXPECT_LE(countUntil(live, 1, copied(3'700)), 3 * 2 * doublings(100, kLeavesMax));
    EXPECT_EQ(countUntil(live, 1, copied(4'900)), 0U);
    EXPECT_TRUE(live.all(MigrationState::kCopying));
  }
}

// Each has its own list of what it remembers, whose keys are in it while they are short: what reads and writes a range is that of the one before.
TEST(LiveAllocation, ARangeThatIsOnePageAllocatesForItsLeafOnly) {
  EndlessLive::Shape shape = shapeOf(false);
  shape.ranges = 5'000;
  EndlessLive live(shape);
  skipTo(live, MigrationState::kCopying, 0);
  (void)count(live, 0, 100);
  const uint64_t applied = live.applied();
  const uint64_t allocations = count(live, 0, 4'000);
  EXPECT_GE(live.applied(), applied + 1'900);
  EXPECT_LE(allocations, 3 * (live.applied() - applied + 1));
  EXPECT_TRUE(live.all(MigrationState::kCopying));
}

TEST(LiveAllocation, CatchingUpAllocatesNothing) {
  for (const bool versions : {false, true}) {
    for (const uint32_t splitMax : {0U, 4U}) {
      EndlessLive::Shape shape = shapeOf(versions);
      shape.splitMax = splitMax;
      EndlessLive live(shape);
      skipTo(live, MigrationState::kCopying, 0);
      skipTo(live, MigrationState::kCatchingUp, 4);
      // Where it may be split, it remembers some thousand keys of those that the feed names.
      (void)count(live, 8, 300);
      const uint64_t applied = live.applied();
      EXPECT_EQ(count(live, 8, 1'000), 0U);
      EXPECT_GE(live.applied(), applied + 450);
      EXPECT_TRUE(live.all(MigrationState::kCatchingUp));
    }
  }
}

TEST(LiveAllocation, VerifyingAllocatesForKeysThatDifferAndForNothingElse) {
  for (const uint32_t writes : {0U, 2U}) {
    EndlessLive live(shapeOf(false));
    skipTo(live, MigrationState::kVerifying, 0);
    (void)count(live, 0, 50);
    constexpr uint32_t kSteps = 4'000;
    // A list of the keys, of their bytes and of how they differ.
    const uint64_t most = writes == 0 ? 0 : 3 * 3 * doublings(1, uint64_t{writes} * kSteps * EndlessLive::kKeyBytes);
    EXPECT_LE(count(live, writes, kSteps), most);
    EXPECT_TRUE(live.all(MigrationState::kVerifying));
  }
}

TEST(LiveAllocation, RoundsAllocateNothing) {
  for (const bool versions : {false, true}) {
    EndlessLive::Shape shape = shapeOf(versions);
    shape.written = 500;  // also while they are compared
    EndlessLive live(shape);
    skipTo(live, MigrationState::kApproaching, 0);
    // Larger rounds than those to come, and smaller ones: their calls take buffers of other sizes.
    for (const uint32_t writes : {4U, 2U, 1U}) (void)count(live, writes, 3'000);
    const uint64_t read = live.read(), journalled = live.journalled();
    EXPECT_EQ(count(live, 2, 20'000), 0U);
    EXPECT_GT(live.read(), read + 20'000);
    EXPECT_GT(live.journalled(), journalled + 5);  // how far the feed was applied
    EXPECT_TRUE(live.all(MigrationState::kApproaching));
  }
}

// At level 5 a round reads parts of the ranges again, each of one bucket or of neighbours, and remembers of a part its
// two bounds and of a bucket its own. A part is one page of both sides at least.
TEST(LiveAllocation, RoundsOfLevel5AllocateFourTimesAPartThatIsReadAgain) {
  EndlessLive::Shape shape = shapeOf(false);
  shape.named = true;
  shape.pageEntries = 200;
  shape.written = 100'000;
  EndlessLive live(shape);
  skipTo(live, MigrationState::kApproaching, 0);
  (void)count(live, 2, 1'000);
  const uint64_t scans = live.scans();
  const uint64_t allocations = count(live, 2, 5'000);
  EXPECT_GT(live.scans(), scans + 1'000);
  EXPECT_LE(allocations, 3 * 4 * (live.scans() - scans) / 2);
  EXPECT_TRUE(live.all(MigrationState::kApproaching));
}

// One that nobody writes to otherwise, in its rounds.
class Bursts : public testing::Test {
 protected:
  Bursts() : live_([] {
    EndlessLive::Shape shape = shapeOf(false);
    shape.migrations = 1;
    return shape;
  }()) {
    skipTo(live_, MigrationState::kApproaching, 0);
    for (const uint32_t keys : {100U, 200U, 400U, 700U}) (void)burst(keys);  // calls of all sizes
  }
  // What so many other keys cost, until rounds are empty again.
  uint64_t burst(uint32_t keys) {
    if (first_ + keys > 100'000) first_ = 0;
    live_.writeFrom(std::exchange(first_, first_ + keys), keys);
    const uint64_t read = live_.read();
    const uint64_t allocations = count(live_, 0, 4'000);
    EXPECT_EQ(live_.read(), read + 2 * keys);
    return allocations;
  }

  // The same, and as many others while those are compared.
  uint64_t pair(uint32_t keys) {
    if (first_ + 2 * keys > 100'000) first_ = 0;
    live_.writeFrom(std::exchange(first_, first_ + keys), keys);
    const uint64_t read = live_.read();
    uint64_t sum = 0;
    while (live_.read() < read + 2 * keys) sum += count(live_, 0, 1);
    live_.writeFrom(std::exchange(first_, first_ + keys), keys);
    sum += count(live_, 0, 4'000);
    EXPECT_EQ(live_.read(), read + 4 * keys);
    return sum;
  }

  // The lists of what is spare, and of what is being compared.
  static constexpr uint64_t kLists = 2;
  // A node and a key.
  static constexpr uint64_t kPerKey = 2;

 private:
  EndlessLive live_;
  uint32_t first_ = 0;
};

TEST_F(Bursts, OnlyKeysBeyondTheMostOfAnyRoundAllocate) {
  const uint64_t first = burst(1'000);
  EXPECT_GE(first, kPerKey * 300);
  EXPECT_EQ(burst(1'000), 0U);
  EXPECT_EQ(burst(700), 0U);
  const uint64_t more = burst(1'500);
  EXPECT_GE(more, kPerKey * 500);
  EXPECT_LE(more, kPerKey * 500 + kLists);
  EXPECT_EQ(burst(1'500), 0U);
}

TEST_F(Bursts, TwoRoundsOneBehindTheOtherTakeTheSameMemory) {
  (void)burst(1'000);
  EXPECT_EQ(pair(1'000), 0U);
}

TEST_F(Bursts, AndThoseBeyondWhatIsKeptOfALargeRound) {
  constexpr uint64_t kKept = ChangedKeys::kSpareBytesMax / (ChangedKeys::kNodeBytes + EndlessLive::kKeyBytes);
  constexpr uint32_t kKeys = 20'000;
  (void)burst(kKeys);
  for (int i = 0; i < 2; ++i) {
    const uint64_t again = burst(kKeys);
    EXPECT_GE(again, kPerKey * (kKeys - kKept));
    EXPECT_LE(again, kPerKey * (kKeys - kKept) + kLists * doublings(1, kKeys));
  }
  // What is kept serves rounds of that size.
  EXPECT_LE(burst(static_cast<uint32_t>(kKept)), kLists * doublings(1, kKept));
  EXPECT_EQ(burst(static_cast<uint32_t>(kKept)), 0U);
}

}  // namespace
}  // namespace keyhaul::test
