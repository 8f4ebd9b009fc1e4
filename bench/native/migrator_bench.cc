// DataMigrator with chunks of 16 B keys and 116 B values; items are chunks. Goal G8 compares
// transferChunk with a program that is not here: it looks its migration up by the text of the id
// and recomputes the checksum bit by bit. transferBitwise does that much, in the same run.
#include <benchmark/benchmark.h>

#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "bit_by_bit.h"
#include "keyhaul/migrator.h"
#include "records.h"

namespace keyhaul::bench {
namespace {

constexpr size_t kValueBytes = 116;
using Records = std::vector<std::pair<std::string, std::string>>;

struct Started {
  DataMigrator migrator;
  std::string id;
};

bool start(Started& started, const Records& all) {
  auto plan = DataMigrator::createPlan("a", "b", {{all.front().first, all.back().first}});
  if (!plan.ok()) return false;
  auto id = started.migrator.startMigration(plan.value(), Instant{1});
  if (id.ok()) started.id = std::move(id).value();
  return id.ok();
}

void report(benchmark::State& state) {
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
}

std::vector<DataChunk> chunksOf(const Records& all) {
  std::vector<DataChunk> chunks;
  for (const auto& [key, value] : all) chunks.emplace_back(key, value);
  return chunks;
}

void transferChunk(benchmark::State& state) {
  const bool numbered = state.range(0) != 0;
  const auto all = records(1'000, kValueBytes);
  auto chunks = chunksOf(all);
  Started started;
  if (!start(started, all)) return state.SkipWithError("not started");
  uint64_t sequence = 0;
  size_t at = 0;
  for (auto _ : state) {
    if (numbered) chunks[at].sequence = sequence++;
    const Status status = started.migrator.transferChunk(started.id, chunks[at]);
    if (!status.ok()) return state.SkipWithError("refused");
    at = at + 1 == all.size() ? 0 : at + 1;
  }
  report(state);
}
BENCHMARK(transferChunk)->Name("migrator/transferChunk")->ArgName("numbered")->Arg(0)->Arg(1);

void makeAndTransferChunk(benchmark::State& state) {
  const auto all = records(1'000, kValueBytes);
  Started started;
  if (!start(started, all)) return state.SkipWithError("not started");
  size_t at = 0;
  for (auto _ : state) {
    const DataChunk chunk(all[at].first, all[at].second);
    const Status status = started.migrator.transferChunk(started.id, chunk);
    if (!status.ok()) return state.SkipWithError("refused");
    at = at + 1 == all.size() ? 0 : at + 1;
  }
  report(state);
}
BENCHMARK(makeAndTransferChunk)->Name("migrator/makeAndTransferChunk");

void transferBitwise(benchmark::State& state) {
  struct Counts {
    uint64_t chunks = 0, bytes = 0;
  };
  const auto all = records(1'000, kValueBytes);
  const auto chunks = chunksOf(all);
  std::unordered_map<std::string, Counts> migrations{{"mig-1", {}}};
  const std::string id = "mig-1";
  size_t at = 0;
  for (auto _ : state) {
    const auto found = migrations.find(id);
    const DataChunk& chunk = chunks[at];
    if (found == migrations.end() || crcBitByBit(0xEDB88320U, chunk.value) != chunk.checksum) {
      return state.SkipWithError("refused");
    }
    ++found->second.chunks;
    found->second.bytes += chunk.value.size();
    at = at + 1 == all.size() ? 0 : at + 1;
  }
  benchmark::DoNotOptimize(migrations);
  report(state);
}
BENCHMARK(transferBitwise)->Name("migrator/transferBitwise");

}  // namespace
}  // namespace keyhaul::bench
