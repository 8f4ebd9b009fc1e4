#include "sides.h"

#include "store.h"
#include "world.h"

namespace keyhaul::sim {

std::vector<std::string> keysOf(const World& world, const Job& job) {
  if (!job.keys.empty()) return job.keys;
  std::vector<std::string> keys;
  for (const std::string& key : world.space().keys) {
    if (job.contains(key)) keys.push_back(key);
  }
  return keys;
}

// In the order of the keys, so that each store is gone through once.
void compare(const World& world, const Job& job, const std::vector<std::string>& keys,
             std::span<Cell> cells) {
  if (keys.empty()) return;
  const Entries& source = world.store(job.source).entries();
  const Entries& target = world.store(job.target).entries();
  auto s = source.lower_bound(keys.front());
  auto t = target.lower_bound(keys.front());
  for (size_t i = 0; i < keys.size(); ++i) {
    const std::string& key = keys[i];
    while (s != source.end() && s->first < key) ++s;
    while (t != target.end() && t->first < key) ++t;
    const bool atSource = s != source.end() && s->first == key;
    const bool atTarget = t != target.end() && t->first == key;
    Cell& cell = cells[i * cells.size() / keys.size()];
    ++cell.keys;
    cell.source += atSource ? 1U : 0U;
    cell.target += atTarget ? 1U : 0U;
    if (atSource) cell.sourceBytes += key.size() + s->second.size();
    if (atTarget) cell.targetBytes += key.size() + t->second.size();
    cell.differ += atSource && atTarget && s->second != t->second ? 1U : 0U;
    cell.missing += atSource && !atTarget ? 1U : 0U;
  }
}

}  // namespace keyhaul::sim
