// Both sides of a range, key by key, in their order.
#pragma once

#include "../store.h"

namespace keyhaul::sim {

// Calls `source(entry)` or `target(entry)` for a key that only one side holds, else `both(s, t)`.
template <typename Source, typename Target, typename Both>
void forEachPair(const Entries& sources, const Entries& targets, const KeyRange& range,
                 Source source, Target target, Both both) {
  auto s = sources.lower_bound(range.lo);
  auto t = targets.lower_bound(range.lo);
  const auto inside = [&range](const Entries& entries, Entries::const_iterator entry) {
    return entry != entries.end() && range.hi.isAbove(entry->first);
  };
  for (;;) {
    const bool hasSource = inside(sources, s), hasTarget = inside(targets, t);
    if (!hasSource && !hasTarget) return;
    if (hasSource && (!hasTarget || s->first < t->first)) {
      source(*s++);
    } else if (!hasSource || t->first < s->first) {
      target(*t++);
    } else {
      both(*s++, *t++);
    }
  }
}

}  // namespace keyhaul::sim
