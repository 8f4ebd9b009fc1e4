#pragma once

#include <cstdint>
#include <vector>

#include "keyhaul/key_range.h"

namespace keyhaul {

// The places of the ranges in the order of their lower ends; equals as they were given.
// A heap's sort, and this one for all: std::sort is four times the code.
std::vector<uint32_t> orderByLow(const std::vector<KeyRange>& ranges);

}  // namespace keyhaul
