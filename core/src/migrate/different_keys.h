// Keys that two sides hold differently, ascending, and how.
#pragma once

#include <utility>
#include <vector>

#include "keyhaul/key_range.h"
#include "keyhaul/migration.h"

namespace keyhaul {

struct DifferentKeys {
  std::vector<Key> keys;
  std::vector<DifferenceKind> kinds;  // of each

  void clear() {
    keys.clear();
    kinds.clear();
  }
  void add(Key key, DifferenceKind kind) {
    keys.push_back(std::move(key));
    kinds.push_back(kind);
  }
};

}  // namespace keyhaul
