// How often Engine::step asks the heap for memory once a copy is under way. In a binary of
// its own, because it replaces operator new for all of it.
#include <gtest/gtest.h>

#include <bit>

#include "allocation/counter.h"
#include "keyhaul/journal.h"
#include "support/endless_copy.h"

namespace keyhaul::test {
namespace {

constexpr uint32_t kWarmUpSteps = 1'200, kSteps = 2'000;
// Of a thousand copies each.
constexpr uint32_t kManyWarmUpSteps = 100, kManySteps = 100;

struct Measured {
  uint64_t allocations = 0, checkpoints = 0, pages = 0, events = 0;
  uint64_t outsideCheckpoints = 0;  // in steps that heard of no durable write
};

Measured measure(const EndlessCopy::Shape& shape, uint32_t warmUpSteps = kWarmUpSteps,
                 uint32_t steps = kSteps) {
  EndlessCopy copy(shape);
  for (uint32_t i = 0; i < warmUpSteps; ++i) copy.step();
  Measured sum;
  sum.pages = copy.pagesApplied();
  sum.events = copy.eventsGiven();
  for (uint32_t i = 0; i < steps; ++i) {
    const uint64_t heard = copy.checkpoints() - sum.checkpoints;  // in the step before
    sum.checkpoints = copy.checkpoints();
    copy.step(startCounting, stopCounting);
    const uint64_t allocations = takeAllocations();
    sum.allocations += allocations;
    if (heard == 0) sum.outsideCheckpoints += allocations;
  }
  sum.pages = copy.pagesApplied() - sum.pages;
  sum.events = copy.eventsGiven() - sum.events;
  return sum;
}

// Until this is so; how often it asked meanwhile.
template <typename IsSo>
uint64_t countUntil(EndlessCopy& copy, IsSo isSo) {
  (void)takeAllocations();
  while (!isSo()) copy.step(startCounting, stopCounting);
  return takeAllocations();
}

TEST(Allocation, ACopyAllocatesNothingAlsoAtCheckpoints) {
  for (const uint32_t durablePages : {1U, 5U}) {
    for (const bool journal : {false, true}) {
      EndlessCopy::Shape shape;
      shape.durablePages = durablePages;
      shape.pageEntries = 2;
      shape.journal = journal;
      EndlessCopy copy(shape);
      const auto made = [&copy](uint64_t checkpoints) {
        return [&copy, checkpoints] { return copy.checkpoints() >= checkpoints; };
      };
      (void)countUntil(copy, made(32));
      // What a range remembers of them grows up to kLeavesMax: a list and its keys, which double.
      EXPECT_LE(countUntil(copy, made(3'700)), 2U * std::bit_width(kLeavesMax / 32U));
      // From there on it does not, whatever is put together meanwhile.
      EXPECT_EQ(countUntil(copy, made(3 * kLeavesMax)), 0U);
    }
  }
}

TEST(Allocation, ACopyAllocatesNothingBetweenCheckpoints) {
  for (const uint32_t durablePages : {20U, 512U}) {
    EndlessCopy::Shape shape;
    shape.durablePages = durablePages;
    shape.pageEntries = 10;
    const Measured sum = measure(shape);
    EXPECT_GT(sum.pages, kSteps / 2);
    EXPECT_EQ(sum.outsideCheckpoints, 0U);
  }
}

TEST(Allocation, ManyCopiesAllocateNoMoreThanOne) {
  EndlessCopy::Shape shape;
  shape.migrations = 20;
  shape.durablePages = 4'096;
  shape.pageEntries = 2;
  const Measured sum = measure(shape);
  EXPECT_GT(sum.events, uint64_t{kSteps} * 20);
  EXPECT_EQ(sum.allocations, 0U);
  shape.migrations = 1'000;
  const Measured thousand = measure(shape, kManyWarmUpSteps, kManySteps);
  EXPECT_GT(thousand.events, uint64_t{kManySteps} * 1'000);
  EXPECT_EQ(thousand.allocations, 0U);
}

TEST(Allocation, AComparisonAllocatesNothing) {
  EndlessCopy::Shape shape;
  shape.verify = true;
  shape.pageEntries = 10;
  const Measured sum = measure(shape);
  EXPECT_GT(sum.events, uint64_t{kSteps});
  EXPECT_EQ(sum.allocations, 0U);
}

}  // namespace
}  // namespace keyhaul::test
