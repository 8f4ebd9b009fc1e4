#include "schedule/scheduler.h"

#include <algorithm>

namespace keyhaul {
namespace {

uint32_t& count(std::vector<uint32_t>& counts, NodeId node) {
  if (counts.size() <= node.slot()) counts.resize(node.slot() + 1U);
  return counts[node.slot()];
}

uint32_t look(const std::vector<uint32_t>& counts, NodeId node) {
  return node.slot() < counts.size() ? counts[node.slot()] : 0;
}

}  // namespace

void Scheduler::enqueue(MigrationId id, uint8_t priority, NodeId source, NodeId target,
                        Instant now) {
  waiting_.push_back({id, priority, source, target, now, orders_++});
}

void Scheduler::remove(MigrationId id) {
  const auto is = [id](const Item& item) { return item.id == id; };
  std::erase_if(waiting_, is);
  const auto at = std::find_if(running_.begin(), running_.end(), is);
  if (at == running_.end()) return;
  --count(asSource_, at->source);
  --count(asTarget_, at->target);
  running_.erase(at);
}

bool Scheduler::fits(const Item& item) const {
  const auto free = [](uint32_t used, uint32_t limit) { return limit == 0 || used < limit; };
  return free(running(), config_.slots) &&
         free(look(asSource_, item.source), config_.sourceSlots) &&
         free(look(asTarget_, item.target), config_.targetSlots);
}

uint64_t Scheduler::rank(const Item& item, Instant now) const {
  const uint64_t aged = config_.ageing.us == 0 ? 0 : (now - item.since).us / config_.ageing.us;
  return item.priority + aged;
}

std::optional<MigrationId> Scheduler::admit(Instant now) {
  const Item* best = nullptr;
  for (const Item& item : waiting_) {
    if (!fits(item)) continue;
    if (best == nullptr || rank(item, now) > rank(*best, now)) best = &item;
  }
  if (best == nullptr) return std::nullopt;
  const MigrationId id = best->id;
  ++count(asSource_, best->source);
  ++count(asTarget_, best->target);
  running_.push_back(*best);
  std::erase_if(waiting_, [id](const Item& item) { return item.id == id; });
  return id;
}

}  // namespace keyhaul
