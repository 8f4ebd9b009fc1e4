#include <cstring>

#include "keyhaul/journal.h"

namespace keyhaul {

KeyView Leaves::upto(size_t index) const {
  const size_t begin = index == 0 ? 0 : leaves_[index - 1].end;
  return {uptos_.data() + begin, leaves_[index].end - begin};
}

void Leaves::merge() {
  static_assert(kLeavesMax % 2 == 0);
  size_t end = 0;
  for (size_t i = 0; i < kLeavesMax / 2; ++i) {
    const KeyView key = upto(2 * i + 1);
    std::memmove(uptos_.data() + end, key.data(), key.size());
    end += key.size();
    Digest both = digest(2 * i);
    both += digest(2 * i + 1);
    leaves_[i] = {both, end};
  }
  uptos_.erase(end);
  while (size() > kLeavesMax / 2) leaves_.pop_back();
}

void Leaves::add(KeyView upto, const Digest& digest) {
  if (size() == kLeavesMax) merge();
  uptos_ += upto;
  leaves_.push_back({digest, uptos_.size()});
}

Digest Leaves::sum() const {
  Digest sum;
  for (const Leaf& leaf : leaves_) sum += leaf.digest;
  return sum;
}

}  // namespace keyhaul
