// Deadlines follow the bytes that go there and may come back.
#include "migrate/port.h"

#include <gtest/gtest.h>

#include <algorithm>
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
  const std::vector<Key> keys(3, Key(10, 'k'));
  EXPECT_EQ(secondsOf(port.read(node, {}, keys, kPage)), kPageSeconds);
  // The host is told a limit where there is one.
  std::vector<uint64_t> told;
  std::ranges::transform(port.actions(), std::back_inserter(told), &Action::limitBytes);
  EXPECT_EQ(told, (std::vector<uint64_t>{kPage, kPage, 0}));
}

TEST_F(Asked, AWriteHasTimeForItsFrame) {
  EXPECT_EQ(secondsOf(port.apply(node, {}, {{}, 0, kPage}, 1, true, {}, false, 0)), kPageSeconds);
  EXPECT_EQ(secondsOf(port.journal({}, std::string(kPage, 'j'))), kPageSeconds);
}

}  // namespace
}  // namespace keyhaul::test
