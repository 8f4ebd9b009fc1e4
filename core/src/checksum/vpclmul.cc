// Both checksums by VPCLMULQDQ on 512-bit vectors: sixteen lanes, 256 bytes a turn. The method is
// in fold.h. Nothing inline is shared with other files, which processors without AVX-512 run.
#include "checksum/kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "checksum/fold.h"

namespace keyhaul {
namespace {

using Vector = __m512i;

inline Vector load(const std::byte* from) { return _mm512_loadu_si512(from); }

template <uint32_t kPolynomial, uint32_t kBits>
inline Vector by() {
  constexpr uint64_t low = foldPower<kPolynomial>(kBits + 32);
  constexpr uint64_t high = foldPower<kPolynomial>(kBits - 32);
  constexpr auto l = static_cast<int64_t>(low), h = static_cast<int64_t>(high);
  return _mm512_setr_epi64(l, h, l, h, l, h, l, h);
}

inline Vector fold(Vector lanes, Vector constants, Vector next) {
  constexpr int kSum = 0x96;  // of three
  return _mm512_ternarylogic_epi64(_mm512_clmulepi64_epi128(lanes, constants, 0x00),
                                   _mm512_clmulepi64_epi128(lanes, constants, 0x11), next, kSum);
}

using Finish = uint32_t (*)(const std::byte* lane, const std::byte* data, size_t length);

// Precondition: length >= 256.
template <uint32_t kPolynomial>
uint32_t run(uint32_t reg, const std::byte* data, size_t length, Finish finish) {
  const Vector start = _mm512_zextsi128_si512(_mm_cvtsi32_si128(static_cast<int>(reg)));
  Vector a = _mm512_xor_si512(load(data), start);
  Vector b = load(data + 64), c = load(data + 128), d = load(data + 192);
  data += 256;
  length -= 256;
  const Vector by2048 = by<kPolynomial, 2048>();
  for (; length >= 256; length -= 256, data += 256) {
    a = fold(a, by2048, load(data));
    b = fold(b, by2048, load(data + 64));
    c = fold(c, by2048, load(data + 128));
    d = fold(d, by2048, load(data + 192));
  }
  const Vector by512 = by<kPolynomial, 512>();
  a = fold(a, by512, b);
  a = fold(a, by512, c);
  a = fold(a, by512, d);
  for (; length >= 64; length -= 64, data += 64) a = fold(a, by512, load(data));
  // Its four lanes are the message that is left before the rest.
  alignas(64) std::byte lanes[64];
  _mm512_store_si512(lanes, a);
  const uint32_t high = finish(lanes, lanes + 16, 48);
  if (length == 0) return high;
  // The register goes into the first bytes of the rest, which may be fewer than four.
  return kPolynomial == kCrc32Polynomial ? crc32Pclmul(high, data, length)
                                         : crc32cPclmul(high, data, length);
}

}  // namespace

uint32_t crc32Vpclmul(uint32_t reg, const std::byte* data, size_t length) {
  if (length < 256) return crc32Pclmul(reg, data, length);
  return run<kCrc32Polynomial>(reg, data, length, crc32PclmulFinish);
}

uint32_t crc32cVpclmul(uint32_t reg, const std::byte* data, size_t length) {
  if (length < 256) return crc32cPclmul(reg, data, length);
  return run<kCrc32cPolynomial>(reg, data, length, crc32cPclmulFinish);
}

}  // namespace keyhaul
#endif
