// What will happen, by (time, order of asking). Equal times keep the order in which
// they were pushed: that is the tie rule of the whole simulation.
//
// A 4-ary heap of 16-byte keys (four children are one cache line) over a pool of bodies.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace keyhaul::sim {

enum class QueuedKind : uint8_t {
  kDeliver = 1,  // arg: a message of the network's
  kTimer = 2,    // `what` is the node's; stale when `boot` is not the node's any more
  kFault = 3,    // `what` is the fault schedule's
  kControl = 4,  // `what` is the world's
};

struct Queued {
  QueuedKind kind = QueuedKind::kTimer;
  uint8_t what = 0;
  uint16_t node = 0;
  uint32_t boot = 0;
  uint64_t arg = 0;
};

class EventQueue {
 public:
  bool empty() const { return heap_.empty(); }
  size_t size() const { return heap_.size(); }
  uint64_t nextTimeUs() const { return heap_.front().timeUs; }

  void push(uint64_t timeUs, const Queued& body) {
    uint32_t slot = 0;
    if (free_.empty()) {
      slot = static_cast<uint32_t>(bodies_.size());
      bodies_.push_back(body);
    } else {
      slot = free_.back();
      free_.pop_back();
      bodies_[slot] = body;
    }
    assert(slot < kSlotsMax);
    heap_.emplace_back();
    siftUp(heap_.size() - 1, {timeUs, (order_++ << kSlotBits) | slot});
  }

  // Precondition: !empty().
  Queued pop(uint64_t& timeUs) {
    const Item top = heap_.front();
    const Item last = heap_.back();
    heap_.pop_back();
    if (!heap_.empty()) siftDown(last);
    const auto slot = static_cast<uint32_t>(top.orderAndSlot & (kSlotsMax - 1));
    free_.push_back(slot);
    timeUs = top.timeUs;
    return bodies_[slot];
  }

 private:
  static constexpr uint32_t kSlotBits = 22;
  static constexpr uint64_t kSlotsMax = uint64_t{1} << kSlotBits;  // 4 M pending
  struct Item {
    uint64_t timeUs = 0, orderAndSlot = 0;
    bool before(const Item& other) const {
      using Wide = unsigned __int128;
      return ((Wide{timeUs} << 64) | orderAndSlot) <
             ((Wide{other.timeUs} << 64) | other.orderAndSlot);
    }
  };

  void siftUp(size_t at, const Item& item) {
    while (at > 0) {
      const size_t parent = (at - 1) / 4;
      if (!item.before(heap_[parent])) break;
      heap_[at] = heap_[parent];
      at = parent;
    }
    heap_[at] = item;
  }

  // From the root down; the hole takes `item`.
  void siftDown(const Item& item) {
    const size_t count = heap_.size();
    size_t at = 0;
    for (;;) {
      const size_t first = 4 * at + 1;
      if (first >= count) break;
      size_t least = first;
      const size_t end = first + 4 < count ? first + 4 : count;
      for (size_t child = first + 1; child < end; ++child) {
        least = heap_[child].before(heap_[least]) ? child : least;
      }
      if (!heap_[least].before(item)) break;
      heap_[at] = heap_[least];
      at = least;
    }
    heap_[at] = item;
  }

  std::vector<Item> heap_;
  std::vector<Queued> bodies_;
  std::vector<uint32_t> free_;
  uint64_t order_ = 0;
};

}  // namespace keyhaul::sim
