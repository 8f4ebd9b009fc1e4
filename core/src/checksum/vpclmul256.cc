// Both checksums by VPCLMULQDQ on 256-bit vectors: eight lanes, 128 bytes a turn, for processors without AVX-512.
// The method is in fold.h. Nothing inline is shared with other files.
#include "checksum/kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "checksum/fold_wide.h"

namespace keyhaul {
namespace {

struct Avx2 {
  using Vector = __m256i;
  static Vector load(const std::byte* from) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)); }
  static Vector zero() { return _mm256_setzero_si256(); }
  static Vector widened(__m128i lane) { return _mm256_zextsi128_si256(lane); }
  static Vector ofEachLane(__m128i lane) { return _mm256_broadcastsi128_si256(lane); }
  static Vector fold(Vector lanes, Vector constants, Vector next) {
    return _mm256_clmulepi64_epi128(lanes, constants, 0x00) ^ _mm256_clmulepi64_epi128(lanes, constants, 0x11) ^ next;
  }
  static __m128i sumOfLanes(Vector lanes) {
    return _mm256_castsi256_si128(lanes) ^ _mm256_extracti128_si256(lanes, 1);
  }
};

}  // namespace

uint32_t crc32Vpclmul256(uint32_t reg, const std::byte* data, size_t length) {
  return WideFolding<Avx2, kCrc32Polynomial>::run(reg, data, length);
}

uint32_t crc32cVpclmul256(uint32_t reg, const std::byte* data, size_t length) {
  return WideFolding<Avx2, kCrc32cPolynomial>::run(reg, data, length);
}

}  // namespace keyhaul
#endif
