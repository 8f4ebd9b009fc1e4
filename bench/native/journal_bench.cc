// Checkpoint records, the most frequent ones; items are records.
#include <benchmark/benchmark.h>

#include "keyhaul/journal.h"
#include "records.h"

namespace keyhaul::bench {
namespace {

CheckpointRecord checkpoint(uint64_t number) {
  CheckpointRecord record;
  record.upto = successor(keyOf(number));
  record.leaf.entries = 40'000;
  record.leaf.bytes = 4'640'000;
  record.leaf.lo = number * 0x9E3779B97F4A7C15U;
  record.pages = 20;
  return record;
}

void append(benchmark::State& state) {
  JournalWriter writer;
  std::string out;
  const Record record = checkpoint(1);
  int64_t bytes = 0;
  for (auto _ : state) {
    out.clear();
    writer.append(record, out);
    bytes += static_cast<int64_t>(out.size());
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
  state.SetBytesProcessed(bytes);
}
BENCHMARK(append)->Name("journal/append");

std::string journal(uint32_t checkpoints) {
  PlanRecord plan;
  plan.plan.source = "source";
  plan.plan.target = "target";
  plan.plan.sourceCapabilities.bits = plan.plan.targetCapabilities.bits =
      static_cast<uint32_t>(Capability::kScan) | static_cast<uint32_t>(Capability::kApply);
  plan.plan.ranges = {KeyRange::all()};
  JournalWriter writer;
  std::string out;
  writer.append(plan, out);
  writer.append(PreparedRecord{true, {}}, out);
  writer.append(PhaseRecord{MigrationState::kCopying}, out);
  for (uint32_t i = 0; i < checkpoints; ++i) writer.append(checkpoint(i), out);
  return out;
}

// What a resume reads: every record checked, and folded into an image.
void read(benchmark::State& state) {
  const auto checkpoints = static_cast<uint32_t>(state.range(0));
  const std::string file = journal(checkpoints);
  for (auto _ : state) {
    const auto image = readJournal(std::as_bytes(std::span(file)));
    if (!image.ok()) return state.SkipWithError("the journal is not read");
    benchmark::DoNotOptimize(image->records);
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) * (checkpoints + 3));
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * file.size()));
}
BENCHMARK(read)->Name("journal/read")->Arg(100)->Arg(10'000);

}  // namespace
}  // namespace keyhaul::bench
