// Both checksums by VPCLMULQDQ on 512-bit vectors: sixteen lanes, 256 bytes a turn. The method is
// in fold.h. Nothing inline is shared with other files, which processors without AVX-512 run.
#include "checksum/kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "checksum/fold_wide.h"

namespace keyhaul {
namespace {

struct Avx512 {
  using Vector = __m512i;
  static Vector load(const std::byte* from) { return _mm512_loadu_si512(from); }
  static Vector zero() { return _mm512_setzero_si512(); }
  static Vector widened(__m128i lane) { return _mm512_zextsi128_si512(lane); }
  static Vector ofEachLane(__m128i lane) { return __builtin_shufflevector(lane, lane, 0, 1, 0, 1, 0, 1, 0, 1); }
  static Vector fold(Vector lanes, Vector constants, Vector next) {
    constexpr int kSum = 0x96;  // of three
    return _mm512_ternarylogic_epi64(_mm512_clmulepi64_epi128(lanes, constants, 0x00),
                                     _mm512_clmulepi64_epi128(lanes, constants, 0x11), next, kSum);
  }
  static __m128i sumOfLanes(Vector lanes) {
    // Not by the intrinsics: g++ 12 warns of what is undefined inside them.
    const __m256i half = __builtin_shufflevector(lanes, lanes, 0, 1, 2, 3) ^
                         __builtin_shufflevector(lanes, lanes, 4, 5, 6, 7);
    return __builtin_shufflevector(half, half, 0, 1) ^ __builtin_shufflevector(half, half, 2, 3);
  }
};

}  // namespace

uint32_t crc32Vpclmul512(uint32_t reg, const std::byte* data, size_t length) {
  return WideFolding<Avx512, kCrc32Polynomial>::run(reg, data, length);
}

uint32_t crc32cVpclmul512(uint32_t reg, const std::byte* data, size_t length) {
  return WideFolding<Avx512, kCrc32cPolynomial>::run(reg, data, length);
}

}  // namespace keyhaul
#endif
