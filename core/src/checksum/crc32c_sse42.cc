// CRC-32C by the processor's own instruction. It gives a sum three cycles after it was asked, but takes
// another operand each cycle: so three neighbouring blocks at once, and the first two sums are
// then moved over the blocks behind them (as Adler's crc32c.c does; here by tables of the compiler).
#include "checksum/kernels.h"

#if defined(__x86_64__)
#include <nmmintrin.h>

#include <array>
#include <bit>

#include "base/bytes.h"
#include "checksum/tables.h"

namespace keyhaul {
namespace {

// moved[k][b]: what byte k of a register that is b becomes by kBytes of zeros.
using MoveTables = std::array<std::array<uint32_t, 256>, 4>;

// A register is a sum of bits, and so is what it becomes: of each bit over one zero byte, then over two, over four ...
template <size_t kBytes>
constexpr MoveTables makeMoveTables() {
  static_assert((kBytes & (kBytes - 1)) == 0);
  std::array<uint32_t, 32> bits{};
  for (size_t bit = 0; bit < 32; ++bit) {
    bits[bit] = 1U << bit;
    for (int i = 0; i < 8; ++i) {
      bits[bit] = (bits[bit] >> 1) ^ ((bits[bit] & 1U) != 0 ? kCrc32cPolynomial : 0U);
    }
  }
  for (size_t bytes = 1; bytes < kBytes; bytes *= 2) {
    const std::array<uint32_t, 32> half = bits;
    for (uint32_t& reg : bits) {
      uint32_t sum = 0;
      for (uint32_t rest = reg, bit = 0; rest != 0; rest >>= 1, ++bit) sum ^= (rest & 1U) * half[bit];
      reg = sum;
    }
  }
  MoveTables tables{};
  for (size_t byte = 0; byte < 4; ++byte) {
    for (size_t b = 1; b < 256; ++b) {
      const auto lowest = static_cast<size_t>(std::countr_zero(b));
      tables[byte][b] = tables[byte][b & (b - 1)] ^ bits[8 * byte + lowest];
    }
  }
  return tables;
}

template <size_t kBytes>
inline uint32_t move(uint64_t reg) {
  static constexpr MoveTables kTables = makeMoveTables<kBytes>();
  return kTables[0][reg & 0xFFU] ^ kTables[1][reg >> 8 & 0xFFU] ^ kTables[2][reg >> 16 & 0xFFU] ^
         kTables[3][reg >> 24 & 0xFFU];
}

// As long as there are three blocks of kBytes.
template <size_t kBytes>
inline uint64_t takeThrees(uint64_t reg, const std::byte*& data, size_t& length) {
  for (; length >= 3 * kBytes; length -= 3 * kBytes, data += 3 * kBytes) {
    uint64_t second = 0, third = 0;
    for (size_t i = 0; i < kBytes; i += 8) {
      reg = _mm_crc32_u64(reg, loadLe<uint64_t>(data + i));
      second = _mm_crc32_u64(second, loadLe<uint64_t>(data + kBytes + i));
      third = _mm_crc32_u64(third, loadLe<uint64_t>(data + 2 * kBytes + i));
    }
    reg = move<kBytes>(move<kBytes>(reg) ^ second) ^ third;
  }
  return reg;
}

constexpr size_t kFew = 128, kMany = 2048;

inline uint32_t takeRest(uint64_t wide, const std::byte* data, size_t length) {
  for (; length >= 8; length -= 8, data += 8) wide = _mm_crc32_u64(wide, loadLe<uint64_t>(data));
  auto reg = static_cast<uint32_t>(wide);
  for (; length > 0; --length, ++data) reg = _mm_crc32_u8(reg, static_cast<uint8_t>(*data));
  return reg;
}

// Apart, or short messages pay for the registers that it takes.
[[gnu::noinline]] uint32_t takeMany(uint64_t reg, const std::byte* data, size_t length) {
  reg = takeThrees<kMany>(reg, data, length);
  reg = takeThrees<kFew>(reg, data, length);
  return takeRest(reg, data, length);
}

}  // namespace

uint32_t crc32cSse42(uint32_t reg, const std::byte* data, size_t length) {
  return length >= 3 * kFew ? takeMany(reg, data, length) : takeRest(reg, data, length);
}

}  // namespace keyhaul
#endif
