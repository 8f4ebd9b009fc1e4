// Both checksums on every kernel that this build and processor have.
#include <benchmark/benchmark.h>

#include <string>

#include "keyhaul/checksum.h"

namespace keyhaul::bench {
namespace {

void measure(benchmark::State& state, ChecksumKind kind, const std::string& kernel) {
  if (!forceChecksumKernel(kernel).ok() || checksumKernelName(kind) != kernel) {
    static_cast<void>(forceChecksumKernel("auto"));
    return state.SkipWithError("no such kernel here");
  }
  const std::string bytes(static_cast<size_t>(state.range(0)), 'x');
  uint32_t sum = 0;
  for (auto _ : state) {
    sum = checksum(kind, std::as_bytes(std::span(bytes)), sum);
    benchmark::DoNotOptimize(sum);
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * state.range(0));
  static_cast<void>(forceChecksumKernel("auto"));
}

BENCHMARK_CAPTURE(measure, crc32_portable, ChecksumKind::kCrc32, "portable")->Name("crc32/portable")->Arg(116)->Arg(4 << 10)->Arg(256 << 10);
BENCHMARK_CAPTURE(measure, crc32_pclmul, ChecksumKind::kCrc32, "pclmul")->Name("crc32/pclmul")->Arg(116)->Arg(4 << 10)->Arg(256 << 10);
BENCHMARK_CAPTURE(measure, crc32c_portable, ChecksumKind::kCrc32c, "portable")->Name("crc32c/portable")->Arg(116)->Arg(4 << 10)->Arg(256 << 10);
BENCHMARK_CAPTURE(measure, crc32c_sse42, ChecksumKind::kCrc32c, "sse42")->Name("crc32c/sse42")->Arg(116)->Arg(4 << 10)->Arg(256 << 10);

}  // namespace
}  // namespace keyhaul::bench
