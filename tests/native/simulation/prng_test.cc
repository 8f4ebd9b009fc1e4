#include "prng.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace keyhaul::sim {
namespace {

// The first words of xoshiro256++ from the state 1, 2, 3, 4, as other implementations give them.
TEST(Prng, IsXoshiro256PlusPlus) {
  Prng prng(std::array<uint64_t, 4>{1, 2, 3, 4});
  for (const uint64_t word : {41943041ULL, 58720359ULL, 3588806011781223ULL, 3591011842654386ULL,
                              9228616714210784205ULL, 9973669472204895162ULL}) {
    EXPECT_EQ(prng.next(), word);
  }
}

TEST(Prng, StreamsAreTheirOwn) {
  Prng a(7, "network"), again(7, "network"), b(7, "disk"), c(8, "network");
  const uint64_t word = a.next();
  EXPECT_EQ(word, again.next());
  EXPECT_NE(word, b.next());
  EXPECT_NE(word, c.next());
}

// Two thirds of what 2^64 words give modulo 3 * 2^62 would lie in the lower third twice.
TEST(Prng, BoundedDrawsHaveNoBias) {
  Prng prng(1, "bias");
  const uint64_t third = uint64_t{1} << 62;
  int lower = 0;
  for (int i = 0; i < 100'000; ++i) lower += prng.below(3 * third) < third ? 1 : 0;
  EXPECT_NEAR(lower, 33'333, 700);
}

TEST(Prng, BetweenReachesBothEnds) {
  Prng prng(1, "ends");
  std::vector<int> counts(5);
  for (int i = 0; i < 1'000; ++i) ++counts[prng.between(10, 14) - 10];
  for (const int count : counts) EXPECT_GT(count, 120);
}

TEST(Prng, NegativeLog2IsTheLogarithm) {
  Prng prng(1, "log");
  EXPECT_EQ(negativeLog2(uint64_t{1} << 63), uint64_t{1} << 32);
  EXPECT_EQ(negativeLog2(1), uint64_t{64} << 32);
  for (int i = 0; i < 100'000; ++i) {
    const uint64_t x = (prng.next() >> prng.below(64)) | 1;
    const double exact = 64 - std::log2(static_cast<double>(x));
    ASSERT_NEAR(static_cast<double>(negativeLog2(x)) / 4294967296.0, exact, 1e-5) << x;
  }
}

TEST(Prng, ExponentialHasItsMeanAndItsTail) {
  Prng prng(1, "exponential");
  double sum = 0;
  int beyond = 0;
  for (int i = 0; i < 200'000; ++i) {
    const uint64_t drawn = prng.exponential(10'000);
    sum += static_cast<double>(drawn);
    beyond += drawn > 30'000 ? 1 : 0;
  }
  EXPECT_NEAR(sum / 200'000, 10'000, 100);
  EXPECT_NEAR(beyond, 200'000 * std::exp(-3.0), 400);
}

TEST(Prng, ChanceOfNothingDrawsNothing) {
  Prng a(1, "chance"), b(1, "chance");
  EXPECT_FALSE(a.chance(0));
  EXPECT_EQ(a.next(), b.next());
  EXPECT_TRUE(a.chance(1'000'000));
}

}  // namespace
}  // namespace keyhaul::sim
