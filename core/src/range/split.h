// Ranges in two parts: what is below a key, and what is from it on.
#pragma once

#include <vector>

#include "keyhaul/key_range.h"

namespace keyhaul {

// Whether both parts would be ranges with keys in them; `ranges` in order.
inline bool splitsAt(const std::vector<KeyRange>& ranges, KeyView at) {
  return !ranges.empty() && ranges.front().lo < at && ranges.back().hi.isAbove(at);
}

}  // namespace keyhaul
