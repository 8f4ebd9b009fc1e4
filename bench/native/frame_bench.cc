// A frame of a thousand records written, with its checksum, and read; items are records.
#include <benchmark/benchmark.h>

#include <vector>

#include "keyhaul/frame.h"
#include "records.h"

namespace keyhaul::bench {
namespace {

constexpr uint32_t kRecords = 1'000;

uint32_t write(const std::vector<std::pair<std::string, std::string>>& all, std::span<std::byte> out,
               ChecksumKind kind) {
  FrameWriter writer(out, kRecords);
  for (const auto& [key, value] : all) writer.put(key, value);
  return writer.finish(kind, 0, 1);
}

void count(benchmark::State& state) {
  const auto frames = static_cast<int64_t>(state.iterations());
  state.SetItemsProcessed(frames * kRecords);
  state.SetBytesProcessed(frames * kRecords * state.range(0));
}

void frameWrite(benchmark::State& state) {
  const auto all = records(kRecords, static_cast<size_t>(state.range(0)) - kKeyBytes);
  std::vector<std::byte> out(frameBytes(kRecords, uint64_t{kRecords} * static_cast<uint64_t>(state.range(0))));
  for (auto _ : state) benchmark::DoNotOptimize(write(all, out, ChecksumKind::kCrc32c));
  count(state);
}
BENCHMARK(frameWrite)->Name("frame/write")->Arg(116)->Arg(1'016);

void frameRead(benchmark::State& state) {
  const auto all = records(kRecords, static_cast<size_t>(state.range(0)) - kKeyBytes);
  std::vector<std::byte> out(frameBytes(kRecords, uint64_t{kRecords} * static_cast<uint64_t>(state.range(0))));
  write(all, out, ChecksumKind::kCrc32c);
  for (auto _ : state) {
    const auto frame = readFrame(out);
    if (!frame.ok()) return state.SkipWithError("the frame is not read");
    for (const EntryView entry : frame.value()) benchmark::DoNotOptimize(entry.value.data());
  }
  count(state);
}
BENCHMARK(frameRead)->Name("frame/read")->Arg(116)->Arg(1'016);

}  // namespace
}  // namespace keyhaul::bench
