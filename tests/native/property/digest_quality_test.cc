// Statistics of the entry hash: its keyed finaliser is assumed, not proven, to act like a random
// function (core/src/digest/README.md), so it is looked at from outside. Keys are fixed, so a run
// is repeatable; the bounds lie six standard deviations from what a random function would give.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numeric>
#include <string>
#include <vector>

#include "keyhaul/digest.h"
#include "support/random.h"

namespace keyhaul::test {
namespace {

DigestKey keyOf(uint64_t seed) {
  Random random(seed);
  const std::string bytes = random.bytes(kDigestKeyBytes);
  DigestKey key;
  std::transform(bytes.begin(), bytes.end(), key.begin(), [](char c) { return std::byte(c); });
  return key;
}

// The same sums on every machine and with every vector width: lengths around all borders.
TEST(DigestQuality, SumsAreAsEver) {
  DigestKey key;
  for (size_t i = 0; i < key.size(); ++i) key[i] = std::byte(i * 7 + 1);
  const EntryHasher hasher(key);
  std::string pool;
  uint64_t state = 9;
  for (int i = 0; i < 5'000; ++i) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    pool.push_back(static_cast<char>(state >> 56));
  }
  Digest all;
  uint64_t ordered = 0;
  for (size_t k = 0; k < 40; ++k) {
    for (size_t v = 0; v < 2'300;) {
      const Digest one =
          hasher.hash(std::string_view(pool).substr(3, k), std::string_view(pool).substr(100, v));
      ordered = ordered * 31 + one.lo * 3 + one.hi;
      all += one;
      v += v < 80 || (v > 900 && v < 1'100) || v > 2'000 ? 1 : 37;
    }
  }
  // As the scalar version of the first release gave them.
  EXPECT_EQ(all.lo, 0x8b212cfce15c44f1U);
  EXPECT_EQ(all.hi, 0xeed3aff354cbd264U);
  EXPECT_EQ(ordered, 0x2755e7778253b92aU);
}

TEST(DigestQuality, EachInputBitTurnsEachOutputBitHalfOfTheTime) {
  constexpr size_t kBits = (4 + 20) * 8;
  constexpr uint32_t kTrials = 4'000;
  std::vector<std::array<uint32_t, 128>> turned(kBits);
  Random random(17);
  const EntryHasher hasher(keyOf(18));
  for (uint32_t trial = 0; trial < kTrials; ++trial) {
    std::string entry = random.bytes(kBits / 8);
    const auto hash = [&] {
      return hasher.hash(std::string_view(entry).substr(0, 4), std::string_view(entry).substr(4));
    };
    const Digest before = hash();
    for (size_t bit = 0; bit < kBits; ++bit) {
      entry[bit / 8] = static_cast<char>(entry[bit / 8] ^ (1 << (bit % 8)));
      const Digest after = hash();
      entry[bit / 8] = static_cast<char>(entry[bit / 8] ^ (1 << (bit % 8)));
      for (size_t out = 0; out < 64; ++out) {
        turned[bit][out] += static_cast<uint32_t>((before.lo ^ after.lo) >> out & 1U);
        turned[bit][out + 64] += static_cast<uint32_t>((before.hi ^ after.hi) >> out & 1U);
      }
    }
  }
  const double deviation = 6 * std::sqrt(kTrials) / 2;
  for (size_t bit = 0; bit < kBits; ++bit) {
    for (size_t out = 0; out < 128; ++out) {
      ASSERT_NEAR(turned[bit][out], kTrials / 2, deviation) << "in " << bit << ", out " << out;
    }
  }
}

using Take = std::function<void(std::string_view key, std::string_view value)>;

struct Family {
  const char* name;
  void (*entries)(const Take&);
};

void singleBits(const Take& take) {
  std::string value(512, '\0');
  for (size_t bit = 0; bit < 8 * value.size(); ++bit) {
    value[bit / 8] = static_cast<char>(1 << (bit % 8));
    take("k", value);
    value[bit / 8] = '\0';
  }
}

void pairsOfBits(const Take& take) {
  std::string value(32, '\0');
  const auto turn = [&](size_t bit) {
    value[bit / 8] = static_cast<char>(value[bit / 8] ^ (1 << (bit % 8)));
  };
  for (size_t a = 0; a < 256; ++a) {
    for (size_t b = 0; b < a; ++b) {
      turn(a), turn(b);
      take("k", value);
      turn(a), turn(b);
    }
  }
}

// The same bytes, cut into key and value at each place, with zeros before and behind.
void borders(const Take& take) {
  for (size_t length = 0; length < 160; ++length) {
    const std::string bytes(length, '\0');
    for (size_t at = 0; at <= length; ++at) {
      take(std::string_view(bytes).substr(0, at), std::string_view(bytes).substr(at));
    }
  }
}

// NH multiplies words in pairs: the orders of words are where it would be weak.
void permutations(const Take& take) {
  std::array<uint32_t, 8> words{1, 2, 3, 4, 5, 6, 7, 8};
  do {
    take("k", {reinterpret_cast<const char*>(words.data()), sizeof(words)});
  } while (std::next_permutation(words.begin(), words.end()));
}

void counters(const Take& take) {
  for (uint64_t i = 0; i < 100'000; ++i) {
    const uint64_t step = i << 24;
    take({reinterpret_cast<const char*>(&i), sizeof(i)}, {reinterpret_cast<const char*>(&step), sizeof(step)});
  }
}

// Blocks of a kilobyte that change places go through the polynomial.
void blocks(const Take& take) {
  std::array<uint8_t, 7> order{0, 1, 2, 3, 4, 5, 6};
  do {
    std::string value;
    for (const uint8_t block : order) value += std::string(1'024, static_cast<char>('a' + block));
    take("", value);
  } while (std::next_permutation(order.begin(), order.end()));
}

class Families : public testing::TestWithParam<Family> {};

TEST_P(Families, CollideNoMoreThanAtRandom) {
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    const EntryHasher hasher(keyOf(seed));
    std::array<std::vector<uint64_t>, 4> parts;
    std::array<std::vector<uint64_t>, 2> halves;
    GetParam().entries([&](std::string_view key, std::string_view value) {
      const Digest one = hasher.hash(key, value);
      halves[0].push_back(one.lo);
      halves[1].push_back(one.hi);
      parts[0].push_back(one.lo & 0xFFFFFFFF);
      parts[1].push_back(one.lo >> 32);
      parts[2].push_back(one.hi & 0xFFFFFFFF);
      parts[3].push_back(one.hi >> 32);
    });
    const auto collisions = [](std::vector<uint64_t>& values) {
      std::sort(values.begin(), values.end());
      return std::transform_reduce(values.begin(), values.end() - 1, values.begin() + 1, size_t{0},
                                   std::plus<>(), std::equal_to<>());
    };
    for (auto& half : halves) EXPECT_EQ(collisions(half), 0U);
    const double n = static_cast<double>(parts[0].size());
    const double expected = n * n / 2 / 4294967296.0;
    for (auto& part : parts) {
      EXPECT_LE(static_cast<double>(collisions(part)), expected + 6 * std::sqrt(expected) + 3);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Families,
                         testing::Values(Family{"singleBits", singleBits},
                                         Family{"pairsOfBits", pairsOfBits},
                                         Family{"borders", borders},
                                         Family{"permutations", permutations},
                                         Family{"counters", counters}, Family{"blocks", blocks}),
                         [](const auto& info) { return std::string(info.param.name); });

// Sums of a multiset: the same entry again and again never gives an earlier sum, nor zero.
TEST(DigestQuality, DuplicatesAddUpToNothingKnown) {
  const EntryHasher hasher(keyOf(5));
  const Digest one = hasher.hash("key", "value");
  std::vector<std::pair<uint64_t, uint64_t>> sums;
  Digest sum;
  for (int i = 0; i < 20'000; ++i) {
    sums.emplace_back(sum.hi, sum.lo);
    sum += one;
  }
  std::sort(sums.begin(), sums.end());
  EXPECT_EQ(std::adjacent_find(sums.begin(), sums.end()), sums.end());
}

}  // namespace
}  // namespace keyhaul::test
