// What Engine::step takes, without the host around it: items are events. Journal on, a
// checkpoint every 20 pages. With pages of one entry nearly all of it is the engine's own
// work; with a thousand entries it is checksum, digest and the checks of a page.
#include <benchmark/benchmark.h>

#include <ctime>

#include "support/endless_copy.h"

namespace keyhaul::bench {
namespace {

// Of this thread alone, so that others on the machine do not count.
double cpuSeconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// What a pair of readings of that clock costs: it is no small part of a short step.
double pairSeconds() {
  constexpr int kPairs = 20'000;
  const double begin = cpuSeconds();
  for (int i = 0; i < kPairs; ++i) benchmark::DoNotOptimize(cpuSeconds());
  return (cpuSeconds() - begin) / kPairs;
}

void step(benchmark::State& state) {
  test::EndlessCopy::Shape shape;
  shape.migrations = static_cast<uint32_t>(state.range(0));
  shape.pageEntries = static_cast<uint32_t>(state.range(1));
  test::EndlessCopy copy(shape);
  for (int i = 0; i < 50; ++i) copy.step();
  const double clock = pairSeconds();
  const uint64_t events = copy.eventsGiven(), pages = copy.pagesApplied();
  double begin = 0, seconds = 0;
  for (auto _ : state) {
    copy.step([&] { begin = cpuSeconds(); }, [&] { seconds = cpuSeconds() - begin - clock; });
    state.SetIterationTime(seconds);
  }
  state.SetItemsProcessed(static_cast<int64_t>(copy.eventsGiven() - events));
  state.counters["entries"] = benchmark::Counter(
      static_cast<double>((copy.pagesApplied() - pages) * shape.pageEntries), benchmark::Counter::kIsRate);
}
BENCHMARK(step)
    ->Name("engine/step")
    ->ArgNames({"migrations", "entries_a_page"})
    ->ArgsProduct({{1, 100, 1'000}, {1}})
    ->ArgsProduct({{1, 100}, {1'000}})
    ->UseManualTime();

}  // namespace
}  // namespace keyhaul::bench
