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

#include <algorithm>
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

  // Who runs beyond them runs on, until thinned out. Do more run than may?
  bool setSlots(uint32_t slots, uint32_t sourceSlots, uint32_t targetSlots);
  // Where more run than may, without counting those that leave by themselves: the lowest of those that are too many
  // and yield, of equals the last that came. `any`: since slots were lowered; once no more run it is over, and if more
  // do for another reason later, they may.
  template <class Yields, class Leaves>
  std::optional<MigrationId> toThinOut(bool& any, Yields yields, Leaves leaves) {
    any = any && runsTooMany();
    if (!any) return std::nullopt;
    clearKept();
    uint32_t staying = 0;
    for (const Item& item : running_) {
      if (leaves(item.id)) continue;
      ++staying;
      reserve(item);
    }
    const Item* lowest = nullptr;
    for (const Item& item : running_) {
      const bool lower = lowest == nullptr || item.rank <= lowest->rank;
      if (lower && isOver(item, staying, keptSource_, keptTarget_) && yields(item.id)) lowest = &item;
    }
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
  // `without`: as if that one did not run.
  bool fits(const Item& item, const Item* without = nullptr) const;
  // Are these more than may run, all together or at a node of this one?
  bool isOver(const Item& item, uint32_t all, const Counts& asSource, const Counts& asTarget) const;
  bool runsTooMany() const;
  // A slot that it needs is one that a higher one waits for too, or would be kept for another one.
  bool isBehind(const Item& item, Instant now) const;
  uint64_t aged(const Item& item, Instant now) const;
  uint64_t rankOf(const Item& item, Instant now) const;
  void reserve(const Item& item);
  void clearKept();
  // From waiting to running.
  MigrationId run(const Item& item, Instant now);

  Config config_;
  std::vector<Item> waiting_, running_;  // as they came
  Counts asSource_, asTarget_;  // running, by node slot
  // Only while admit() looks for one: who is next, and what is kept for those before it, or while toThinOut() does:
  // for those that stay. A rank is a number, the lower the sooner; its lower half is the place in waiting_.
  std::vector<uint64_t> ranked_;
  Counts keptSource_, keptTarget_;
};

}  // namespace keyhaul
