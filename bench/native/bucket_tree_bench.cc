// A tree of digests, kept up to date by writes and compared with another.
#include <benchmark/benchmark.h>

#include "keyhaul/bucket_tree.h"
#include "records.h"

namespace keyhaul::bench {
namespace {

BucketTree tree(int64_t buckets) {
  std::vector<Key> cuts;
  for (int64_t i = 1; i < buckets; ++i) cuts.push_back(keyOf(static_cast<uint64_t>(i) * 100));
  return std::move(BucketTree::create(KeyRange::all(), std::move(cuts))).value();
}

Digest digest(uint64_t seed) { return {seed * 0x9E3779B97F4A7C15U, seed, 1, 116}; }

// Items: live writes, the old digest out and the new one in.
void replace(benchmark::State& state) {
  BucketTree all = tree(state.range(0));
  std::vector<std::string> keys;
  for (uint64_t i = 0; i < 1'000; ++i) {
    keys.push_back(keyOf(i * 7'919 % (static_cast<uint64_t>(state.range(0)) * 100)));
    if (!all.add(keys.back(), digest(i)).ok()) return state.SkipWithError("outside");
  }
  size_t at = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(all.replace(keys[at], digest(at), digest(at)).ok());
    at = at + 1 == keys.size() ? 0 : at + 1;
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
}
BENCHMARK(replace)->Name("bucket_tree/replace")->ArgName("buckets")->Arg(256)->Arg(65'536);

// Items: comparisons of whole trees, of which `different` buckets differ.
void compareTrees(benchmark::State& state) {
  constexpr int64_t kBuckets = 65'536;
  const BucketTree a = tree(kBuckets);
  BucketTree b = tree(kBuckets);
  for (int64_t i = 0; i < state.range(0); ++i) {
    const auto key = keyOf(static_cast<uint64_t>(i * (kBuckets / state.range(0)) * 100));
    if (!b.add(key, digest(7)).ok()) return state.SkipWithError("outside");
  }
  for (auto _ : state) {
    const auto found = compare(a, b);
    if (!found.ok() || std::ssize(found.value().buckets) != state.range(0)) return state.SkipWithError("wrong");
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
}
BENCHMARK(compareTrees)->Name("bucket_tree/compare")->ArgName("different")->Arg(1)->Arg(100);

}  // namespace
}  // namespace keyhaul::bench
