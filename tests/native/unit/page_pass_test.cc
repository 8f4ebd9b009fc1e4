// One walk over a page gives what its parts give one by one, whatever the stretches are.
#include "migrate/page_pass.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace keyhaul::test {
namespace {

using Entries = std::vector<std::pair<std::string, std::string>>;

std::string keyOf(uint32_t i) {
  std::string digits = std::to_string(i);
  return std::string(8 - digits.size(), '0') + digits;
}

struct Page {
  explicit Page(const Entries& entries) {
    uint64_t dataBytes = 0;
    for (const auto& [key, value] : entries) dataBytes += key.size() + value.size();
    bytes.resize(frameBytes(entries.size(), dataBytes));
    FrameWriter writer(bytes, static_cast<uint32_t>(entries.size()));
    for (const auto& [key, value] : entries) EXPECT_TRUE(writer.put(key, value));
    writer.finish(ChecksumKind::kNone, 0, 1);
    view = viewBody(bytes, static_cast<uint32_t>(entries.size())).value();
  }
  Status pass(const PageRules& rules, ChecksumKind kind, const EntryHasher* hasher, PageSums& sums) {
    return passOver(view, std::span<const std::byte>(bytes).subspan(kFrameHeaderBytes), rules, kind, hasher, sums);
  }
  std::vector<std::byte> bytes;
  FrameView view;
};

const KeyRange kAll;
constexpr PageRules kAnything{&kAll, 100'000, 1 << 30, 1 << 30};

TEST(PagePass, GivesWhatItsPartsGive) {
  DigestKey key{};
  key[3] = std::byte{9};
  const EntryHasher hasher(key);
  for (const size_t valueBytes : {0U, 1U, 15U, 100U, 1'007U, 1'016U, 1'024U, 8'191U, 20'000U}) {
    for (const uint32_t count : {0U, 1U, 2U, 7U, 80U, 300U}) {
      Entries entries;
      for (uint32_t i = 0; i < count; ++i) entries.emplace_back(keyOf(i), std::string(valueBytes + i % 3, static_cast<char>(i)));
      Page page(entries);
      Digest expected;
      for (const auto& [k, v] : entries) expected += hasher.hash(k, v);
      for (const ChecksumKind kind : {ChecksumKind::kNone, ChecksumKind::kCrc32, ChecksumKind::kCrc32c}) {
        PageSums sums;
        ASSERT_TRUE(page.pass(kAnything, kind, &hasher, sums).ok());
        EXPECT_EQ(sums.digest, expected);
        EXPECT_EQ(sums.lastKey, count == 0 ? "" : keyOf(count - 1));
        EXPECT_EQ(sums.checksum, checksum(kind, std::span<const std::byte>(page.bytes).subspan(kFrameHeaderBytes)));
        PageSums plain;
        ASSERT_TRUE(page.pass(kAnything, kind, nullptr, plain).ok());
        EXPECT_EQ(plain.digest, Digest());
      }
    }
  }
}

TEST(PagePass, OrdersKeysByTheirBytes) {
  uint32_t state = 1;
  const auto below = [&state](uint32_t n) {
    state = state * 1'664'525U + 1'013'904'223U;
    return (state >> 16) % n;
  };
  const std::string letters("\0\x01\x7f\x80\xff", 5);
  for (int i = 0; i < 20'000; ++i) {
    std::string a(below(21), 'x'), b;
    for (char& c : a) c = letters[below(5)];
    b = a.substr(0, below(static_cast<uint32_t>(a.size()) + 1));
    for (uint32_t more = below(4); more > 0; --more) b.push_back(letters[below(5)]);
    PageSums sums;
    const Status status = Page({{a, ""}, {b, ""}}).pass(kAnything, ChecksumKind::kNone, nullptr, sums);
    ASSERT_EQ(status.code(), a < b ? ErrorCode::kOk : ErrorCode::kScanUnordered);
  }
}

TEST(PagePass, RefusesWhatAStoreMayNotGive) {
  const KeyRange range{"b", Bound::at("y")};
  const PageRules rules{&range, 3, 10, 20};
  const auto code = [&rules](const Entries& entries) {
    PageSums sums;
    return Page(entries).pass(rules, ChecksumKind::kCrc32, nullptr, sums).code();
  };
  EXPECT_EQ(code({{"b", "1"}, {"c", "2"}, {"x", "3"}}), ErrorCode::kOk);
  EXPECT_EQ(code({{"b", "1"}, {"c", "2"}, {"d", "3"}, {"e", "4"}}), ErrorCode::kScanOversize);
  EXPECT_EQ(code({{"a", "1"}}), ErrorCode::kScanOutOfRange);
  EXPECT_EQ(code({{"c", "1"}, {"y", "2"}}), ErrorCode::kScanOutOfRange);
  EXPECT_EQ(code({{"c", "1"}, {"c", "2"}}), ErrorCode::kScanUnordered);
  EXPECT_EQ(code({{"c", "1"}, {"a", "2"}}), ErrorCode::kScanUnordered);
  EXPECT_EQ(code({{"c", std::string(20, 'v')}}), ErrorCode::kEntryTooLarge);
  EXPECT_EQ(code({{"c", std::string(19, 'v')}, {"d", "2"}}), ErrorCode::kOk);
  EXPECT_EQ(code({{"c", std::string(19, 'v')}, {"d", "12"}, {"e", "3"}}), ErrorCode::kScanOversize);
}

}  // namespace
}  // namespace keyhaul::test
