// CRC by carry-less multiplication: four 128-bit lanes are folded forward by 512 bits a turn
// (Gopal et al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction",
// Intel 2009). For both polynomials, and for every processor whose operations `Ops` wraps.
//
// A message is taken as whole lanes that end where it ends, with zeros in front, which change nothing once the
// register is added to the first four bytes. The last lanes, and all of a short message, are each carried to the
// end by constants of their own: at once, where one after the other each would wait for the one before.
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
// comes out one bit low. There is an inverse of x, as the polynomial has the term 1.
template <uint32_t kPolynomial>
constexpr uint64_t foldPower(int n) {
  uint32_t value = 1U << 31;
  for (; n > 0; --n) value = (value >> 1) ^ ((value & 1U) != 0 ? kPolynomial : 0U);
  for (; n < 0; ++n) {
    const bool wraps = value >> 31 != 0;
    value = (wraps ? value ^ kPolynomial : value) << 1 | (wraps ? 1U : 0U);
  }
  return uint64_t{value} << 1;
}

// The quotient of x^96 by the polynomial, reflected: its 64 highest terms of 65, and no other counts.
template <uint32_t kPolynomial>
constexpr uint64_t barrettQuotient() {
  uint64_t quotient = 0;
  uint32_t rest = 1U << 31;  // x^0 * x^n modulo the polynomial
  for (int bit = 0; bit < 32; ++bit) rest = (rest >> 1) ^ ((rest & 1U) != 0 ? kPolynomial : 0U);
  quotient = 1;
  for (int bit = 1; bit < 64; ++bit) {
    quotient |= uint64_t{rest & 1U} << bit;
    rest = (rest >> 1) ^ ((rest & 1U) != 0 ? kPolynomial : 0U);
  }
  return quotient;
}

static_assert(foldPower<kCrc32Polynomial>(512 + 32) == 0x154442bd4, "as published");
static_assert(foldPower<kCrc32Polynomial>(512 - 32) == 0x1c6e41596, "as published");
static_assert((barrettQuotient<kCrc32Polynomial>() & 0x1FFFFFFFF) == 0x1f7011641, "as published");

// For each number of lanes, from kLanes - 1 down to none: the constants that carry a lane on over so many. In
// this order, because the next lane has one less to go.
constexpr size_t kLanes = 32;
template <uint32_t kPolynomial>
struct Carries {
  alignas(64) uint64_t pairs[kLanes][2];
  constexpr Carries() : pairs{} {
    for (size_t i = 0; i < kLanes; ++i) {
      const int bits = 128 * static_cast<int>(kLanes - 1 - i);
      pairs[i][0] = foldPower<kPolynomial>(bits + 32);
      pairs[i][1] = foldPower<kPolynomial>(bits - 32);
    }
  }
};
template <uint32_t kPolynomial>
constexpr Carries<kPolynomial> kCarries;

// Of the lane that has `lanes` to go; those of the lanes behind it follow.
template <uint32_t kPolynomial>
const std::byte* carriesOf(size_t lanes) {
  return reinterpret_cast<const std::byte*>(kCarries<kPolynomial>.pairs[kLanes - 1 - lanes]);
}

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

  static Lane carried(Lane lane, Lane constants) {
    return Ops::sum(Ops::template multiply<0, 0>(lane, constants),
                    Ops::template multiply<1, 1>(lane, constants));
  }
  static Lane carriedOver(size_t lanes, Lane lane) {
    return carried(lane, Ops::load(carriesOf<kPolynomial>(lanes)));
  }

  // The sum of `count` lanes, each carried to the last of them.
  static Lane sumOf(const std::byte* data, size_t count, Lane sum) {
    const std::byte* carries = carriesOf<kPolynomial>(count) + 16;
    for (; count > 0; --count, data += 16, carries += 16) {
      sum = Ops::sum(sum, carried(Ops::load(data), Ops::load(carries)));
    }
    return sum;
  }

  // The register after the message that is this lane: 128 bits to 96, of which Barrett takes 64 off.
  static uint32_t reduce(Lane lane) {
    if constexpr (Ops::template kHasInstruction<kPolynomial>) {
      return Ops::template take<kPolynomial>(lane);
    } else {
      constexpr uint64_t by96 = foldPower<kPolynomial>(96);
      constexpr uint64_t divisor = uint64_t{kPolynomial} << 1 | 1;
      const Lane barrett = Ops::pair(barrettQuotient<kPolynomial>(), divisor);
      lane = Ops::sum(Ops::template multiply<0, 0>(lane, Ops::pair(by96, 0)),
                      Ops::template drop<8>(lane));
      const Lane quotient = Ops::template multiply<0, 0>(lane, barrett);
      return Ops::thirdWord(Ops::sum(lane, Ops::template multiply<0, 1>(quotient, barrett)));
    }
  }

  // The first two lanes, which hold the zeros in front and the register, and where the others are.
  struct Start {
    Lane first, second;
    const std::byte* rest;
    size_t restLanes;
  };
  // Precondition: length > 16.
  static Start start(uint32_t reg, const std::byte* data, size_t length) {
    const size_t padding = -length % 16;
    const auto* moves = reinterpret_cast<const std::byte*>(kMoves);
    const Lane added = Ops::pair(reg, 0);
    return {Ops::shuffle(Ops::sum(Ops::load(data), added), Ops::load(moves + 16 - padding)),
            Ops::sum(Ops::load(data + 16 - padding),
                     Ops::shuffle(added, Ops::load(moves + 32 - padding))),
            data + 32 - padding, (length + padding) / 16 - 2};
  }

  // Precondition: length >= 16.
  static uint32_t run(uint32_t reg, const std::byte* data, size_t length) {
    if (length == 16) return reduce(Ops::sum(Ops::load(data), Ops::pair(reg, 0)));
    const Start at = start(reg, data, length);
    data = at.rest;
    size_t lanes = at.restLanes;
    if (lanes <= kLanes / 2) {
      // What waits for the register comes last.
      const Lane sum = sumOf(data, lanes, Ops::pair(0, 0));
      return reduce(Ops::sum(sum, Ops::sum(carriedOver(lanes + 1, at.first), carriedOver(lanes, at.second))));
    }
    Lane a = at.first, b = at.second, c = Ops::load(data), d = Ops::load(data + 16);
    data += 32;
    lanes -= 2;
    const Lane by4 = Ops::load(carriesOf<kPolynomial>(4));
    for (; lanes >= 4; lanes -= 4, data += 64) {
      a = Ops::sum(carried(a, by4), Ops::load(data));
      b = Ops::sum(carried(b, by4), Ops::load(data + 16));
      c = Ops::sum(carried(c, by4), Ops::load(data + 32));
      d = Ops::sum(carried(d, by4), Ops::load(data + 48));
    }
    const Lane ab = Ops::sum(carriedOver(lanes + 3, a), carriedOver(lanes + 2, b));
    const Lane cd = Ops::sum(carriedOver(lanes + 1, c), carriedOver(lanes, d));
    return reduce(sumOf(data, lanes, Ops::sum(ab, cd)));
  }
};

}  // namespace
}  // namespace keyhaul
