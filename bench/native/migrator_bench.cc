// DataMigrator: a chunk of 116 B made, checked and counted; items are chunks.
#include <benchmark/benchmark.h>

#include "keyhaul/migrator.h"
#include "records.h"

namespace keyhaul::bench {
namespace {

void transferChunk(benchmark::State& state) {
  const bool numbered = state.range(0) != 0;
  const auto all = records(1'000, 100);
  DataMigrator migrator;
  auto plan = DataMigrator::createPlan("a", "b", {{all.front().first, all.back().first}});
  if (!plan.ok()) return state.SkipWithError("no plan");
  const auto id = migrator.startMigration(plan.value(), Instant{1});
  if (!id.ok()) return state.SkipWithError("not started");
  uint64_t sequence = 0;
  size_t at = 0;
  for (auto _ : state) {
    DataChunk chunk(all[at].first, all[at].second);
    if (numbered) chunk.sequence = sequence++;
    if (!migrator.transferChunk(id.value(), chunk).ok()) return state.SkipWithError("refused");
    at = at + 1 == all.size() ? 0 : at + 1;
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * 116);
}
BENCHMARK(transferChunk)->Name("migrator/transferChunk")->ArgName("numbered")->Arg(0)->Arg(1);

}  // namespace
}  // namespace keyhaul::bench
