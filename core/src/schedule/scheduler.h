// Who runs next: the highest priority among those whose stores have a free slot.
// Waiting raises a priority by one each `ageing`, so nobody waits for ever;
// among equals the first come is first served. One whose two stores are never free at
// the same time would still be passed by for ever: who has waited `kReserveAfter` times
// `ageing` (a minute by default) keeps a slot of both for itself, against all that rank
// below. It then waits for those that run, and for nobody who comes later.
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
  static constexpr uint64_t kReserveAfter = 6;

  uint32_t running() const { return static_cast<uint32_t>(running_.size()); }

 private:
  struct Item {
    MigrationId id;
    uint8_t priority = 0;
    NodeId source, target;
    Instant since;
  };
  using Counts = std::vector<uint32_t>;
  bool fits(const Item& item) const;
  uint64_t aged(const Item& item, Instant now) const;
  void reserve(const Item& item);
  // From waiting to running.
  MigrationId run(const Item& item);

  Config config_;
  std::vector<Item> waiting_, running_;  // as they came
  Counts asSource_, asTarget_;  // running, by node slot
  // Only while admit() looks for one: who is next, and what is kept for those before it. A
  // rank is a number, the lower the sooner; its lower half is the place in waiting_.
  std::vector<uint64_t> ranked_;
  Counts keptSource_, keptTarget_;
};

}  // namespace keyhaul
