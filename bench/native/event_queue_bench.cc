// What the simulator's queue can do at best, and the library's heap beside it (hold_model.h).
#include <benchmark/benchmark.h>

#include "hold_model.h"

namespace keyhaul::sim {
namespace {

bool agree(uint64_t pending) {
  HoldModel<EventQueue> ours(pending);
  HoldModel<LibraryQueue> other(pending);
  for (uint64_t i = 0; i < 3 * pending; ++i) {
    ours.hold();
    other.hold();
  }
  return ours.sum() == other.sum();
}

template <typename Queue>
void holdModel(benchmark::State& state) {
  const auto pending = static_cast<uint64_t>(state.range(0));
  if (!agree(pending)) return state.SkipWithError("the queues give other orders");
  HoldModel<Queue> model(pending);
  for (uint64_t i = 0; i < 3 * pending; ++i) model.hold();
  for (auto _ : state) model.hold();
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(holdModel<EventQueue>)->Arg(100)->Arg(1'000)->Arg(10'000)->Arg(100'000);
BENCHMARK(holdModel<LibraryQueue>)->Arg(100)->Arg(1'000)->Arg(10'000)->Arg(100'000);

}  // namespace
}  // namespace keyhaul::sim
