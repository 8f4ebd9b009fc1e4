// For bench/node/queue.mjs: the hold model with the simulator's queue and with the library's heap.
#include "../../bench/native/hold_model.h"

namespace {

using namespace keyhaul::sim;

template <typename Queue>
uint32_t run(uint32_t pending, uint32_t events) {
  static HoldModel<Queue>* model = nullptr;
  static uint32_t pendingNow = 0;
  if (pendingNow != pending) {
    delete model;
    model = new HoldModel<Queue>(pending);
    pendingNow = pending;
  }
  for (uint32_t i = 0; i < events; ++i) model->hold();
  return static_cast<uint32_t>(model->sum());
}

}  // namespace

extern "C" {
// Goes on where the last call with so many pending ended; the sum of all that was popped.
uint32_t ours(uint32_t pending, uint32_t events) { return run<EventQueue>(pending, events); }
uint32_t library(uint32_t pending, uint32_t events) { return run<LibraryQueue>(pending, events); }
}
