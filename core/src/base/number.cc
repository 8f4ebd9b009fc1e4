#include "base/number.h"

#include <algorithm>

namespace keyhaul {

unsigned __int128 divide(unsigned __int128 value, uint64_t by) {
  auto high = static_cast<uint64_t>(value >> 64);
  auto low = static_cast<uint64_t>(value);
  if (high == 0) return low / by;
  uint64_t rest = 0;
  // The quotient moves in from below as the value moves out above.
  for (int bit = 0; bit < 128; ++bit) {
    const bool carried = rest >> 63 != 0;
    rest = rest << 1 | high >> 63;
    const bool one = carried || rest >= by;
    if (one) rest -= by;
    high = high << 1 | low >> 63;
    low = low << 1 | (one ? 1U : 0U);
  }
  return static_cast<unsigned __int128>(high) << 64 | low;
}

void putDecimal(std::string& out, uint64_t value) {
  char digits[20];
  size_t at = sizeof digits;
  do {
    digits[--at] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  out.append(digits + at, sizeof digits - at);
}

std::string toDecimal(uint64_t value) {
  std::string text;
  putDecimal(text, value);
  return text;
}

void sortNumbers(std::vector<uint64_t>& numbers) {
  std::make_heap(numbers.begin(), numbers.end());
  std::sort_heap(numbers.begin(), numbers.end());
}

}  // namespace keyhaul
