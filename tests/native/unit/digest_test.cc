#include "keyhaul/digest.h"

#include <gtest/gtest.h>

#include "digest/chacha20.h"
#include "support/golden.h"
#include "support/random.h"

namespace keyhaul::test {
namespace {

EntryHasher hasher(uint8_t seed = 1) {
  DigestKey key{};
  for (size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::byte>(i * seed);
  return EntryHasher(key);
}

TEST(Digest, KeyExpansionIsChaCha20) {
  // RFC 8439, 2.3.2.
  DigestKey key{};
  for (size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::byte>(i);
  const auto block = chacha20Block(key, 1, {0x09000000, 0x4A000000, 0x00000000});
  EXPECT_EQ(block[0], 0xE4E7F110U);
  EXPECT_EQ(block[1], 0x15593BD1U);
  EXPECT_EQ(block[15], 0x4E3C50A2U);
}

TEST(Digest, OrderDoesNotMatterAndPartsAddUp) {
  const EntryHasher hash = hasher();
  Random random(11);
  std::vector<Digest> all;
  Digest forward, backward;
  for (int i = 0; i < 500; ++i) all.push_back(hash.hash(random.bytes(i % 40), random.bytes(i * 7 % 3'000)));
  for (const Digest& d : all) forward += d;
  for (auto d = all.rbegin(); d != all.rend(); ++d) backward += *d;
  EXPECT_EQ(forward, backward);
  EXPECT_EQ(forward.entries, 500U);
  Digest rest = forward;
  for (size_t i = 0; i < 200; ++i) rest -= all[i];
  Digest tail;
  for (size_t i = 200; i < all.size(); ++i) tail += all[i];
  EXPECT_EQ(rest, tail);
}

TEST(Digest, BordersValuesAndDuplicatesMatter) {
  const EntryHasher hash = hasher();
  EXPECT_NE(hash.hash("ab", "c"), hash.hash("a", "bc"));
  EXPECT_NE(hash.hash("", ""), hash.hash("", std::string(1, '\0')));
  Digest straight = hash.hash("a", "1"), crossed = hash.hash("a", "2");
  straight += hash.hash("b", "2");
  crossed += hash.hash("b", "1");
  EXPECT_NE(straight, crossed);
  Digest twice = hash.hash("a", "1");
  twice += hash.hash("a", "1");
  EXPECT_NE(twice, hash.hash("a", "1"));
  EXPECT_NE(hash.hash("a", "1"), hasher(2).hash("a", "1"));
}

// Every bit of a key and a value, over block borders, reaches about half of the sum.
TEST(Digest, EveryBitReachesTheWholeSum) {
  const EntryHasher hash = hasher();
  Random random(12);
  for (const size_t length : {1, 7, 8, 63, 1'015, 1'016, 1'017, 1'024, 2'048, 2'049, 5'000}) {
    std::string value = random.bytes(length);
    const Digest before = hash.hash("key", value);
    uint64_t flipped = 0, count = 0;
    for (size_t bit = 0; bit < length * 8; bit += 1 + length / 40) {
      value[bit / 8] = static_cast<char>(value[bit / 8] ^ (1 << bit % 8));
      const Digest after = hash.hash("key", value);
      flipped += static_cast<uint64_t>(__builtin_popcountll(before.lo ^ after.lo) +
                                       __builtin_popcountll(before.hi ^ after.hi));
      ++count;
      value[bit / 8] = static_cast<char>(value[bit / 8] ^ (1 << bit % 8));
    }
    EXPECT_NEAR(static_cast<double>(flipped) / static_cast<double>(count), 64, 10) << length;
  }
}

TEST(Digest, BytesRoundTripAndStayAsTheyWere) {
  const EntryHasher hash = hasher();
  std::string golden;
  for (const size_t length : {0, 1, 100, 1'000, 1'024, 4'096, 70'000}) {
    const Digest d = hash.hash("key", std::string(length, 'x'));
    const auto bytes = toBytes(d);
    EXPECT_EQ(digestFromBytes(bytes), d);
    golden.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  expectGolden("digests.bin", golden);
}

}  // namespace
}  // namespace keyhaul::test
