// Sets of ranges; `ranges` is the size of a set, items are what is said at each.
#include <benchmark/benchmark.h>

#include "keyhaul/range_set.h"
#include "records.h"

namespace keyhaul::bench {
namespace {

KeyRange range(uint64_t from, uint64_t below) { return {keyOf(from), Bound::at(keyOf(below))}; }

// Every hundred keys one range of fifty, from `first` on.
RangeSet comb(uint64_t first, int64_t ranges) {
  std::vector<KeyRange> all;
  for (uint64_t i = 0; i < static_cast<uint64_t>(ranges); ++i) {
    all.push_back(range(first + i * 100, first + i * 100 + 50));
  }
  return RangeSet::of(std::move(all));
}

// Items: questions.
void contains(benchmark::State& state) {
  const RangeSet set = comb(0, state.range(0));
  std::vector<std::string> keys;
  for (uint64_t i = 0; i < 1'000; ++i) keys.push_back(keyOf(i * 7'919 % (static_cast<uint64_t>(state.range(0)) * 100)));
  size_t at = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(set.contains(std::string_view(keys[at])));
    at = at + 1 == keys.size() ? 0 : at + 1;
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
}
BENCHMARK(contains)->Name("range_set/contains")->ArgName("ranges")->Arg(10)->Arg(1'000);

// Items: a range added in the middle and taken out again, so two a time.
void addAndRemove(benchmark::State& state) {
  RangeSet set = comb(0, state.range(0));
  const uint64_t middle = static_cast<uint64_t>(state.range(0)) / 2 * 100;
  const KeyRange gap = range(middle + 60, middle + 70);
  for (auto _ : state) {
    set.add(gap);
    set.remove(gap);
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) * 2);
}
BENCHMARK(addAndRemove)->Name("range_set/add_remove")->ArgName("ranges")->Arg(10)->Arg(1'000);

// Items: ranges of both sets.
template <RangeSet (RangeSet::*Operation)(const RangeSet&) const>
void combine(benchmark::State& state) {
  const RangeSet a = comb(0, state.range(0)), b = comb(25, state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize((a.*Operation)(b));
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) * state.range(0) * 2);
}
BENCHMARK(combine<&RangeSet::unite>)->Name("range_set/unite")->ArgName("ranges")->Arg(1'000);
BENCHMARK(combine<&RangeSet::intersect>)->Name("range_set/intersect")->ArgName("ranges")->Arg(1'000);
BENCHMARK(combine<&RangeSet::subtract>)->Name("range_set/subtract")->ArgName("ranges")->Arg(1'000);

}  // namespace
}  // namespace keyhaul::bench
