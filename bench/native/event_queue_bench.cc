// The hold model: take the next event, put one in at a random later time, with so many
// pending. What the simulator's queue can do at best.
#include <benchmark/benchmark.h>

#include "event_queue.h"
#include "prng.h"

namespace {

void holdModel(benchmark::State& state) {
  using namespace keyhaul::sim;
  const auto pending = static_cast<uint64_t>(state.range(0));
  Prng prng(1, "bench");
  EventQueue queue;
  for (uint64_t i = 0; i < pending; ++i) queue.push(prng.below(2 * pending), {});
  for (auto _ : state) {
    uint64_t timeUs = 0;
    const Queued event = queue.pop(timeUs);
    queue.push(timeUs + 1 + prng.below(2 * pending), event);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(holdModel)->Arg(1'000)->Arg(10'000)->Arg(100'000);

}  // namespace
