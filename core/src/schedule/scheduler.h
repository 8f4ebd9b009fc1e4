// Who runs next: the highest priority among those whose stores have a free slot.
// Waiting raises a priority by one each `ageing`, so nobody waits for ever;
// among equals the first come is first served. One whose two stores are never free at
// the same time would still be passed by for ever: who has waited `kReserveAfter` times
// `ageing` (a minute by default) keeps a slot of both for itself, against all that rank
// below. It then waits for those that run, and for nobody who comes later.
// Who waits with a higher priority takes the slot of one that runs and can be interrupted. Only
// priorities count for that, and the rank with which the other one got its slot: somebody whom
// waiting has raised is not sent back into the line by those whom it has passed.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "keyhaul/engine.h"

namespace keyhaul {

class Scheduler {
 public:
  explicit Scheduler(const Config& config) : config_(config) {}

  void enqueue(MigrationId id, uint8_t priority, NodeId source, NodeId target, Instant now);
  // Takes it out wherever it is: waiting or running.
  void remove(MigrationId id);
  // The next one that may run, if any; it holds its slots until removed.
  std::optional<MigrationId> admit(Instant now);
  // Whoever waits and is at work all the same: it holds slots from here on, though there may be none.
  void runAnyway(MigrationId id, Instant now);
  static constexpr uint64_t kReserveAfter = 6;
  // The one that has to make room for the highest that waits and is helped by that: the lowest of those that
  // run and `yields(id)`, of equals the last that came.
  template <class Yields>
  std::optional<MigrationId> toPreempt(Instant now, Yields yields) const {
    uint32_t least = UINT32_MAX;  // of whoever might: mostly nobody who waits is above it
    for (const Item& item : running_) {
      if (!waiting_.empty() && item.rank < least && yields(item.id)) least = item.rank;
    }
    const Item *served = nullptr, *room = nullptr;
    for (const Item& item : waiting_) {
      if (item.priority <= (served != nullptr ? served->priority : least)) continue;
      const Item* lowest = nullptr;
      for (const Item& other : running_) {
        const bool lower = other.rank < item.priority && (lowest == nullptr || other.rank <= lowest->rank);
        if (lower && fits(item, &other) && yields(other.id)) lowest = &other;
      }
      if (lowest == nullptr || isBehind(item, now)) continue;
      served = &item;
      room = lowest;
    }
    if (room == nullptr) return std::nullopt;
    return room->id;
  }

  // Who runs beyond them runs on, until thinned out.
  void setSlots(uint32_t slots, uint32_t sourceSlots, uint32_t targetSlots);
  // Since slots were changed more run than may, without counting those that leave by themselves: the lowest of those
  // that are too many and yield, of equals the last that came. Where more run for another reason, they may.
  template <class Yields, class Leaves>
  std::optional<MigrationId> toThinOut(Yields yields, Leaves leaves) {
    if (!changed_) return std::nullopt;
    const Item* lowest = nullptr;
    bool anyOver = false;
    for (const Item& item : running_) {
      uint32_t all = 0, source = 0, target = 0;  // that stay
      for (const Item& other : running_) {
        if (leaves(other.id)) continue;
        ++all;
        source += other.source == item.source ? 1U : 0U;
        target += other.target == item.target ? 1U : 0U;
      }
      anyOver = anyOver || isOver(running(), look(asSource_, item.source), look(asTarget_, item.target));
      const bool lower = lowest == nullptr || item.rank <= lowest->rank;
      if (lower && isOver(all, source, target) && yields(item.id)) lowest = &item;
    }
    changed_ = anyOver;
    if (lowest == nullptr) return std::nullopt;
    return lowest->id;
  }

  uint32_t running() const { return static_cast<uint32_t>(running_.size()); }

 private:
  struct Item {
    MigrationId id;
    uint8_t priority = 0;
    NodeId source, target;
    Instant since;
    uint32_t rank = 0;  // with which it got its slot
  };
  using Counts = std::vector<uint32_t>;
  static uint32_t look(const Counts& counts, NodeId node) {
    return node.slot() < counts.size() ? counts[node.slot()] : 0;
  }
  // `without`: as if that one did not run.
  bool fits(const Item& item, const Item* without = nullptr) const;
  bool isOver(uint32_t all, uint32_t source, uint32_t target) const {
    const auto over = [](uint32_t used, uint32_t limit) { return limit != 0 && used > limit; };
    return over(all, config_.slots) || over(source, config_.sourceSlots) || over(target, config_.targetSlots);
  }
  // A slot that it needs is one that a higher one waits for too, or would be kept for another one.
  bool isBehind(const Item& item, Instant now) const;
  uint64_t aged(const Item& item, Instant now) const;
  uint64_t rankOf(const Item& item, Instant now) const;
  void reserve(const Item& item);
  // From waiting to running.
  MigrationId run(const Item& item, Instant now);

  Config config_;
  std::vector<Item> waiting_, running_;  // as they came
  bool changed_ = false;                 // the slots, and more may run than may since
  Counts asSource_, asTarget_;  // running, by node slot
  // Only while admit() looks for one: who is next, and what is kept for those before it. A
  // rank is a number, the lower the sooner; its lower half is the place in waiting_.
  std::vector<uint64_t> ranked_;
  Counts keptSource_, keptTarget_;
};

}  // namespace keyhaul
