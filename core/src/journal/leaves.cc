#include "journal/leaves.h"

#include <utility>

namespace keyhaul {

void addLeaf(std::vector<Leaf>& leaves, Leaf leaf) {
  if (leaves.size() >= kLeavesMax) {
    std::vector<Leaf> merged;
    merged.reserve(kLeavesMax);
    for (size_t i = 0; i + 1 < leaves.size(); i += 2) {
      Leaf pair = std::move(leaves[i + 1]);
      pair.digest += leaves[i].digest;
      merged.push_back(std::move(pair));
    }
    if (leaves.size() % 2 != 0) merged.push_back(std::move(leaves.back()));
    leaves = std::move(merged);
  }
  leaves.push_back(std::move(leaf));
}

Digest sumOf(const std::vector<Leaf>& leaves) {
  Digest sum;
  for (const Leaf& leaf : leaves) sum += leaf.digest;
  return sum;
}

}  // namespace keyhaul
