// Ranges in two parts: what is below a key, and what is from it on.
#pragma once

#include <vector>

#include "keyhaul/key_range.h"

namespace keyhaul {

// Nothing else is a reason to move halves in the place of the whole.
constexpr bool splitsFor(ErrorCode why) {
  return why == ErrorCode::kNotConverging || why == ErrorCode::kPauseBudget;
}

// Whether both parts would be ranges with keys in them; `ranges` in order.
inline bool splitsAt(const std::vector<KeyRange>& ranges, KeyView at) {
  return !ranges.empty() && ranges.front().lo < at && ranges.back().hi.isAbove(at);
}

}  // namespace keyhaul
