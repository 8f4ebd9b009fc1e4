// Both checksums by PCLMULQDQ; the method is in fold.h.
#include "checksum/kernels.h"

#if defined(__x86_64__)
#include <smmintrin.h>
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
  static Lane both(Lane a, Lane b) { return _mm_and_si128(a, b); }
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
  // Where the mask's byte is above 127, `yes`.
  static Lane pick(Lane mask, Lane yes, Lane no) { return _mm_blendv_epi8(no, yes, mask); }
  static uint32_t secondWord(Lane a) { return static_cast<uint32_t>(_mm_extract_epi32(a, 1)); }
};

}  // namespace

uint32_t crc32Pclmul(uint32_t reg, const std::byte* data, size_t length) {
  if (length < 16) return crc32Portable(reg, data, length);
  return Folding<Sse, kCrc32Polynomial>::run(reg, data, length);
}

// Below this many bytes the processor's own instruction is faster (bench/native/checksum_bench.cc).
constexpr size_t kShortCrc32c = 200;
static_assert(kShortCrc32c >= 16);

uint32_t crc32cPclmul(uint32_t reg, const std::byte* data, size_t length) {
  if (length < kShortCrc32c) return crc32cSse42(reg, data, length);
  return Folding<Sse, kCrc32cPolynomial>::run(reg, data, length);
}

uint32_t crc32PclmulFinish(const std::byte* lane, const std::byte* data, size_t length) {
  return Folding<Sse, kCrc32Polynomial>::finish(Sse::load(lane), data, length);
}

uint32_t crc32cPclmulFinish(const std::byte* lane, const std::byte* data, size_t length) {
  return Folding<Sse, kCrc32cPolynomial>::finish(Sse::load(lane), data, length);
}

}  // namespace keyhaul
#endif
