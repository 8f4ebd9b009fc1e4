// What a processor's carry-less products allow: 16 bytes take two of them, however they are folded. Eight
// accumulators are multiplied and added where they lie, no message is loaded, and nothing else is done; the bytes are those
// that as many products would fold. A kernel that is as fast as this has reached its processor's limit.
#include <benchmark/benchmark.h>

#if defined(__x86_64__)
#include <immintrin.h>

#include <cstdint>

namespace {

constexpr int kAccumulators = 8;
constexpr int kRounds = 1024;

__attribute__((target("pclmul,avx"))) void foldXmm(__m128i* accumulators, __m128i factor) {
  __m128i a[kAccumulators];
  for (int i = 0; i < kAccumulators; i++) a[i] = accumulators[i];
  for (int round = 0; round < kRounds; round++) {
#pragma GCC unroll 8
    for (int i = 0; i < kAccumulators; i++) {
      a[i] = _mm_xor_si128(_mm_clmulepi64_si128(a[i], factor, 0x00), _mm_clmulepi64_si128(a[i], factor, 0x11));
    }
  }
  for (int i = 0; i < kAccumulators; i++) accumulators[i] = a[i];
}

__attribute__((target("vpclmulqdq,avx2"))) void foldYmm(__m256i* accumulators, __m256i factor) {
  __m256i a[kAccumulators];
  for (int i = 0; i < kAccumulators; i++) a[i] = accumulators[i];
  for (int round = 0; round < kRounds; round++) {
#pragma GCC unroll 8
    for (int i = 0; i < kAccumulators; i++) {
      a[i] = _mm256_xor_si256(_mm256_clmulepi64_epi128(a[i], factor, 0x00), _mm256_clmulepi64_epi128(a[i], factor, 0x11));
    }
  }
  for (int i = 0; i < kAccumulators; i++) accumulators[i] = a[i];
}

__attribute__((target("vpclmulqdq,avx512f"))) void foldZmm(__m512i* accumulators, __m512i factor) {
  __m512i a[kAccumulators];
  for (int i = 0; i < kAccumulators; i++) a[i] = accumulators[i];
  for (int round = 0; round < kRounds; round++) {
#pragma GCC unroll 8
    for (int i = 0; i < kAccumulators; i++) {
      a[i] = _mm512_xor_si512(_mm512_clmulepi64_epi128(a[i], factor, 0x00), _mm512_clmulepi64_epi128(a[i], factor, 0x11));
    }
  }
  for (int i = 0; i < kAccumulators; i++) accumulators[i] = a[i];
}

alignas(64) std::uint64_t memory[kAccumulators * 8];

void run(benchmark::State& state, void (*fold)(), int bytes) {
  for (std::size_t i = 0; i < kAccumulators * 8; i++) memory[i] = 0x9e3779b97f4a7c15U * (i + 1);
  for (auto _ : state) {
    fold();
    benchmark::DoNotOptimize(memory);
  }
  state.SetBytesProcessed(state.iterations() * kRounds * kAccumulators * bytes);
}

__attribute__((target("pclmul,avx"))) void withXmm() {
  foldXmm(reinterpret_cast<__m128i*>(memory), _mm_set1_epi64x(0x1c6e41596));
}

__attribute__((target("vpclmulqdq,avx2"))) void withYmm() {
  foldYmm(reinterpret_cast<__m256i*>(memory), _mm256_set1_epi64x(0x1c6e41596));
}

__attribute__((target("vpclmulqdq,avx512f"))) void withZmm() {
  foldZmm(reinterpret_cast<__m512i*>(memory), _mm512_set1_epi64(0x1c6e41596));
}

[[maybe_unused]] const bool registered = [] {
  if (__builtin_cpu_supports("pclmul") != 0 && __builtin_cpu_supports("avx") != 0) {
    benchmark::RegisterBenchmark("crc32/limit of products of 128 bits", [](benchmark::State& state) { run(state, withXmm, 16); });
  }
  if (__builtin_cpu_supports("vpclmulqdq") != 0 && __builtin_cpu_supports("avx2") != 0) {
    benchmark::RegisterBenchmark("crc32/limit of products of 256 bits", [](benchmark::State& state) { run(state, withYmm, 32); });
  }
  if (__builtin_cpu_supports("vpclmulqdq") != 0 && __builtin_cpu_supports("avx512f") != 0) {
    benchmark::RegisterBenchmark("crc32/limit of products of 512 bits", [](benchmark::State& state) { run(state, withZmm, 64); });
  }
  return true;
}();

}  // namespace
#endif
