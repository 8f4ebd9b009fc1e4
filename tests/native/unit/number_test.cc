// Division, digits and order of our own, against the compiler's and the library's.
#include "base/number.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace keyhaul::test {
namespace {

using Wide = unsigned __int128;

uint64_t any(std::mt19937_64& random) {
  // Of every length, so that high halves and small divisors come up.
  const uint64_t value = random();
  return value >> (random() % 64);
}

void expectLikeTheCompiler(Wide value, uint64_t by) {
  const Wide quotient = divide(value, by);
  EXPECT_TRUE(quotient == value / by)
      << static_cast<uint64_t>(value >> 64) << ' ' << static_cast<uint64_t>(value) << " / " << by;
}

TEST(Number, DividesAtTheBorders) {
  const Wide most = ~Wide{0};
  for (const uint64_t by : {uint64_t{1}, uint64_t{2}, uint64_t{1} << 63, UINT64_MAX}) {
    for (const Wide value : {Wide{0}, Wide{by}, Wide{by} - 1, Wide{by} << 64, (Wide{by} << 64) - 1,
                             Wide{UINT64_MAX}, Wide{UINT64_MAX} + 1, most, most - 1}) {
      expectLikeTheCompiler(value, by);
    }
  }
}

TEST(Number, DividesLikeTheCompiler) {
  std::mt19937_64 random(20'220'614);
  for (int i = 0; i < 100'000; ++i) {
    const Wide value = Wide{any(random)} << 64 | any(random);
    const uint64_t by = any(random);
    if (by != 0) expectLikeTheCompiler(value, by);
  }
}

TEST(Number, WritesDigits) {
  for (const uint64_t value : {uint64_t{0}, uint64_t{9}, uint64_t{10}, uint64_t{1'000'000},
                               UINT64_MAX / 10, UINT64_MAX - 1, UINT64_MAX}) {
    std::string text = "n=";
    putDecimal(text, value);
    EXPECT_EQ(text, "n=" + std::to_string(value));
    EXPECT_EQ(toDecimal(value), std::to_string(value));
  }
}

TEST(Number, SortsLikeTheLibrary) {
  std::mt19937_64 random(19'980'408);
  for (size_t count = 0; count < 200; ++count) {
    std::vector<uint64_t> numbers(count);
    for (uint64_t& number : numbers) number = count % 2 == 0 ? any(random) : random() % 8;
    std::vector<uint64_t> expected = numbers;
    std::sort(expected.begin(), expected.end());
    sortNumbers(numbers);
    EXPECT_EQ(numbers, expected);
  }
}

}  // namespace
}  // namespace keyhaul::test
