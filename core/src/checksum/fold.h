// CRC by carry-less multiplication: four 128-bit lanes are folded forward by 512 bits a turn
// (Gopal et al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction",
// Intel 2009), the last lane is reduced after Barrett. For both polynomials, and for every
// processor whose operations `Ops` wraps. What is left of 16 bytes is folded in too: slice-by-16
// of up to 15 bytes took longer than all the rest of a record.
//
// In an unnamed namespace, because each file that includes this is compiled for other
// instructions: shared inline functions could end up as those of the wrong file.
#pragma once

#include <cstddef>
#include <cstdint>

#include "checksum/tables.h"

namespace keyhaul {
namespace {

// x^n modulo the polynomial, reflected, moved up by one: the product of two reflected operands
// comes out one bit low.
template <uint32_t kPolynomial>
constexpr uint64_t foldPower(uint32_t n) {
  uint32_t value = 1U << 31;
  for (uint32_t i = 0; i < n; ++i) {
    value = (value >> 1) ^ ((value & 1U) != 0 ? kPolynomial : 0U);
  }
  return uint64_t{value} << 1;
}

constexpr uint64_t reflect(uint64_t value, int bits) {
  uint64_t out = 0;
  for (int i = 0; i < bits; ++i) out |= (value >> i & 1U) << (bits - 1 - i);
  return out;
}

// The quotient of x^64 by the polynomial, reflected, 33 bits.
template <uint32_t kPolynomial>
constexpr uint64_t barrettQuotient() {
  const uint64_t divisor = uint64_t{1} << 32 | reflect(kPolynomial, 32);
  uint64_t quotient = uint64_t{1} << 32;
  uint64_t rest = divisor << 32;  // what the first bit leaves of x^64, which does not fit
  for (int i = 31; i >= 0; --i) {
    if ((rest >> (32 + i) & 1U) == 0) continue;
    quotient |= uint64_t{1} << i;
    rest ^= divisor << i;
  }
  return reflect(quotient, 33);
}

static_assert(foldPower<kCrc32Polynomial>(512 + 32) == 0x154442bd4, "as published");
static_assert(foldPower<kCrc32Polynomial>(512 - 32) == 0x1c6e41596, "as published");
static_assert(barrettQuotient<kCrc32Polynomial>() == 0x1f7011641, "as published");

// Loaded at 16 + n, the index of each byte n places on; at n, of each 16 - n places back.
// Indexes above 127 give zero.
alignas(16) constexpr uint8_t kMoves[48] = {
    0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
    0x80, 0x80, 0x80, 0x80, 0,    1,    2,    3,    4,    5,    6,    7,
    8,    9,    10,   11,   12,   13,   14,   15,   0x80, 0x80, 0x80, 0x80,
    0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80};

template <typename Ops, uint32_t kPolynomial>
struct Folding {
  using Lane = typename Ops::Lane;

  // The constants that carry a lane on over kBits.
  template <uint32_t kBits>
  static Lane by() {
    constexpr uint64_t low = foldPower<kPolynomial>(kBits + 32);
    constexpr uint64_t high = foldPower<kPolynomial>(kBits - 32);
    return Ops::pair(low, high);
  }

  static Lane fold(Lane lane, Lane constants, Lane next) {
    return Ops::sum(Ops::sum(Ops::template multiply<0, 0>(lane, constants),
                             Ops::template multiply<1, 1>(lane, constants)),
                    next);
  }

  // The register after `lane` and the bytes behind it.
  // Precondition: at least 16 bytes lie before data + length, in one piece with it.
  static uint32_t finish(Lane lane, const std::byte* data, size_t length) {
    const Lane by128 = by<128>();
    for (; length >= 16; length -= 16, data += 16) lane = fold(lane, by128, Ops::load(data));
    if (length > 0) {
      const auto* moves = reinterpret_cast<const std::byte*>(kMoves);
      const Lane on = Ops::load(moves + 16 + length), back = Ops::load(moves + length);
      const Lane tail = Ops::load(data + length - 16);  // its last bytes are those left
      lane = fold(Ops::shuffle(lane, back), by128, Ops::pick(on, tail, Ops::shuffle(lane, on)));
    }
    return reduce(lane);
  }

  static uint32_t reduce(Lane lane) {
    const Lane low32 = Ops::pair(0xFFFFFFFF, 0);
    // 128 bits to 96, to 64, to 32.
    lane = Ops::sum(Ops::template multiply<0, 1>(lane, by<128>()), Ops::template drop<8>(lane));
    constexpr uint64_t by64 = foldPower<kPolynomial>(64);
    lane = Ops::sum(Ops::template multiply<0, 0>(Ops::both(lane, low32), Ops::pair(by64, 0)),
                    Ops::template drop<4>(lane));
    constexpr uint64_t divisor = uint64_t{kPolynomial} << 1 | 1;
    const Lane barrett = Ops::pair(divisor, barrettQuotient<kPolynomial>());
    Lane quotient = Ops::template multiply<0, 1>(Ops::both(lane, low32), barrett);
    quotient = Ops::template multiply<0, 0>(Ops::both(quotient, low32), barrett);
    return Ops::secondWord(Ops::sum(lane, quotient));
  }

  // Precondition: length >= 16.
  static uint32_t run(uint32_t reg, const std::byte* data, size_t length) {
    Lane a = Ops::sum(Ops::load(data), Ops::pair(reg, 0));
    if (length < 64) return finish(a, data + 16, length - 16);
    Lane b = Ops::load(data + 16), c = Ops::load(data + 32), d = Ops::load(data + 48);
    data += 64;
    length -= 64;
    const Lane by512 = by<512>();
    for (; length >= 64; length -= 64, data += 64) {
      a = fold(a, by512, Ops::load(data));
      b = fold(b, by512, Ops::load(data + 16));
      c = fold(c, by512, Ops::load(data + 32));
      d = fold(d, by512, Ops::load(data + 48));
    }
    const Lane by128 = by<128>();
    a = fold(a, by128, b);
    a = fold(a, by128, c);
    a = fold(a, by128, d);
    return finish(a, data, length);
  }
};

}  // namespace
}  // namespace keyhaul
