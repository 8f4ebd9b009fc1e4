// Both checksums by VPCLMULQDQ on 512-bit vectors: sixteen lanes, 256 bytes a turn. The method is
// in fold.h. Nothing inline is shared with other files, which processors without AVX-512 run.
#include "checksum/kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "checksum/fold_sse.h"

namespace keyhaul {
namespace {

using Vector = __m512i;

inline Vector load(const std::byte* from) { return _mm512_loadu_si512(from); }

// Each of its lanes carried on by the constants of its own, and `next` added.
inline Vector fold(Vector lanes, Vector constants, Vector next) {
  constexpr int kSum = 0x96;  // of three
  return _mm512_ternarylogic_epi64(_mm512_clmulepi64_epi128(lanes, constants, 0x00),
                                   _mm512_clmulepi64_epi128(lanes, constants, 0x11), next, kSum);
}

template <uint32_t kPolynomial>
inline Vector sumOf(const std::byte* data, size_t vectors, Vector sum) {
  const std::byte* carries = carriesOf<kPolynomial>(4 * vectors) + 16;
  for (; vectors > 0; --vectors, data += 64, carries += 64) sum = fold(load(data), load(carries), sum);
  return sum;
}

inline __m128i sumOfLanes(Vector lanes) {
  // Not by the intrinsics: g++ 12 warns of what is undefined inside them.
  const __m256i half = __builtin_shufflevector(lanes, lanes, 0, 1, 2, 3) ^
                       __builtin_shufflevector(lanes, lanes, 4, 5, 6, 7);
  return __builtin_shufflevector(half, half, 0, 1) ^ __builtin_shufflevector(half, half, 2, 3);
}

// Precondition: length > 16.
template <uint32_t kPolynomial>
uint32_t run(uint32_t reg, const std::byte* data, size_t length) {
  using Folds = Folding<Sse, kPolynomial>;
  const auto at = Folds::start(reg, data, length);
  data = at.rest;
  size_t lanes = at.restLanes;
  __m128i beginning = _mm_setzero_si128();
  Vector sum = _mm512_setzero_si512();
  if (lanes <= kLanes - 2) {
    beginning = Sse::sum(Folds::carriedOver(lanes + 1, at.first), Folds::carriedOver(lanes, at.second));
  } else {
    // The first two lanes are carried to the third.
    const __m128i third = Sse::sum(Folds::carriedOver(2, at.first), Folds::carriedOver(1, at.second));
    Vector a = _mm512_xor_si512(load(data), _mm512_zextsi128_si512(third));
    Vector b = load(data + 64), c = load(data + 128), d = load(data + 192);
    data += 256;
    lanes -= 16;
    constexpr auto kLow = static_cast<int64_t>(foldPower<kPolynomial>(2048 + 32));
    constexpr auto kHigh = static_cast<int64_t>(foldPower<kPolynomial>(2048 - 32));
    const Vector by16 = _mm512_setr_epi64(kLow, kHigh, kLow, kHigh, kLow, kHigh, kLow, kHigh);
    for (; lanes >= 16; lanes -= 16, data += 256) {
      a = fold(a, by16, load(data));
      b = fold(b, by16, load(data + 64));
      c = fold(c, by16, load(data + 128));
      d = fold(d, by16, load(data + 192));
    }
    const std::byte* carries = carriesOf<kPolynomial>(lanes + 15);
    sum = fold(a, load(carries), sum);
    sum = fold(b, load(carries + 64), sum);
    sum = fold(c, load(carries + 128), sum);
    sum = fold(d, load(carries + 192), sum);
  }
  __m128i front = _mm_setzero_si128();
  for (; lanes % 4 != 0; --lanes, data += 16) {
    front = Sse::sum(front, Folds::carriedOver(lanes - 1, Sse::load(data)));
  }
  sum = sumOf<kPolynomial>(data, lanes / 4, sum);
  // What waits for the register is added last.
  return Folds::reduce(Sse::sum(Sse::sum(front, sumOfLanes(sum)), beginning));
}

// Up to here 128-bit lanes are faster (bench/native/checksum_bench.cc).
constexpr size_t kShort = 88;

}  // namespace

uint32_t crc32Vpclmul(uint32_t reg, const std::byte* data, size_t length) {
  if (length < kShort) return crc32Pclmul(reg, data, length);
  return run<kCrc32Polynomial>(reg, data, length);
}

uint32_t crc32cVpclmul(uint32_t reg, const std::byte* data, size_t length) {
  if (length < kShort) return crc32cPclmul(reg, data, length);
  return run<kCrc32cPolynomial>(reg, data, length);
}

}  // namespace keyhaul
#endif
