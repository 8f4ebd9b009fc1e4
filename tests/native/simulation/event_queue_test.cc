#include "event_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "prng.h"

namespace keyhaul::sim {
namespace {

TEST(EventQueue, IsAStableSort) {
  Prng prng(1, "queue");
  EventQueue queue;
  std::vector<std::pair<uint64_t, uint64_t>> expected;
  for (uint64_t i = 0; i < 20'000; ++i) {
    Queued event;
    event.arg = i;
    const uint64_t timeUs = prng.below(500);  // many at the same time
    queue.push(timeUs, event);
    expected.emplace_back(timeUs, i);
  }
  std::stable_sort(expected.begin(), expected.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [time, arg] : expected) {
    uint64_t timeUs = 0;
    ASSERT_EQ(queue.nextTimeUs(), time);
    ASSERT_EQ(queue.pop(timeUs).arg, arg);
    ASSERT_EQ(timeUs, time);
  }
  EXPECT_TRUE(queue.empty());
}

TEST(EventQueue, KeepsOrderWhilePushedAndPopped) {
  Prng prng(2, "queue");
  EventQueue queue;
  uint64_t nowUs = 0, lastArg = 0;
  for (uint64_t i = 1; i <= 100'000; ++i) {
    Queued event;
    event.arg = i;
    queue.push(nowUs + prng.below(50), event);
    if (prng.below(3) == 0) continue;
    uint64_t timeUs = 0;
    const Queued popped = queue.pop(timeUs);
    ASSERT_GE(timeUs, nowUs);
    ASSERT_NE(popped.arg, lastArg);
    nowUs = timeUs;
    lastArg = popped.arg;
  }
}

}  // namespace
}  // namespace keyhaul::sim
