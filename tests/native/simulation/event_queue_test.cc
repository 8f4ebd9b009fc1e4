#include "event_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
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

// Gaps of every size, from none to centuries, against a tree that keeps equal times in order.
TEST(EventQueue, EqualsASortedTreeAtEveryDistance) {
  Prng prng(3, "queue");
  EventQueue queue;
  std::multimap<uint64_t, uint64_t> expected;
  uint64_t nowUs = 0;
  const auto popBoth = [&] {
    ASSERT_EQ(queue.nextTimeUs(), expected.begin()->first);
    const Queued popped = queue.pop(nowUs);
    ASSERT_EQ(nowUs, expected.begin()->first);
    ASSERT_EQ(popped.arg, expected.begin()->second);
    expected.erase(expected.begin());
  };
  for (uint64_t i = 1; i <= 200'000; ++i) {
    Queued event;
    event.arg = i;
    const uint64_t gapUs = prng.below(uint64_t{1} << prng.below(prng.below(100) == 0 ? 50 : 24));
    // Now and then exactly when another one is: by then that one may have moved down.
    uint64_t timeUs = nowUs + gapUs;
    if (!expected.empty() && prng.below(4) == 0) {
      timeUs = std::next(expected.begin(), static_cast<ptrdiff_t>(prng.below(std::min<uint64_t>(expected.size(), 40))))->first;
    }
    queue.push(timeUs, event);
    expected.emplace(timeUs, i);
    ASSERT_EQ(queue.size(), expected.size());
    while (!expected.empty() && prng.below(expected.size() > 3'000 ? 10 : 2) != 0) {
      ASSERT_NO_FATAL_FAILURE(popBoth());
    }
  }
  queue.push(UINT64_MAX, {});
  expected.emplace(UINT64_MAX, 0);
  while (!expected.empty()) ASSERT_NO_FATAL_FAILURE(popBoth());
  EXPECT_TRUE(queue.empty());
}

}  // namespace
}  // namespace keyhaul::sim
