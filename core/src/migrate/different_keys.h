// Keys that two sides hold differently, ascending, and how.
#pragma once

#include <vector>

#include "keyhaul/key_list.h"
#include "keyhaul/migration.h"

namespace keyhaul {

struct DifferentKeys {
  KeyList keys;
  std::vector<DifferenceKind> kinds;  // of each

  void clear() {
    keys.clear();
    kinds.clear();
  }
  void add(KeyView key, DifferenceKind kind) {
    keys.add(key);
    kinds.push_back(kind);
  }
};

}  // namespace keyhaul
