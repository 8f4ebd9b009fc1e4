#include "keyhaul/journal.h"

namespace keyhaul {

void Leaves::add(const Leaf& leaf) {
  if (size() >= kLeavesMax) {
    uptos_.halve(true);
    const size_t count = size();
    for (size_t i = 0; i < count; i += 2) {
      digests_[i / 2] = digests_[i];
      if (i + 1 < count) digests_[i / 2] += digests_[i + 1];
    }
    digests_.resize((count + 1) / 2);
  }
  uptos_.add(leaf.upto);
  digests_.push_back(leaf.digest);
}

Digest Leaves::sum() const {
  Digest sum;
  for (const Digest& digest : digests_) sum += digest;
  return sum;
}

}  // namespace keyhaul
