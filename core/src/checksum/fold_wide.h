// The method of fold.h on vectors of several lanes, by VPCLMULQDQ: four vectors are folded forward a turn. In an
// unnamed namespace for the reason given there; `Wide` is a vector of 256 or 512 bits.
#pragma once

#include "checksum/fold_sse.h"
#include "checksum/kernels.h"

namespace keyhaul {
namespace {

// Up to here 128-bit lanes are faster than either width (bench/native/checksum_bench.cc).
constexpr size_t kShort = 88;

template <typename Wide, uint32_t kPolynomial>
struct WideFolding {
  using Folds = Folding<Sse, kPolynomial>;
  using Vector = typename Wide::Vector;
  static constexpr size_t kWidth = sizeof(Vector) / 16;  // in lanes
  static constexpr size_t kTurn = 4 * kWidth;
  static_assert(2 * kTurn <= kLanes, "what is left over behind a turn is carried by the constants there are");

  static Vector sumOf(const std::byte* data, size_t vectors, Vector sum) {
    const std::byte* carries = carriesOf<kPolynomial>(kWidth * vectors) + 16;
    for (; vectors > 0; --vectors, data += sizeof(Vector), carries += sizeof(Vector)) {
      sum = Wide::fold(Wide::load(data), Wide::load(carries), sum);
    }
    return sum;
  }

  static uint32_t run(uint32_t reg, const std::byte* data, size_t length) {
    if (length >= kShort) return wide(reg, data, length);
    return kPolynomial == kCrc32Polynomial ? crc32Pclmul(reg, data, length) : crc32cPclmul(reg, data, length);
  }

  // Precondition: length > 16.
  static uint32_t wide(uint32_t reg, const std::byte* data, size_t length) {
    const auto at = Folds::start(reg, data, length);
    data = at.rest;
    size_t lanes = at.restLanes;
    __m128i beginning = _mm_setzero_si128();
    Vector sum = Wide::zero();
    if (lanes <= kLanes - 2) {
      beginning = Sse::sum(Folds::carriedOver(lanes + 1, at.first), Folds::carriedOver(lanes, at.second));
    } else {
      // The first two lanes are carried to the third.
      const __m128i third = Sse::sum(Folds::carriedOver(2, at.first), Folds::carriedOver(1, at.second));
      Vector a = Wide::load(data) ^ Wide::widened(third), b = Wide::load(data + sizeof(Vector));
      Vector c = Wide::load(data + 2 * sizeof(Vector)), d = Wide::load(data + 3 * sizeof(Vector));
      data += 4 * sizeof(Vector);
      lanes -= kTurn;
      const Vector byTurn = Wide::ofEachLane(Sse::load(carriesOf<kPolynomial>(kTurn)));
      for (; lanes >= kTurn; lanes -= kTurn, data += 4 * sizeof(Vector)) {
        a = Wide::fold(a, byTurn, Wide::load(data));
        b = Wide::fold(b, byTurn, Wide::load(data + sizeof(Vector)));
        c = Wide::fold(c, byTurn, Wide::load(data + 2 * sizeof(Vector)));
        d = Wide::fold(d, byTurn, Wide::load(data + 3 * sizeof(Vector)));
      }
      const std::byte* carries = carriesOf<kPolynomial>(lanes + kTurn - 1);
      for (const Vector each : {a, b, c, d}) {
        sum = Wide::fold(each, Wide::load(carries), sum);
        carries += sizeof(Vector);
      }
    }
    __m128i front = _mm_setzero_si128();
    for (; lanes % kWidth != 0; --lanes, data += 16) {
      front = Sse::sum(front, Folds::carriedOver(lanes - 1, Sse::load(data)));
    }
    sum = sumOf(data, lanes / kWidth, sum);
    // What waits for the register is added last.
    return Folds::reduce(Sse::sum(Sse::sum(front, Wide::sumOfLanes(sum)), beginning));
  }
};

}  // namespace
}  // namespace keyhaul
