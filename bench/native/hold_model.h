// The hold model: take the next event, put one in at a random later time, with so many pending. Gaps are up to
// twice as many microseconds, so about one event a microsecond; one in 16 is a thousand times as far.
#pragma once

#include <cstdint>
#include <queue>
#include <vector>

#include "event_queue.h"
#include "prng.h"

namespace keyhaul::sim {

// The library's heap, made stable by a number, as most simulators have it: what ours is compared with.
class LibraryQueue {
 public:
  void push(uint64_t timeUs, const Queued& body) { heap_.push({timeUs, order_++, body}); }
  Queued pop(uint64_t& timeUs) {
    const Item top = heap_.top();
    heap_.pop();
    timeUs = top.timeUs;
    return top.body;
  }

 private:
  struct Item {
    uint64_t timeUs, order;
    Queued body;
    bool operator<(const Item& other) const {
      return timeUs != other.timeUs ? timeUs > other.timeUs : order > other.order;
    }
  };
  std::priority_queue<Item> heap_;
  uint64_t order_ = 0;
};

template <typename Queue>
class HoldModel {
 public:
  explicit HoldModel(uint64_t pending) : pending_(pending) {
    for (uint64_t i = 0; i < pending; ++i) {
      Queued event;
      event.arg = i;
      queue_.push(prng_.below(2 * pending), event);
    }
  }

  void hold() {
    uint64_t timeUs = 0;
    const Queued event = queue_.pop(timeUs);
    sum_ = sum_ * 31 + (timeUs ^ event.arg);
    const uint64_t gapUs = 1 + prng_.below(2 * pending_);
    queue_.push(timeUs + (gapUs % 16 == 0 ? 1000 * gapUs : gapUs), event);
  }

  // Of what was popped, in its order.
  uint64_t sum() const { return sum_; }

 private:
  Prng prng_{1, "bench"};
  Queue queue_;
  uint64_t pending_, sum_ = 0;
};

}  // namespace keyhaul::sim
