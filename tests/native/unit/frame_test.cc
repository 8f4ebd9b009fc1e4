#include "keyhaul/frame.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "support/golden.h"
#include "support/random.h"

namespace keyhaul::test {
namespace {

using Rows = std::vector<std::pair<std::string, std::optional<std::string>>>;

std::string frameOf(const Rows& rows, ChecksumKind kind, uint8_t flags = 0, uint64_t sequence = 7) {
  uint64_t data = 0;
  for (const auto& [key, value] : rows) data += key.size() + (value ? value->size() : 0);
  std::string bytes(frameBytes(rows.size(), data), '\0');
  FrameWriter writer({reinterpret_cast<std::byte*>(bytes.data()), bytes.size()},
                     static_cast<uint32_t>(rows.size()));
  for (const auto& [key, value] : rows) {
    EXPECT_TRUE(value ? writer.put(key, *value) : writer.del(key));
  }
  EXPECT_EQ(writer.finish(kind, flags, sequence), bytes.size());
  return bytes;
}

Rows read(const FrameView& frame) {
  Rows rows;
  for (const EntryView entry : frame) {
    rows.emplace_back(entry.key, entry.deleted ? std::nullopt
                                               : std::optional<std::string>(entry.value));
  }
  return rows;
}

const Rows kRows = {{"", "empty key"}, {std::string("\0\xFF", 2), ""}, {"apple", "red"}, {"gone", std::nullopt}};

TEST(Frame, RoundTripsEveryKindOfEntry) {
  for (const ChecksumKind kind : {ChecksumKind::kNone, ChecksumKind::kCrc32, ChecksumKind::kCrc32c}) {
    const std::string bytes = frameOf(kRows, kind, kFrameFlagEnd);
    const auto frame = readFrame(asBytes(bytes));
    ASSERT_TRUE(frame.ok());
    EXPECT_EQ(read(frame.value()), kRows);
    EXPECT_TRUE(frame->isEnd());
    EXPECT_EQ(frame->header().sequence, 7U);
    EXPECT_EQ(frame->dataBytes(), 9U + 2 + 8 + 4);
  }
}

TEST(Frame, GoldenFiles) {
  expectGolden("frames/empty.bin", frameOf({}, ChecksumKind::kCrc32, kFrameFlagEnd, 0));
  expectGolden("frames/entries-crc32.bin", frameOf(kRows, ChecksumKind::kCrc32));
  expectGolden("frames/entries-crc32c.bin", frameOf(kRows, ChecksumKind::kCrc32c));
  expectGolden("frames/one.bin", frameOf({{"k", "v"}}, ChecksumKind::kCrc32c, kFrameFlagEnd, 1));
}

TEST(Frame, EveryBitFlipIsRefused) {
  for (const char* name : {"empty", "entries-crc32", "entries-crc32c", "one"}) {
    std::string bytes = readFile(goldenPath(std::string("frames/") + name + ".bin"));
    ASSERT_TRUE(readFrame(asBytes(bytes)).ok());
    for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
      EXPECT_EQ(readFrame(asBytes(bytes)).code(), ErrorCode::kFrameCorrupt) << name << " " << bit;
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    }
  }
}

TEST(Frame, EveryTruncationIsCalledThat) {
  const std::string bytes = frameOf(kRows, ChecksumKind::kCrc32);
  for (size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_EQ(readFrame(asBytes(bytes).first(length)).code(), ErrorCode::kFrameTruncated) << length;
  }
}

// The header's own checksum is mended, so that the field behind it is looked at.
std::string withHeaderByte(std::string bytes, size_t at, char value) {
  bytes[at] = value;
  storeLe(bytes.data() + 28, crc32c(std::string_view(bytes).substr(0, 28)));
  return bytes;
}

TEST(Frame, TheFutureIsRefusedAsSuch) {
  const std::string bytes = frameOf(kRows, ChecksumKind::kCrc32);
  for (const size_t at : {size_t{4}, size_t{5}, size_t{6}, size_t{7}}) {
    EXPECT_EQ(readFrame(asBytes(withHeaderByte(bytes, at, 9))).code(), ErrorCode::kFrameVersion);
  }
  std::string huge = bytes;
  storeLe(huge.data() + 12, uint32_t{0x7FFFFFFF});
  storeLe(huge.data() + 28, crc32c(std::string_view(huge).substr(0, 28)));
  EXPECT_EQ(readFrame(asBytes(huge)).code(), ErrorCode::kFrameLimit);
}

TEST(Frame, LengthsThatDoNotAddUpAreRefused) {
  std::string bytes = frameOf(kRows, ChecksumKind::kNone);
  for (const uint32_t length : {4U, 6U, 0xFFFFFFFEU, 0x80000000U}) {
    std::string wrong = bytes;
    storeLe(wrong.data() + kFrameHeaderBytes, length);
    EXPECT_EQ(readFrame(asBytes(wrong)).code(), ErrorCode::kFrameCorrupt);
    EXPECT_EQ(viewBody(asBytes(wrong), 4).code(), ErrorCode::kFrameCorrupt);
  }
  EXPECT_EQ(viewBody(asBytes(bytes), 3).code(), ErrorCode::kFrameCorrupt);
  EXPECT_EQ(viewBody(asBytes(bytes), 0xFFFFFFFF).code(), ErrorCode::kFrameCorrupt);
}

TEST(Frame, WriterKeepsToItsBounds) {
  std::byte small[kFrameHeaderBytes + 8 + 3];
  FrameWriter writer(small, 1);
  EXPECT_FALSE(writer.put("key", "value"));
  EXPECT_TRUE(writer.put("k", "v"));
}

}  // namespace
}  // namespace keyhaul::test
