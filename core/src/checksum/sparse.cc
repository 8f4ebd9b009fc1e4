// CRC by a sparse multiple of the polynomial, 16 bytes a turn and no table: the idea of
// "Chorba" (arXiv 2412.16398) with lags counted in bytes through unaligned loads.
//
// Where the sum of x^(8t) over some t from 0 to S is a multiple of the polynomial, adding that
// multiple at a byte removes this byte, adds it again at S - t bytes behind for each other t,
// and leaves the CRC as it is. So v[i] = m[i] ^ v[i-lag] ^ v[i-lag'] ^ ... over all but the last
// bytes leaves a message as long as the largest lag (`shorten`). Of this each nibble is looked
// up in a table of 16 by the processor's own byte shuffle (`finish`).
//
// Zeros in front change nothing once the register is added to the first four bytes, so every
// message is taken as whole vectors that end where it ends.
#include <array>
#include <cstring>
#include <utility>

#if defined(__wasm_simd128__)
#include <wasm_simd128.h>
#elif defined(__SSSE3__)
#include <tmmintrin.h>
#endif

#include "checksum/kernels.h"
#include "checksum/tables.h"

// From which length on which way is taken; `npm run bench -- thresholds` builds it with others.
#ifndef KEYHAUL_SPARSE_MIN
#define KEYHAUL_SPARSE_MIN 62
#define KEYHAUL_FINISH_VECTORS 34
#define KEYHAUL_FAR_MIN 32'768
#endif

