// Where values carry versions, the target may already hold something newer than what a migration brings.
#pragma once

#include <string_view>

#include "../store.h"
#include "../value.h"

namespace keyhaul::sim {

inline const std::string* valueAt(const StoreNode& store, std::string_view key) {
  const auto at = store.entries().find(key);
  return at == store.entries().end() ? nullptr : &at->second;
}

// Does it durably hold this value, or, where the job merges by versions, one that is not older?
inline bool holdsOrLater(const Job& job, const StoreNode& store, std::string_view key, std::string_view value) {
  if (store.holdsDurably(key, value)) return true;
  const std::string* there = mergesVersions(job.plan) ? valueAt(store, key) : nullptr;
  return there != nullptr && sequenceOf(*there) >= sequenceOf(value) && store.holdsDurably(key, *there);
}

}  // namespace keyhaul::sim
