// One step of NH (README.md): sixteen message bytes, as four words of 32 bits, are added to the
// key's; the first sum times the third and the second times the fourth are added up, each in 64
// bits. Two passes, the key of the second 16 bytes on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__wasm_simd128__)
#include <wasm_simd128.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

#include "base/bytes.h"

namespace keyhaul {

#if defined(__wasm_simd128__)

using NhVector = v128_t;
inline NhVector nhLoad(const void* from) { return wasm_v128_load(from); }
inline NhVector nhZero() { return wasm_i64x2_const_splat(0); }
inline NhVector nhAdd(NhVector sum, NhVector message, NhVector key) {
  const v128_t words = wasm_i32x4_add(message, key);
  return wasm_i64x2_add(
      sum, wasm_u64x2_extmul_low_u32x4(words, wasm_i32x4_shuffle(words, words, 2, 3, 2, 3)));
}
inline uint64_t nhSum(NhVector sum) {
  return static_cast<uint64_t>(wasm_i64x2_extract_lane(sum, 0)) +
         static_cast<uint64_t>(wasm_i64x2_extract_lane(sum, 1));
}

#elif defined(__SSE2__)

using NhVector = __m128i;
inline NhVector nhLoad(const void* from) {
  return _mm_loadu_si128(static_cast<const __m128i*>(from));
}
inline NhVector nhZero() { return _mm_setzero_si128(); }
inline NhVector nhAdd(NhVector sum, NhVector message, NhVector key) {
  const __m128i words = _mm_add_epi32(message, key);
  return _mm_add_epi64(sum, _mm_mul_epu32(_mm_unpacklo_epi32(words, words),
                                          _mm_unpackhi_epi32(words, words)));
}
inline uint64_t nhSum(NhVector sum) {
  return static_cast<uint64_t>(_mm_cvtsi128_si64(sum)) +
         static_cast<uint64_t>(_mm_cvtsi128_si64(_mm_unpackhi_epi64(sum, sum)));
}

#elif defined(__ARM_NEON)

using NhVector = uint64x2_t;
inline NhVector nhLoad(const void* from) {
  return vreinterpretq_u64_u8(vld1q_u8(static_cast<const uint8_t*>(from)));
}
inline NhVector nhZero() { return vdupq_n_u64(0); }
inline NhVector nhAdd(NhVector sum, NhVector message, NhVector key) {
  const uint32x4_t words = vaddq_u32(vreinterpretq_u32_u64(message), vreinterpretq_u32_u64(key));
  return vmlal_u32(sum, vget_low_u32(words), vget_high_u32(words));
}
inline uint64_t nhSum(NhVector sum) { return vgetq_lane_u64(sum, 0) + vgetq_lane_u64(sum, 1); }

#else

struct NhVector {
  uint64_t low, high;
};
inline NhVector nhLoad(const void* from) {
  const auto* bytes = static_cast<const char*>(from);
  return {loadLe<uint64_t>(bytes), loadLe<uint64_t>(bytes + 8)};
}
inline NhVector nhZero() { return {0, 0}; }
inline NhVector nhAdd(NhVector sum, NhVector message, NhVector key) {
  const auto word = [](uint64_t a, uint64_t b, int at) {
    return uint64_t{static_cast<uint32_t>(static_cast<uint32_t>(a >> at) +
                                          static_cast<uint32_t>(b >> at))};
  };
  return {sum.low + word(message.low, key.low, 0) * word(message.high, key.high, 0),
          sum.high + word(message.low, key.low, 32) * word(message.high, key.high, 32)};
}
inline uint64_t nhSum(NhVector sum) { return sum.low + sum.high; }

#endif

// The last 1 to 15 bytes of a message, zeros behind them, without a read past its end or a call.
inline NhVector nhLoadPart(const char* data, size_t bytes) {
  uint64_t low = 0, high = 0;
  if (bytes >= 8) {
    low = loadLe<uint64_t>(data);
    // The last eight end where the message ends; those that `low` has are shifted out.
    if (bytes > 8) high = loadLe<uint64_t>(data + bytes - 8) >> (8 * (16 - bytes));
  } else if (bytes >= 4) {
    const uint64_t end = loadLe<uint32_t>(data + bytes - 4);
    low = loadLe<uint32_t>(data) | end << (8 * (bytes - 4));
  } else {
    // First, middle and last are all there are of one, two or three.
    const auto byte = [&](size_t at) { return uint64_t{static_cast<uint8_t>(data[at])} << (8 * at); };
    low = byte(0) | byte(bytes / 2) | byte(bytes - 1);
  }
  const uint64_t words[2] = {low, high};
  return nhLoad(words);
}

}  // namespace keyhaul
