// Leaves of one range: digests of neighbouring parts, in key order.
#pragma once

#include <vector>

#include "keyhaul/journal.h"

namespace keyhaul {

// Appends a leaf. Beyond kLeavesMax neighbours are merged pairwise, so a range
// of any size keeps at most that many, each over about as many keys.
void addLeaf(std::vector<Leaf>& leaves, Leaf leaf);

Digest sumOf(const std::vector<Leaf>& leaves);

}  // namespace keyhaul
