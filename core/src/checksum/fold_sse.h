// What fold.h asks of SSE4.2 and PCLMULQDQ; in an unnamed namespace for the reason given there.
#pragma once

#include <nmmintrin.h>
#include <wmmintrin.h>

#include "checksum/fold.h"

namespace keyhaul {
namespace {

struct Sse {
  using Lane = __m128i;
  static Lane load(const std::byte* from) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  }
  static Lane pair(uint64_t low, uint64_t high) {
    return _mm_set_epi64x(static_cast<int64_t>(high), static_cast<int64_t>(low));
  }
  static Lane sum(Lane a, Lane b) { return _mm_xor_si128(a, b); }
  // Which half of a, which half of b.
  template <int kA, int kB>
  static Lane multiply(Lane a, Lane b) {
    return _mm_clmulepi64_si128(a, b, kA | kB << 4);
  }
  template <int kBytes>
  static Lane drop(Lane a) {
    return _mm_srli_si128(a, kBytes);
  }
  static Lane shuffle(Lane bytes, Lane indexes) { return _mm_shuffle_epi8(bytes, indexes); }
  static uint32_t thirdWord(Lane a) { return static_cast<uint32_t>(_mm_extract_epi32(a, 2)); }
  // The processor's own instruction reduces a lane in half the time of three products.
  template <uint32_t kPolynomial>
  static constexpr bool kHasInstruction = kPolynomial == kCrc32cPolynomial;
  template <uint32_t kPolynomial>
  static uint32_t take(Lane a) {
    const auto low = static_cast<uint64_t>(_mm_cvtsi128_si64(a));
    const auto high = static_cast<uint64_t>(_mm_extract_epi64(a, 1));
    return static_cast<uint32_t>(_mm_crc32_u64(_mm_crc32_u64(0, low), high));
  }
};

}  // namespace
}  // namespace keyhaul
