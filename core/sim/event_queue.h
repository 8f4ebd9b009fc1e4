// What will happen, by (time, order of asking). Equal times keep the order in which
// they were pushed: that is the tie rule of the whole simulation.
//
// A hierarchical timing wheel (Varghese and Lauck, "Hashed and Hierarchical Timing Wheels", 1987) of all 64 bits
// of the time, ten a level: an event lies in the level of the highest ten in which its time and that of the
// last one popped differ, in the list of its own ten bits there. So lists of the lowest level are of one
// microsecond, everything in a level comes before everything in those above, and events of equal times are
// in one list at any moment, in their order. Where the next one is not in the lowest level, its list is spread
// over the levels below: each event is moved down a few times at most, however many wait.
#pragma once

#include <array>
#include <bit>
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
  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }

  // Precondition: !empty().
  uint64_t nextTimeUs() const {
    if (!nextIsKnown_) find();
    return nextUs_;
  }

  // Precondition: not before what was popped last.
  void push(uint64_t timeUs, const Queued& body) {
    assert(timeUs >= lastUs_);
    uint32_t slot = 0;
    if (free_.empty()) {
      slot = static_cast<uint32_t>(events_.size());
      events_.emplace_back();
    } else {
      slot = free_.back();
      free_.pop_back();
    }
    events_[slot] = {timeUs, body, 0};
    place(slot);
    if (size_++ == 0 || (nextIsKnown_ && timeUs < nextUs_)) {
      nextUs_ = timeUs;
      nextIsKnown_ = true;
    }
  }

  // Precondition: !empty().
  Queued pop(uint64_t& timeUs) {
    const uint64_t nextUs = nextTimeUs();
    const uint32_t level = levelOf(nextUs);
    lastUs_ = nextUs;
    if (level > 0) spread(level, digit(nextUs, level));
    List& list = wheel_[0].lists[digit(nextUs, 0)];
    const uint32_t slot = list.first;
    if (slot == list.last) {
      wheel_[0].clear(digit(nextUs, 0));
      nextIsKnown_ = false;
    } else {
      list.first = events_[slot].next;  // of the same microsecond
    }
    free_.push_back(slot);
    --size_;
    timeUs = nextUs;
    return events_[slot].body;
  }

 private:
  static constexpr uint32_t kBits = 10, kLists = 1U << kBits, kLevels = (64 + kBits - 1) / kBits;

  struct Event {
    uint64_t timeUs = 0;
    Queued body;
    uint32_t next = 0;  // in its list; of the last one, anything
  };
  struct List {
    uint32_t first = 0, last = 0;
  };
  struct Level {
    uint32_t words = 0;  // which of `used` are not zero
    std::array<uint64_t, kLists / 64> used{};
    std::array<List, kLists> lists{};  // of those not in use, anything

    void clear(uint32_t list) {
      if ((used[list / 64] &= ~(uint64_t{1} << list % 64)) == 0) words &= ~(1U << list / 64);
    }
    // The first in use. Precondition: there is one.
    uint32_t first() const {
      const auto word = static_cast<uint32_t>(std::countr_zero(words));
      return 64 * word + static_cast<uint32_t>(std::countr_zero(used[word]));
    }
  };

  static uint32_t digit(uint64_t timeUs, uint32_t level) {
    return static_cast<uint32_t>(timeUs >> (kBits * level)) & (kLists - 1);
  }
  uint32_t levelOf(uint64_t timeUs) const {
    return static_cast<uint32_t>(std::bit_width((timeUs ^ lastUs_) | 1U) - 1) / kBits;
  }

  void place(uint32_t slot) {
    const uint64_t timeUs = events_[slot].timeUs;
    const uint32_t number = levelOf(timeUs), at = digit(timeUs, number);
    Level& level = wheel_[number];
    List& list = level.lists[at];
    const uint64_t mark = uint64_t{1} << at % 64;
    if ((level.used[at / 64] & mark) == 0) {
      level.used[at / 64] |= mark;
      level.words |= 1U << at / 64;
      list.first = slot;
    } else {
      events_[list.last].next = slot;
    }
    list.last = slot;
  }

  void spread(uint32_t number, uint32_t at) {
    const List list = wheel_[number].lists[at];
    wheel_[number].clear(at);
    for (uint32_t slot = list.first;;) {
      const uint32_t next = events_[slot].next;
      place(slot);
      if (slot == list.last) return;
      slot = next;
    }
  }

  void find() const {
    const Level* level = wheel_.data();
    while (level->words == 0) ++level;
    const List& list = level->lists[level->first()];
    nextUs_ = events_[list.first].timeUs;
    nextIsKnown_ = true;
    if (level == wheel_.data()) return;
    for (uint32_t slot = list.first; slot != list.last;) {
      slot = events_[slot].next;
      if (events_[slot].timeUs < nextUs_) nextUs_ = events_[slot].timeUs;
    }
  }

  std::vector<Level> wheel_ = std::vector<Level>(kLevels);
  std::vector<Event> events_;
  std::vector<uint32_t> free_;
  size_t size_ = 0;
  uint64_t lastUs_ = 0;
  mutable uint64_t nextUs_ = 0;
  mutable bool nextIsKnown_ = false;  // nextUs_
};

}  // namespace keyhaul::sim
