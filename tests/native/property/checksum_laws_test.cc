#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "base/bytes.h"
#include "checksum/kernels.h"
#include "keyhaul/checksum.h"
#include "support/random.h"

namespace keyhaul::test {
namespace {

uint32_t bitwise(std::string_view bytes, uint32_t polynomial, uint32_t initial = 0) {
  uint32_t crc = ~initial;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? polynomial : 0U);
  }
  return ~crc;
}

class Kernels : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (!forceChecksumKernel(GetParam()).ok()) GTEST_SKIP() << "not on this processor";
  }
  void TearDown() override { ASSERT_TRUE(forceChecksumKernel("auto").ok()); }
};

TEST_P(Kernels, PublishedVectors) {
  EXPECT_EQ(crc32("123456789"), 0xCBF43926U);
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  // RFC 3720, B.4.
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(crc32c(std::string(32, '\xFF')), 0x62A8AB43U);
  std::string ascending;
  for (int i = 0; i < 32; ++i) ascending.push_back(static_cast<char>(i));
  EXPECT_EQ(crc32c(ascending), 0x46DD794EU);
  EXPECT_EQ(crc32c(std::string(ascending.rbegin(), ascending.rend())), 0x113FDB5CU);
  EXPECT_EQ(crc32("The quick brown fox jumps over the lazy dog"), 0x414FA339U);
}

