// Who runs next: the highest priority among those whose stores have a free slot.
// Waiting raises a priority by one each `ageing`, so nobody waits for ever;
// among equals the first come is first served.
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
  uint32_t running() const { return static_cast<uint32_t>(running_.size()); }

 private:
  struct Item {
    MigrationId id;
    uint8_t priority = 0;
    NodeId source, target;
    Instant since;
    uint64_t order = 0;
  };
  bool fits(const Item& item) const;
  uint64_t rank(const Item& item, Instant now) const;

  Config config_;
  std::vector<Item> waiting_, running_;
  std::vector<uint32_t> asSource_, asTarget_;  // running, by node slot
  uint64_t orders_ = 0;
};

}  // namespace keyhaul
