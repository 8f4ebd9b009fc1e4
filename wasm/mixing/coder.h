// Binary arithmetic coder. The same code packs, at build time, and unpacks: KEYHAUL_PACK says which,
// and both walk through a module by the same steps, so that they cannot differ in what they expect.
#pragma once
#include <cstdint>

#ifdef KEYHAUL_PACK
constexpr bool kPacking = true;
#else
constexpr bool kPacking = false;
#endif

struct Coder {
  uint8_t* at = nullptr;
  uint32_t low = 0;
  uint32_t high = UINT32_MAX;
  uint32_t word = 0;

  void begin(uint8_t* packed) {
    at = packed;
    if constexpr (!kPacking) {
      for (int i = 0; i < 4; ++i) word = word << 8 | *at++;
    }
  }

  // Where a 1 ends; `ones` is how likely it is, of 65536, and neither 0 nor that.
  uint32_t middle(uint32_t ones) const {
    return low + static_cast<uint32_t>(uint64_t{high - low} * ones >> 16);
  }

  // `bit` if it packs, what it was if it unpacks. take() has to follow.
  bool isOne(uint32_t bit, uint32_t middle) const { return kPacking ? bit != 0 : word <= middle; }

  void take(uint32_t bit, uint32_t middle) {
    if (bit != 0) {
      high = middle;
    } else {
      low = middle + 1;
    }
    for (; (low ^ high) >> 24 == 0; low <<= 8, high = high << 8 | 0xff) {
      if constexpr (kPacking) {
        *at++ = static_cast<uint8_t>(high >> 24);
      } else {
        word = word << 8 | *at++;
      }
    }
  }

  // Only when packing: where it ends.
  uint8_t* end() {
    for (int shift = 24; shift >= 0; shift -= 8) *at++ = static_cast<uint8_t>(high >> shift);
    return at;
  }
};