TEST_P(Kernels, EveryLengthEqualsTheDefinition) {
  Random random(4);
  const std::string pool = random.bytes(1'400);
  for (size_t length = 0; length <= 1'300; ++length) {
    const std::string_view part(pool.data() + length % 16, length);
    ASSERT_EQ(crc32(part), bitwise(part, 0xEDB88320)) << length;
    ASSERT_EQ(crc32c(part), bitwise(part, 0x82F63B78)) << length;
  }
}

TEST_P(Kernels, EveryAlignmentEqualsTheDefinition) {
  Random random(7);
  const std::string pool = random.bytes(1'400);
  for (const size_t length : {size_t{64}, size_t{433}, size_t{1'000}}) {
    for (size_t offset = 0; offset < 64; ++offset) {
      const std::string_view part(pool.data() + offset, length + offset % 7);
      ASSERT_EQ(crc32(part, 0x1234), bitwise(part, 0xEDB88320, 0x1234)) << length << '@' << offset;
      ASSERT_EQ(crc32c(part, 0x1234), bitwise(part, 0x82F63B78, 0x1234)) << length << '@' << offset;
    }
  }
}

// The sparse kernel works in windows of 4 KiB, the one of SSE4.2 in three blocks of 2 KiB; pages are larger.
TEST_P(Kernels, LengthsAroundAWindowEqualTheDefinition) {
  Random random(6);
  const std::string pool = random.bytes(70'000);
  for (const size_t middle :
       {size_t{4'096}, size_t{4'400}, size_t{6'144}, size_t{8'192}, size_t{8'500}, size_t{12'288}}) {
    for (size_t length = middle - 40; length <= middle + 40; ++length) {
      const std::string_view part(pool.data() + length % 16, length);
      ASSERT_EQ(crc32(part, 0xABCD), bitwise(part, 0xEDB88320, 0xABCD)) << length;
      ASSERT_EQ(crc32c(part, 0xABCD), bitwise(part, 0x82F63B78, 0xABCD)) << length;
    }
  }
  EXPECT_EQ(crc32(pool), bitwise(pool, 0xEDB88320));
  EXPECT_EQ(crc32c(pool), bitwise(pool, 0x82F63B78));
}

// The kernel that writes over its message, on both sides of where it begins to, and of where the distant lags come in.
TEST(Checksum, InPlaceEqualsTheOtherKernels) {
  if (!forceChecksumKernel("sparse").ok()) GTEST_SKIP() << "not on this processor";
  ASSERT_TRUE(forceChecksumKernel("auto").ok());
  Random random(8);
  const std::string pool = random.bytes(300'000);
  std::vector<size_t> lengths{65'536, 262'143, 262'144, 299'000};
  for (size_t length = 0; length <= 1'300; ++length) lengths.push_back(length);
  for (size_t length = 32'700; length <= 32'900; ++length) lengths.push_back(length);
  for (const size_t length : lengths) {
    const std::string_view part(pool.data() + length % 16, length);
    std::vector<std::byte> memory(kSparseRoom + length + 16);
    std::byte* const message = memory.data() + kSparseRoom;
    const auto fill = [&] { std::copy_n(asBytes(part).begin(), length, message); };
    fill();
    ASSERT_EQ(~crc32SparseInPlace(~0xABCDU, message, length), crc32(part, 0xABCD)) << length;
    fill();
    ASSERT_EQ(~crc32cSparseInPlace(~0xABCDU, message, length), crc32c(part, 0xABCD)) << length;
    EXPECT_EQ(std::count(memory.begin(), memory.begin() + kSparseRoom, std::byte{0}), kSparseRoom);
  }
}

TEST_P(Kernels, ChainsAndCombinesAtEverySplit) {
  Random random(5);
  const std::string all = random.bytes(1'100);
  const std::string_view view(all);
  for (size_t at = 0; at <= all.size(); ++at) {
    const std::string_view a = view.substr(0, at), b = view.substr(at);
    ASSERT_EQ(crc32(b, crc32(a)), crc32(view));
    ASSERT_EQ(crc32c(b, crc32c(a)), crc32c(view));
    ASSERT_EQ(crc32Combine(crc32(a), crc32(b), b.size()), crc32(view));
    ASSERT_EQ(crc32cCombine(crc32c(a), crc32c(b), b.size()), crc32c(view));
  }
}

INSTANTIATE_TEST_SUITE_P(All, Kernels, 
                         testing::Values("portable", "sparse", "sse42", "pclmul", "vpclmul256", "vpclmul512", "armv8",
                                         "auto"));

TEST(ChecksumLaws, CombineWorksBeyondFourGigabytes) {
  // crc(a + b + c) by two routes, b and c being lengths nobody holds in memory.
  const uint32_t a = 0x12345678, b = 0x9ABCDEF0, c = 0x0F1E2D3C;
  const uint64_t huge = (uint64_t{1} << 33) + 12'345, length = (uint64_t{1} << 32) + 7;
  EXPECT_EQ(crc32cCombine(crc32cCombine(a, b, huge), c, length),
            crc32cCombine(a, crc32cCombine(b, c, length), huge + length));
  EXPECT_EQ(crc32Combine(crc32Combine(a, b, huge), c, length),
            crc32Combine(a, crc32Combine(b, c, length), huge + length));
}

// Fastest last, as far as this processor has them.
TEST(ChecksumLaws, TheFastestIsChosen) {
  std::string_view fastest32 = "portable", fastest32c = "portable";
#if defined(__x86_64__) || defined(__ARM_FEATURE_CRC32)
  for (const char* name : {"sparse", "sse42", "pclmul", "vpclmul256", "vpclmul512", "armv8"}) {
#if !defined(__x86_64__)
    if (std::string_view(name) == "sparse") continue;
#endif
    if (!forceChecksumKernel(name).ok()) continue;
    if (checksumKernelName(ChecksumKind::kCrc32) == name) fastest32 = name;
    if (checksumKernelName(ChecksumKind::kCrc32c) == name) fastest32c = name;
  }
#endif
  ASSERT_TRUE(forceChecksumKernel("auto").ok());
  EXPECT_EQ(checksumKernelName(ChecksumKind::kCrc32), fastest32);
  EXPECT_EQ(checksumKernelName(ChecksumKind::kCrc32c), fastest32c);
#if defined(__ARM_FEATURE_CRC32)
  EXPECT_EQ(fastest32, "armv8");
#endif
}

TEST(ChecksumLaws, UnknownKernelIsRefused) {
  EXPECT_EQ(forceChecksumKernel("warp").code(), ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace keyhaul::test
