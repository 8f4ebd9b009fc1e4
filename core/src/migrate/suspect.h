// A part of a range that both sides are to be looked at in.
#pragma once

#include <cstdint>

#include "keyhaul/key_range.h"

namespace keyhaul {

struct Suspect {
  uint32_t range = 0;  // of the plan
  KeyRange keys;
};

}  // namespace keyhaul
