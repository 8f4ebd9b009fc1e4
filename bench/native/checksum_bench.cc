// Both checksums on every kernel that this build and processor have, and the peers that are
// installed (Debian's libisal-dev and libdeflate-dev). All have to give what the definition gives first.
#include <benchmark/benchmark.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <string>

#include "bit_by_bit.h"
#include "keyhaul/checksum.h"
#if __has_include(<isa-l.h>)
#include <isa-l.h>
#define KEYHAUL_BENCH_ISAL
#endif
#if __has_include(<libdeflate.h>)
#include <libdeflate.h>
#define KEYHAUL_BENCH_LIBDEFLATE
#endif

namespace keyhaul::bench {
namespace {

uint32_t definition(ChecksumKind kind, std::string_view bytes, uint32_t initial) {
  return crcBitByBit(kind == ChecksumKind::kCrc32 ? 0xEDB88320U : 0x82F63B78U, bytes, initial);
}

void measure(benchmark::State& state, ChecksumKind kind, const std::string& kernel) {
  if (!forceChecksumKernel(kernel).ok() || checksumKernelName(kind) != kernel) {
    static_cast<void>(forceChecksumKernel("auto"));
    return state.SkipWithError("no such kernel here");
  }
  const std::string bytes(static_cast<size_t>(state.range(0)), 'x');
  uint32_t sum = 7;
  if (checksum(kind, std::as_bytes(std::span(bytes)), sum) != definition(kind, bytes, sum)) {
    static_cast<void>(forceChecksumKernel("auto"));
    return state.SkipWithError("another result");
  }
  for (auto _ : state) {
    sum = checksum(kind, std::as_bytes(std::span(bytes)), sum);
    benchmark::DoNotOptimize(sum);
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * state.range(0));
  static_cast<void>(forceChecksumKernel("auto"));
}

constexpr int64_t kSizes[] = {16, 64, 116, 256, 1 << 10, 4 << 10, 64 << 10, 1 << 20};

// ISA-L leaves the upper halves of vector registers as they are, and until somebody clears them all that is compiled for SSE takes
// twice as long: our kernels and the digest of whichever benchmark comes next.
#if defined(__x86_64__)
__attribute__((target("avx"))) void clearUpperHalves() { _mm256_zeroupper(); }
#endif
[[maybe_unused]] void tidyUp() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx") != 0) clearUpperHalves();
#endif
}

using Peer = uint32_t (*)(uint32_t sum, std::string& bytes);

[[maybe_unused]] void measurePeer(benchmark::State& state, ChecksumKind kind, Peer peer) {
  std::string bytes(static_cast<size_t>(state.range(0)), 'x');
  uint32_t sum = 7;
  const bool isEqual = peer(sum, bytes) == definition(kind, bytes, sum);
  tidyUp();
  if (!isEqual) {
    return state.SkipWithError("another result");
  }
  for (auto _ : state) {
    sum = peer(sum, bytes);
    benchmark::DoNotOptimize(sum);
  }
  tidyUp();
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * state.range(0));
}

[[maybe_unused]] void registerPeer(const char* name, ChecksumKind kind, Peer peer) {
  auto* benchmark = ::benchmark::RegisterBenchmark(name, measurePeer, kind, peer);
  for (const int64_t bytes : kSizes) benchmark->Arg(bytes);
}

void registerPeers() {
#if defined(KEYHAUL_BENCH_ISAL)
  ::benchmark::AddCustomContext("ISA-L", std::to_string(ISAL_MAJOR_VERSION) + "." + std::to_string(ISAL_MINOR_VERSION));
  registerPeer("crc32/isa-l", ChecksumKind::kCrc32, [](uint32_t sum, std::string& bytes) {
    return crc32_gzip_refl(sum, reinterpret_cast<unsigned char*>(bytes.data()), bytes.size());
  });
  // Its CRC-32C leaves the inversions to the caller.
  registerPeer("crc32c/isa-l", ChecksumKind::kCrc32c, [](uint32_t sum, std::string& bytes) {
    return ~crc32_iscsi(reinterpret_cast<unsigned char*>(bytes.data()),
                        static_cast<int>(bytes.size()), ~sum);
  });
#endif
#if defined(KEYHAUL_BENCH_LIBDEFLATE)
  ::benchmark::AddCustomContext("libdeflate", LIBDEFLATE_VERSION_STRING);
  registerPeer("crc32/libdeflate", ChecksumKind::kCrc32, [](uint32_t sum, std::string& bytes) {
    return libdeflate_crc32(sum, bytes.data(), bytes.size());
  });
#endif
}

int registerAll() {
  for (const char* kernel : {"portable", "sparse", "sse42", "pclmul", "vpclmul256", "vpclmul512", "armv8"}) {
    for (const ChecksumKind kind : {ChecksumKind::kCrc32, ChecksumKind::kCrc32c}) {
      const std::string name = (kind == ChecksumKind::kCrc32 ? "crc32/" : "crc32c/") + std::string(kernel);
      if (!forceChecksumKernel(kernel).ok() || checksumKernelName(kind) != kernel) continue;
      auto* benchmark = ::benchmark::RegisterBenchmark(name.c_str(), measure, kind, kernel);
      for (const int64_t bytes : kSizes) benchmark->Arg(bytes);
    }
  }
  registerPeers();
  ::benchmark::AddCustomContext("g++", __VERSION__);
  return static_cast<int>(forceChecksumKernel("auto").ok());
}
[[maybe_unused]] const int kRegistered = registerAll();

}  // namespace
}  // namespace keyhaul::bench
