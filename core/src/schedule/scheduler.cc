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
         free(look(asSource_, item.source) + look(keptSource_, item.source),
              config_.sourceSlots) &&
         free(look(asTarget_, item.target) + look(keptTarget_, item.target), config_.targetSlots);
}

uint64_t Scheduler::aged(const Item& item, Instant now) const {
  return config_.ageing.us == 0 ? 0 : (now - item.since).us / config_.ageing.us;
}

void Scheduler::reserve(const Item& item) {
  ++count(keptSource_, item.source);
  ++count(keptTarget_, item.target);
}

MigrationId Scheduler::run(const Item& item) {
  const MigrationId id = item.id;
  ++count(asSource_, item.source);
  ++count(asTarget_, item.target);
  running_.push_back(item);
  std::erase_if(waiting_, [id](const Item& other) { return other.id == id; });
  return id;
}

std::optional<MigrationId> Scheduler::admit(Instant now) {
  if (waiting_.empty() || (config_.slots != 0 && running() >= config_.slots)) return std::nullopt;
  ranked_.clear();
  for (const Item& item : waiting_) ranked_.emplace_back(item.priority + aged(item, now), &item);
  const auto before = [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second->order < b.second->order;
  };
  std::fill(keptSource_.begin(), keptSource_.end(), 0U);
  std::fill(keptTarget_.begin(), keptTarget_.end(), 0U);
  // Mostly the first of all fits, and finding it takes no sort: a thousand that wait would be
  // sorted a thousand times.
  const auto first = std::min_element(ranked_.begin(), ranked_.end(), before);
  if (fits(*first->second)) return run(*first->second);
  // Not std::sort, which is four times the code in the WASM module.
  std::make_heap(ranked_.begin(), ranked_.end(), before);
  std::sort_heap(ranked_.begin(), ranked_.end(), before);
  for (const auto& [rank, item] : ranked_) {
    if (fits(*item)) return run(*item);
    if (aged(*item, now) >= kReserveAfter) reserve(*item);
  }
  return std::nullopt;
}

}  // namespace keyhaul
