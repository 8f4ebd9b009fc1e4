// What clients and oracles are shown of keys, one key after the other.
#pragma once

#include <map>
#include <string>

#include "../gated_store.h"
#include "../register.h"
#include "../world.h"

namespace keyhaul::sim {

template <typename Life>
using ByKey = std::map<std::string, Life, std::less<>>;

// Of a page of a scan: `see(key, value)` for each key of `lives` that lies in it, null for one that
// the page leaves out; `wrong(harm, text, key)` for what no scan may give, whoever writes.
template <typename Life, typename See, typename Wrong>
void forEachOnPage(const RoutedPage& page, const ByKey<Life>& lives, See see, Wrong wrong) {
  auto expected = lives.lower_bound(page.lo);
  std::string_view last;
  bool any = false;
  for (const EntryView entry : *page.entries) {
    const bool inside = entry.key >= page.lo && (page.upto.empty() || entry.key < page.upto);
    if (!inside || (any && entry.key <= last)) {
      wrong(Harm::kDoubled, "a scan gives a key twice, or out of its place", entry.key);
    }
    any = true;
    last = entry.key;
    for (; expected != lives.end() && expected->first < entry.key; ++expected) {
      see(expected->first, nullptr);
    }
    if (expected == lives.end() || expected->first != entry.key) {
      wrong(Harm::kNone, "a scan gives a key that nobody wrote", entry.key);
      continue;
    }
    const std::string value(entry.value);
    see(entry.key, &value);
    ++expected;
  }
  for (; expected != lives.end() && (page.upto.empty() || expected->first < page.upto); ++expected) {
    see(expected->first, nullptr);
  }
}

// When everything has come to rest: `see(key, value)` for what the owner of each key holds, null
// for nothing, but not for what has rotted there. `wrong(harm, text, key)` where a key has no owner, or
// a store holds one that is none of `lives`.
template <typename Life, typename See, typename Wrong>
void forEachAtItsOwner(const World& world, const ByKey<Life>& lives, See see, Wrong wrong) {
  const OwnershipMap& map = world.theRegister().map();
  for (const auto& [key, life] : lives) {
    const Ownership* owner = map.lookup(key);
    const GatedStoreNode* store = owner ? world.gatedNamed(owner->owner) : nullptr;
    if (store == nullptr) return wrong(Harm::kLost, "nobody owns the key", key);
    if (store->isRotten(key)) continue;
    const auto at = store->entries().find(key);
    see(key, at == store->entries().end() ? nullptr : &at->second);
  }
  for (const uint16_t id : world.gatedStores()) {
    for (const auto& [key, value] : world.gated(id).entries()) {
      if (lives.find(key) == lives.end()) wrong(Harm::kNone, "a store holds a key that nobody wrote", key);
    }
  }
}

}  // namespace keyhaul::sim
