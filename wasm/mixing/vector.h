// Eight numbers of 16 bits at once: by SIMD, or one by one where the compiler has none, with the same results.
#pragma once
#include <cstdint>
#if defined(__wasm_simd128__)
#include <wasm_simd128.h>
#elif defined(__SSE4_1__) && !defined(SCALAR)
#include <smmintrin.h>
#endif

using Shorts = int16_t __attribute__((vector_size(16)));
using Unsigned = uint16_t __attribute__((vector_size(16)));
using Ints = int32_t __attribute__((vector_size(16)));
using Words = uint32_t __attribute__((vector_size(16)));
using Bytes = uint8_t __attribute__((vector_size(16)));
using Floats = float __attribute__((vector_size(16)));

inline Shorts shorts(int16_t x) { return Shorts{} + x; }
inline Words words(uint32_t x) { return Words{} + x; }
inline Ints lowHalf(Shorts a) { return __builtin_convertvector(__builtin_shufflevector(a, a, 0, 1, 2, 3), Ints); }
inline Ints highHalf(Shorts a) { return __builtin_convertvector(__builtin_shufflevector(a, a, 4, 5, 6, 7), Ints); }

// The sum of all products.
inline int32_t dot(Shorts a, Shorts b) {
#if defined(__wasm_simd128__)
  const Ints sums = (Ints)wasm_i32x4_dot_i16x8((v128_t)a, (v128_t)b);
#elif defined(__SSE4_1__) && !defined(SCALAR)
  const Ints sums = (Ints)_mm_madd_epi16((__m128i)a, (__m128i)b);
#else
  const Ints sums = lowHalf(a) * lowHalf(b) + highHalf(a) * highHalf(b);
#endif
  const Ints two = sums + __builtin_shufflevector(sums, sums, 2, 3, 0, 1);
  return two[0] + two[1];
}

// (a * b + 2^14) / 2^15; not both of them -32768.
inline Shorts scaled(Shorts a, Shorts b) {
#if defined(__wasm_simd128__)
  return (Shorts)wasm_i16x8_q15mulr_sat((v128_t)a, (v128_t)b);
#elif defined(__SSE4_1__) && !defined(SCALAR)
  return (Shorts)_mm_mulhrs_epi16((__m128i)a, (__m128i)b);
#else
  const Ints low = (lowHalf(a) * lowHalf(b) + 0x4000) >> 15;
  const Ints high = (highHalf(a) * highHalf(b) + 0x4000) >> 15;
  return __builtin_shufflevector((Shorts)low, (Shorts)high, 0, 2, 4, 6, 8, 10, 12, 14);
#endif
}

// Stops at the largest and at the smallest number.
inline Shorts sum(Shorts a, Shorts b) {
#if defined(__wasm_simd128__)
  return (Shorts)wasm_i16x8_add_sat((v128_t)a, (v128_t)b);
#elif defined(__SSE4_1__) && !defined(SCALAR)
  return (Shorts)_mm_adds_epi16((__m128i)a, (__m128i)b);
#else
  for (int i = 0; i < 8; ++i) {
    const int32_t s = a[i] + b[i];
    a[i] = static_cast<int16_t>(s > 32767 ? 32767 : s < -32768 ? -32768 : s);
  }
  return a;
#endif
}

// Of numbers that fit into 16 bits.
inline Shorts narrow(Ints low, Ints high) {
#if defined(__wasm_simd128__)
  return (Shorts)wasm_i16x8_narrow_i32x4((v128_t)low, (v128_t)high);
#elif defined(__SSE4_1__) && !defined(SCALAR)
  return (Shorts)_mm_packs_epi32((__m128i)low, (__m128i)high);
#else
  return __builtin_shufflevector((Shorts)low, (Shorts)high, 0, 2, 4, 6, 8, 10, 12, 14);
#endif
}

// About 256 times the logarithm, to the base of two, of odds: of (p + 32768) to (32768 - p). The bits of a float are the
// logarithm of what it stands for with straight lines in between, and of such numbers all floats are exact.
inline Ints logOdds(Ints p) {
  const Ints ones = (Ints)__builtin_convertvector(32768 + p, Floats);
  const Ints zeros = (Ints)__builtin_convertvector(32768 - p, Floats);
  return (ones - zeros) >> 15;
}
inline Shorts logOdds(Shorts p) { return narrow(logOdds(lowHalf(p)), logOdds(highHalf(p))); }

// Keeps the compiler from computing the eight one by one because each is used alone afterwards.
inline void together([[maybe_unused]] Shorts& v) {
#if defined(__wasm_simd128__)
  asm("" : "+r"(v));
#elif defined(__SSE4_1__) && !defined(SCALAR)
  asm("" : "+x"(v));
#endif
}
