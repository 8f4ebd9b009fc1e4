// The digest of one record; items are records.
#include <benchmark/benchmark.h>

#include "keyhaul/digest.h"
#include "records.h"

namespace keyhaul::bench {
namespace {

void entryDigest(benchmark::State& state) {
  DigestKey key{};
  key[7] = std::byte{42};
  const EntryHasher hasher(key);
  const auto all = records(1'000, static_cast<size_t>(state.range(0)) - kKeyBytes);
  Digest sum;
  size_t at = 0;
  for (auto _ : state) {
    sum += hasher.hash(all[at].first, all[at].second);
    at = at + 1 == all.size() ? 0 : at + 1;
  }
  benchmark::DoNotOptimize(sum);
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * state.range(0));
}
BENCHMARK(entryDigest)->Name("digest/entry")->Arg(116)->Arg(1'016);

void hasherOfAKey(benchmark::State& state) {
  DigestKey key{};
  for (auto _ : state) {
    key[0] ^= std::byte{1};
    EntryHasher hasher(key);
    benchmark::DoNotOptimize(hasher);
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
}
BENCHMARK(hasherOfAKey)->Name("digest/set_up");

}  // namespace
}  // namespace keyhaul::bench