namespace keyhaul {
namespace {

using Vector = uint8_t __attribute__((vector_size(16)));

inline Vector load(const std::byte* from) {
  Vector vector;
  std::memcpy(&vector, from, 16);
  return vector;
}

// table[indexes[i]] at each i, and zero where the index is above 127. Not for those between.
inline Vector lookUp(Vector table, Vector indexes) {
#if defined(__wasm_simd128__)
  return reinterpret_cast<Vector>(wasm_i8x16_swizzle(reinterpret_cast<v128_t>(table),
                                                     reinterpret_cast<v128_t>(indexes)));
#elif defined(__SSSE3__)
  return reinterpret_cast<Vector>(_mm_shuffle_epi8(reinterpret_cast<__m128i>(table),
                                                   reinterpret_cast<__m128i>(indexes)));
#else
  Vector out{};
  for (int i = 0; i < 16; ++i) out[i] = indexes[i] < 16 ? table[indexes[i]] : uint8_t{0};
  return out;
#endif
}

// Lags in bytes, the distant ones first. Those of up to 16 * kHeld bytes are taken from the last v, which are held in
// registers, so that what is loaded for 16 bytes is the message and one v or two: loads, of which many lie across two
// lines of the cache, are what limits it otherwise. Of all sets of five below 760 bytes those that were quickest in V8
// for 4 KiB, the look-ups of what is left included. Three distant ones take less, and leave more.
struct Crc32 {
  static constexpr uint32_t kPolynomial = kCrc32Polynomial;
  static constexpr CrcKernel kPortable = crc32Portable;
  [[maybe_unused]] static constexpr auto kOf19 = crc32PortableOf19;
  static constexpr std::array<size_t, 5> kLags{340, 316, 159, 66, 64};
  static constexpr size_t kHeld = 10;
  static constexpr std::array<size_t, 3> kFarLags{5869, 48, 34};
  static constexpr size_t kFarHeld = 3;
};
// This polynomial has the factor x + 1, so that only an even number of terms will do.
struct Crc32c {
  static constexpr uint32_t kPolynomial = kCrc32cPolynomial;
  static constexpr CrcKernel kPortable = crc32cPortable;
  [[maybe_unused]] static constexpr auto kOf19 = crc32cPortableOf19;
  static constexpr std::array<size_t, 5> kLags{274, 122, 69, 58, 44};
  static constexpr size_t kHeld = 8;
  static constexpr std::array<size_t, 3> kFarLags{5572, 4989, 76};
  static constexpr size_t kFarHeld = 5;
};

template <typename Lags>
constexpr bool areOfAMultiple(const Lags& lags, uint32_t polynomial) {
  uint32_t sum = 0, power = 1U << 31;  // x^0
  for (size_t byte = 0; byte <= lags.front(); ++byte) {
    bool isTerm = byte == lags.front();
    for (const size_t lag : lags) isTerm = isTerm || byte == lags.front() - lag;
    if (isTerm) sum ^= power;
    for (int bit = 0; bit < 8; ++bit) {
      power = (power >> 1) ^ ((power & 1U) != 0 ? polynomial : 0U);
    }
  }
  return sum == 0;
}
static_assert(areOfAMultiple(Crc32::kLags, Crc32::kPolynomial));
static_assert(areOfAMultiple(Crc32::kFarLags, Crc32::kPolynomial));
static_assert(areOfAMultiple(Crc32c::kLags, Crc32c::kPolynomial));
static_assert(areOfAMultiple(Crc32c::kFarLags, Crc32c::kPolynomial));

// A message of whole vectors: the first two, which hold the padding and the register, and
// the bytes of all others.
struct Message {
  std::byte head[32];
  const std::byte* rest;
  size_t vectors;  // at least two
};

inline void clear(std::byte* span, size_t bytes) {
  // Not known as zeros to the compiler of WASM, or it would call memset, which a module made
  // for size has as a loop over bytes: that took longer than all else for a kilobyte.
  const Vector zeros = lookUp(Vector{}, ~Vector{});
  KEYHAUL_ROLLED
  for (size_t i = 0; i < bytes; i += 16) std::memcpy(span + i, &zeros, 16);
}

// Bytes kFrom to kFrom + 15 of two vectors.
template <int kFrom>
inline Vector across(Vector a, Vector b) {
  constexpr int k = kFrom;
  return __builtin_shufflevector(a, b, k, k + 1, k + 2, k + 3, k + 4, k + 5, k + 6, k + 7, k + 8,
                                 k + 9, k + 10, k + 11, k + 12, k + 13, k + 14, k + 15);
}

// Sums are made in the order that they are written in: what the last turns made comes last. Clang would add it
// first, and each turn would wait for all additions of the turn before.
inline Vector inOrder(Vector sum) {
#if defined(__wasm__)
  __asm__("" : "+r"(sum));
#endif
  return sum;
}

template <const auto& kLags>
constexpr size_t kSpanOf = (kLags.front() + 15) / 16 * 16;

// The v that is kLag bytes before the v of vector kTurn. `at` is a span before that of vector 0, so
// that no offset is negative: each such address would be an instruction of its own.
template <const auto& kLags, size_t kHeld, size_t kTurn, size_t kLag>
inline Vector before(const Vector* held, const std::byte* at) {
  if constexpr (kLag > 16 * kHeld) {
    return load(at + (kSpanOf<kLags> + 16 * kTurn - kLag));
  } else {
    constexpr size_t kBack = (kLag + 15) / 16, kFirst = (kTurn + kHeld - kBack) % kHeld;
    return across<16 * kBack - kLag>(held[kFirst], held[(kFirst + 1) % kHeld]);
  }
}

template <const auto& kLags, size_t kHeld, size_t kTurn, size_t... kIndex>
inline void mixOne(const std::byte* from, Vector* held, std::byte* at,
                   std::index_sequence<kIndex...> /*all*/) {
  Vector sum = load(from + 16 * kTurn);
  ((sum = inOrder(sum ^ before<kLags, kHeld, kTurn, kLags[kIndex]>(held, at))), ...);
  held[kTurn] = sum;
  std::memcpy(at + (kSpanOf<kLags> + 16 * kTurn), &sum, 16);
}

template <typename Crc>
constexpr size_t kSpan = kSpanOf<Crc::kLags>;

// As `mix`, kHeld vectors a turn, so that each v held has a register of its own.
template <const auto& kLags, size_t kHeld, size_t... kTurn>
inline void mixTurns(const std::byte* from, size_t turns, std::byte* at,
                     std::index_sequence<kTurn...> /*all*/) {
  Vector held[kHeld];
  ((held[kTurn] = load(at + (kSpanOf<kLags> - 16 * (kHeld - kTurn)))), ...);
  KEYHAUL_ROLLED
  for (; turns > 0; --turns, from += 16 * kHeld, at += 16 * kHeld) {
    (mixOne<kLags, kHeld, kTurn>(from, held, at, std::make_index_sequence<kLags.size()>{}), ...);
  }
}

template <const auto& kLags, size_t kHeld>
inline void mixTurns(const std::byte* from, size_t turns, std::byte* at) {
  mixTurns<kLags, kHeld>(from, turns, at, std::make_index_sequence<kHeld>{});
}

// Reads `count` vectors, mixes each with the v before it and stores them at `to`. `at` is a span
// before the v of the first. Not for many: some loads wait for v that are still being stored.
template <typename Crc>
inline void mix(const std::byte* from, size_t count, const std::byte* at, std::byte* to) {
  KEYHAUL_ROLLED
  for (const std::byte* end = from + 16 * count; from != end; from += 16, at += 16, to += 16) {
    Vector sum = load(from);
    for (const size_t lag : Crc::kLags) sum ^= load(at + (kSpan<Crc> - lag));
    std::memcpy(to, &sum, 16);
  }
}

// A message one span long, in `out`, with the same CRC.
// Precondition: `message` is at least two vectors longer.
template <typename Crc>
Message shorten(const Message& message, std::byte* out) {
  constexpr size_t kHeld = Crc::kHeld, kRoom = 256 / kHeld;
  // The newest v, which are made a span behind `at`; of the window the end is kept each time.
  std::byte window[kSpan<Crc> + 16 * (kHeld + 1 + kHeld * kRoom) + kSpan<Crc>];
  std::byte* at = window;
  clear(window, kSpan<Crc>);
  mix<Crc>(message.head, 2, at, at + kSpan<Crc>);
  at += 32;
  const size_t many = message.vectors - kSpan<Crc> / 16 - 2, few = many % kHeld;
  const std::byte* from = message.rest;
  mix<Crc>(from, few, at, at + kSpan<Crc>);
  from += 16 * few;
  at += 16 * few;
  for (size_t left = many / kHeld;;) {
    const size_t turns = left < kRoom ? left : kRoom;
    mixTurns<Crc::kLags, kHeld>(from, turns, at);
    from += 16 * kHeld * turns;
    at += 16 * kHeld * turns;
    left -= turns;
    if (left == 0) break;
    KEYHAUL_ROLLED  // by vectors: the next loads wait for what smaller stores have written
    for (size_t i = 0; i < kSpan<Crc>; i += 16) std::memcpy(window + i, at + i, 16);
    at = window;
  }
  // What follows is only added to: there v is zero.
  clear(at + kSpan<Crc>, kSpan<Crc>);
  mix<Crc>(from, kSpan<Crc> / 16, at, out);
  Message shorter{{}, out + 32, kSpan<Crc> / 16};
  std::memcpy(shorter.head, out, 32);
  return shorter;
}

// What is longer is shortened first, which takes two vectors more than are left.
constexpr size_t kFinishVectors = KEYHAUL_FINISH_VECTORS;
static_assert(kSpan<Crc32> < 16 * kFinishVectors && kSpan<Crc32c> < 16 * kFinishVectors);

// For each vector, counted from the end, and each of the four bytes of a register: what a low
// and what a high nibble adds to it.
struct NibbleTables {
  Vector adds[kFinishVectors][4][2];
};

[[gnu::noinline]] NibbleTables makeNibbleTables(CrcKernel kernel) {
  NibbleTables tables{};
  constexpr std::byte kZeros[16]{};
  uint32_t bits[8];  // of the message's last byte, as a register
  KEYHAUL_ROLLED
  for (uint32_t bit = 0; bit < 8; ++bit) bits[bit] = uint32_t{1} << (24 + bit);
  for (auto& vector : tables.adds) {
    KEYHAUL_ROLLED
    for (uint32_t entry = 0; entry < 128; ++entry) {
      const uint32_t plane = entry / 32, high = entry / 16 % 2, nibble = entry % 16;
      uint32_t sum = 0;
      KEYHAUL_ROLLED
      for (uint32_t bit = 0; bit < 4; ++bit) {
        if ((nibble >> bit & 1U) != 0) sum ^= bits[4 * high + bit];
      }
      vector[plane][high][nibble] = static_cast<uint8_t>(sum >> (8 * plane));
    }
    KEYHAUL_ROLLED
    for (uint32_t& bit : bits) bit = kernel(bit, kZeros, 16);
  }
  return tables;
}

// `plane` moved kBy bytes towards the end of the two vectors.
template <int kBy>
inline void addMoved(Vector plane, Vector* to) {
  constexpr int k = 16 - kBy;
  const Vector zero{};
  to[0] ^= __builtin_shufflevector(zero, plane, k, k + 1, k + 2, k + 3, k + 4, k + 5, k + 6, k + 7,
                                   k + 8, k + 9, k + 10, k + 11, k + 12, k + 13, k + 14, k + 15);
  to[1] ^= __builtin_shufflevector(plane, zero, k, k + 1, k + 2, k + 3, k + 4, k + 5, k + 6, k + 7,
                                   k + 8, k + 9, k + 10, k + 11, k + 12, k + 13, k + 14, k + 15);
}

// Nineteen bytes with the same CRC. Precondition: message.vectors <= kFinishVectors.
[[gnu::noinline]] void finish(const Message& message, const NibbleTables& tables, std::byte* last) {
  Vector planes[4]{};
  KEYHAUL_ROLLED
  for (size_t i = 0; i < message.vectors; ++i) {
    const Vector bytes = load(i < 2 ? message.head + 16 * i : message.rest + 16 * (i - 2));
    const Vector low = bytes & uint8_t{15}, high = bytes >> 4;
    const auto& adds = tables.adds[message.vectors - 1 - i];
    for (int plane = 0; plane < 4; ++plane) {
      planes[plane] ^= lookUp(adds[plane][0], low) ^ lookUp(adds[plane][1], high);
    }
  }
  // The register that a byte adds ends where the byte stands: its first byte is three before.
  Vector sum[2]{planes[0]};
  addMoved<1>(planes[1], sum);
  addMoved<2>(planes[2], sum);
  addMoved<3>(planes[3], sum);
  std::memcpy(last, sum, 32);
}

// Bytes below which the tables are quicker in V8, on average over the lengths around it: slice-by-16
// is at its best at multiples of 16 and takes 2 ns for each byte more. At least two vectors.
constexpr size_t kShort = KEYHAUL_SPARSE_MIN;
static_assert(kShort >= 32);

// Precondition: length <= 16 * kFinishVectors, or kMayBeLong.
template <typename Crc, bool kMayBeLong>
uint32_t run(uint32_t reg, const std::byte* data, size_t length) {
  if (length < kShort) return Crc::kPortable(reg, data, length);
  // Zeros in front and the register, both in the first two vectors.
  const auto padding = static_cast<uint8_t>(-length % 16);
  constexpr Vector kPlaces{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  const Vector moved = kPlaces - padding;  // below zero is above 127
  const Vector rest = moved + uint8_t{16};
  Vector start{};
  std::memcpy(&start, &reg, sizeof(reg));
  const Vector head[2] = {lookUp(load(data) ^ start, moved),
                          load(data + 16 - padding) ^
                              lookUp(start, rest | (rest & uint8_t{16}) << 3)};
  Message message{{}, data + 32 - padding, (length + padding) / 16};
  std::memcpy(message.head, head, 32);
  [[maybe_unused]] std::byte left[kMayBeLong ? kSpan<Crc> : 1];
  if constexpr (kMayBeLong) {
    if (message.vectors > kFinishVectors) message = shorten<Crc>(message, left);
  }
  static const NibbleTables tables = makeNibbleTables(Crc::kPortable);
  std::byte last[32];
  finish(message, tables, last);
  return Crc::kOf19(last);
}

// Where the message may be written over, v takes its place, and of a long one the distant lags come first. Below
// this many bytes what they take once is more than they save.
constexpr size_t kFarMin = KEYHAUL_FAR_MIN;
static_assert(kFarMin >= 2 * kSparseRoom);
template <typename Crc>
constexpr bool kHasRoom = kSpanOf<Crc::kFarLags> + 16 * Crc::kFarHeld <= kSparseRoom &&
                          Crc::kLags.front() + 15 <= 16 * kFinishVectors;
static_assert(kHasRoom<Crc32> && kHasRoom<Crc32c>);

// Adds to what begins at `end` the v of `lag` bytes before, of which the last is before `end`. `edge` holds
// the last 16 bytes before it and 16 zeros.
[[gnu::noinline]] void addBefore(std::byte* end, const std::byte* edge, size_t lag) {
  std::byte* const last = end + lag / 16 * 16;
  if (lag / 16 % 2 != 0) {
    const Vector sum = load(end) ^ load(end - lag);
    std::memcpy(end, &sum, 16);
    end += 16;
  }
  KEYHAUL_ROLLED
  for (; end != last; end += 32) {
    const Vector sum = load(end) ^ load(end - lag), next = load(end + 16) ^ load(end + 16 - lag);
    std::memcpy(end, &sum, 16);
    std::memcpy(end + 16, &next, 16);
  }
  const Vector sum = load(end) ^ load(edge + (16 - lag % 16));
  std::memcpy(end, &sum, 16);
}

// Of a message that may be written over all but the last bytes become v, and are added to those. How many are left: the
// longest lag, and up to 15 more. Zeros in front of it are taken as part of it, so that the turns are whole.
template <const auto& kLags, size_t kHeld>
size_t shortenInPlace(std::byte* data, size_t length) {
  constexpr size_t kTurn = 16 * kHeld;
  const size_t vectors = (length - kLags.front()) / 16, turns = (vectors + kHeld - 1) / kHeld;
  std::byte* const end = data + 16 * vectors;
  std::byte* const start = end - turns * kTurn;
  mixTurns<kLags, kHeld>(start, turns, start - kSpanOf<kLags>);
  // The rest is only added to: there v is zero.
  std::byte edge[32];
  std::memcpy(edge, end - 16, 16);
  clear(edge + 16, 16);
  for (const size_t lag : kLags) addBefore(end, edge, lag);
  return length - 16 * vectors;
}

template <typename Crc>
uint32_t runInPlace(uint32_t reg, std::byte* data, size_t length) {
  if (length <= 16 * kFinishVectors) return run<Crc, false>(reg, data, length);
  uint32_t first;
  std::memcpy(&first, data, sizeof first);
  first ^= reg;
  std::memcpy(data, &first, sizeof first);
  if (length >= kFarMin) {
    constexpr size_t kBefore = kSpan<Crc> + 16 * Crc::kHeld;
    const size_t left = shortenInPlace<Crc::kFarLags, Crc::kFarHeld>(data, length);
    data += length - left;
    length = left;
    clear(data - kBefore, kBefore);
  }
  const size_t left = shortenInPlace<Crc::kLags, Crc::kHeld>(data, length);
  return run<Crc, false>(0, data + length - left, left);
}

}  // namespace

uint32_t crc32SparseInPlace(uint32_t reg, std::byte* data, size_t length) {
  return runInPlace<Crc32>(reg, data, length);
}

uint32_t crc32cSparseInPlace(uint32_t reg, std::byte* data, size_t length) {
  return runInPlace<Crc32c>(reg, data, length);
}

uint32_t crc32Sparse(uint32_t reg, const std::byte* data, size_t length) {
  return run<Crc32, true>(reg, data, length);
}

uint32_t crc32cSparse(uint32_t reg, const std::byte* data, size_t length) {
  return run<Crc32c, true>(reg, data, length);
}

}  // namespace keyhaul
