// How long an answer takes in a rehearsal, by what was measured of the real store.
#pragma once

#include <algorithm>
#include <cstdint>

#include "prng.h"

namespace keyhaul::sim {

struct AnswerTime {
  uint64_t us = 0;
  uint64_t mostUs = 0;  // the slowest of twenty; not above `us`: as long as the others

  // About so long, and one of ten up to twice as far as the slowest of twenty.
  uint64_t draw(Prng& prng) const {
    const bool isSlow = mostUs > us && prng.below(10) == 0;
    return isSlow ? us + prng.below(2 * (mostUs - us) + 1) : us * 3 / 4 + prng.below(us / 2 + 1);
  }
  // Of two that are waited for at once.
  AnswerTime with(const AnswerTime& other) const {
    return {std::max(us, other.us), std::max(mostUs, other.mostUs)};
  }
};

}  // namespace keyhaul::sim
