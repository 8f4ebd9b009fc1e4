#include "schedule/scheduler.h"

#include <algorithm>

#include "base/number.h"

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
  waiting_.push_back({id, priority, source, target, now, 0});
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

bool Scheduler::fits(const Item& item, const Item* without) const {
  const auto free = [](uint32_t used, bool less, uint32_t limit) { return limit == 0 || used - (less ? 1U : 0U) < limit; };
  const bool less = without != nullptr;
  return free(running(), less, config_.slots) &&
         free(look(asSource_, item.source) + (less ? 0U : look(keptSource_, item.source)),
              less && without->source == item.source, config_.sourceSlots) &&
         free(look(asTarget_, item.target) + (less ? 0U : look(keptTarget_, item.target)),
              less && without->target == item.target, config_.targetSlots);
}

bool Scheduler::isBehind(const Item& item, Instant now) const {
  return std::any_of(waiting_.begin(), waiting_.end(), [&](const Item& other) {
    const bool shares = (config_.sourceSlots != 0 && other.source == item.source) ||
                        (config_.targetSlots != 0 && other.target == item.target);
    return shares && &other != &item && (other.priority > item.priority || aged(other, now) >= kReserveAfter);
  });
}

uint64_t Scheduler::aged(const Item& item, Instant now) const {
  return config_.ageing.us == 0 ? 0 : (now - item.since).us / config_.ageing.us;
}

uint64_t Scheduler::rankOf(const Item& item, Instant now) const {
  return std::min<uint64_t>(item.priority + aged(item, now), UINT32_MAX);
}

void Scheduler::reserve(const Item& item) {
  ++count(keptSource_, item.source);
  ++count(keptTarget_, item.target);
}

void Scheduler::clearKept() {
  std::fill(keptSource_.begin(), keptSource_.end(), 0U);
  std::fill(keptTarget_.begin(), keptTarget_.end(), 0U);
}

MigrationId Scheduler::run(const Item& item, Instant now) {
  const MigrationId id = item.id;
  ++count(asSource_, item.source);
  ++count(asTarget_, item.target);
  running_.push_back(item);
  running_.back().rank = static_cast<uint32_t>(rankOf(item, now));
  std::erase_if(waiting_, [id](const Item& other) { return other.id == id; });
  return id;
}

void Scheduler::runAnyway(MigrationId id, Instant now) {
  const auto at = std::find_if(waiting_.begin(), waiting_.end(), [id](const Item& item) { return item.id == id; });
  if (at != waiting_.end()) run(*at, now);
}

bool Scheduler::setSlots(uint32_t slots, uint32_t sourceSlots, uint32_t targetSlots) {
  config_.slots = slots;
  config_.sourceSlots = sourceSlots;
  config_.targetSlots = targetSlots;
  return runsTooMany();
}

bool Scheduler::isOver(const Item& item, uint32_t all, const Counts& asSource, const Counts& asTarget) const {
  const auto over = [](uint32_t used, uint32_t limit) { return limit != 0 && used > limit; };
  return over(all, config_.slots) || over(look(asSource, item.source), config_.sourceSlots) ||
         over(look(asTarget, item.target), config_.targetSlots);
}

bool Scheduler::runsTooMany() const {
  return std::any_of(running_.begin(), running_.end(), [this](const Item& item) { return isOver(item, running(), asSource_, asTarget_); });
}

std::optional<MigrationId> Scheduler::admit(Instant now) {
  if (waiting_.empty() || (config_.slots != 0 && running() >= config_.slots)) return std::nullopt;
  ranked_.clear();
  for (const Item& item : waiting_) {
    ranked_.push_back((UINT32_MAX - rankOf(item, now)) << 32 | ranked_.size());
  }
  clearKept();
  // Mostly the first of all fits, and finding it takes no sort: a thousand that wait would be
  // sorted a thousand times.
  const auto item = [this](uint64_t ranked) -> const Item& {
    return waiting_[static_cast<uint32_t>(ranked)];
  };
  const Item& first = item(*std::min_element(ranked_.begin(), ranked_.end()));
  if (fits(first)) return run(first, now);
  sortNumbers(ranked_);
  for (const uint64_t ranked : ranked_) {
    const Item& next = item(ranked);
    if (fits(next)) return run(next, now);
    if (aged(next, now) >= kReserveAfter) reserve(next);
  }
  return std::nullopt;
}

}  // namespace keyhaul
