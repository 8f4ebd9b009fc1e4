// Deadlines follow the bytes that go there and may come back.
#include "migrate/port.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace keyhaul::test {
namespace {

struct Asked : ::testing::Test {
  Asked() {
    port.beginStep({0});
    port.bind({1}, 128);
  }
  static Config config() {
    Config config;
    config.stallBase = seconds(2);
    config.stallBytesPerSecond = 64 * 1024;
    return config;
  }
  uint64_t secondsOf(OpId op) { return port.ops().find(op)->deadline.us / 1'000'000; }

  Port port{config()};
  const NodeId node{1};
};

constexpr uint64_t kPage = 1'000'000;       // 15.3 times 64 KiB
constexpr uint64_t kPageSeconds = 2 + 16;

TEST_F(Asked, WhatIsShortHasASecond) {
  EXPECT_EQ(secondsOf(port.estimate(node, {})), 3U);
  EXPECT_EQ(secondsOf(port.scan(node, {}, KeyRange(), 1, 1, false)), 3U);
  EXPECT_EQ(secondsOf(port.openFeed(node, {}, "position")), 3U);
}

TEST_F(Asked, AReadHasTimeForThePageThatMayCome) {
  EXPECT_EQ(secondsOf(port.scan(node, {}, KeyRange(), 1'000, kPage, false)), kPageSeconds);
  EXPECT_EQ(secondsOf(port.pollFeed(node, {}, "position", 1'000, kPage)), kPageSeconds);
  EXPECT_EQ(secondsOf(port.read(node, {}, "three keys", 3, kPage)), kPageSeconds);
  // The host is told a limit where there is one.
  std::vector<uint64_t> told;
  std::ranges::transform(port.actions(), std::back_inserter(told), &Action::limitBytes);
  EXPECT_EQ(told, (std::vector<uint64_t>{kPage, kPage, 0}));
}

// Two migrations under one rate, each with a page of 10 ms on the way most of the time.
struct Shared2 {
  static constexpr uint64_t kRate = 1'000'000, kBytes = 10'000, kRoundTripUs = 2'000;
  Shared2() {
    Config config;
    config.bytesPerSecond = kRate;
    port.emplace(config);
  }
  // Bytes of the one with the higher priority, and of the other, in so many seconds.
  std::pair<uint64_t, uint64_t> run(uint64_t s, uint8_t ahead, bool wants) {
    uint64_t taken[2] = {}, due[2] = {UINT64_MAX, UINT64_MAX};
    for (uint64_t us = 0; us < s * 1'000'000; us += 500) {
      port->beginStep({us});
      port->setAhead(ahead);
      // Whoever comes second has the last word: order is no advantage.
      for (const int who : {1, 0}) {
        if (due[who] <= us) {
          port->bucket().take(kBytes, {us});
          taken[who] += kBytes;
          due[who] = UINT64_MAX;
        }
        port->bind({static_cast<uint32_t>(who) + 1}, who == 0 ? 160 : 128);
        const bool asks = due[who] == UINT64_MAX && (who == 1 || wants);
        if (asks && port->readyAt() <= Instant{us}) due[who] = us + kRoundTripUs;
      }
    }
    return {taken[0], taken[1]};
  }
  std::optional<Port> port;
};

TEST(PortRate, WhoCannotKeepUpGetsMostOfItAndNobodyNothing) {
  const auto [equal, other] = Shared2().run(20, 0, true);
  EXPECT_NEAR(static_cast<double>(equal), static_cast<double>(other), 0.1 * static_cast<double>(equal));
  const auto [raised, rest] = Shared2().run(20, 160, true);
  EXPECT_GT(raised, 3 * rest);
  EXPECT_GT(rest, 20 * Shared2::kRate / 20);
  EXPECT_GT(raised + rest, 20 * Shared2::kRate * 95 / 100);
  // Those that somebody put first are not behind it.
  const auto [same, higher] = Shared2().run(20, 128, true);
  EXPECT_NEAR(static_cast<double>(same), static_cast<double>(higher), 0.1 * static_cast<double>(same));
}

TEST(PortRate, WhatTheOneAheadLeavesIsForTheOthers) {
  const auto [raised, rest] = Shared2().run(20, 160, false);
  EXPECT_EQ(raised, 0U);
  EXPECT_GT(rest, 20 * Shared2::kRate * 90 / 100);
}

TEST_F(Asked, AWriteHasTimeForItsFrame) {
  EXPECT_EQ(secondsOf(port.apply(node, {}, {{}, 0, kPage}, 1, true, {}, false, 0)), kPageSeconds);
  EXPECT_EQ(secondsOf(port.journal({}, std::string(kPage, 'j'))), kPageSeconds);
}

}  // namespace
}  // namespace keyhaul::test
