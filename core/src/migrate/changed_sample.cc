#include "migrate/changed_sample.h"

#include <algorithm>

#include "range/split.h"

namespace keyhaul {

void ChangedSample::add(KeyView key) {
  if (!watching_ || ++skipped_ < stride_) return;
  skipped_ = 0;
  keys_.add(key);
  // Every other one goes, and from here on only every other one comes: no time counts for more.
  while (keys_.size() > kKeysMax || (keys_.bytes() > kBytesMax && keys_.size() > 1)) {
    keys_.halve();
    stride_ *= 2;
  }
}

Key ChangedSample::middle(const std::vector<KeyRange>& ranges) const {
  if (keys_.empty()) return {};
  std::vector<KeyView> sorted(keys_.size());
  for (size_t i = 0; i < sorted.size(); ++i) sorted[i] = keys_[i];
  std::sort(sorted.begin(), sorted.end());
  // A key that is written more than any other has to be on one side: on that which is more even then.
  const KeyView median = sorted[sorted.size() / 2];
  const auto [first, last] = std::equal_range(sorted.begin(), sorted.end(), median);
  const auto before = first - sorted.begin(), behind = sorted.end() - last;
  if (before == 0 && behind == 0) return {};
  const KeyView at = before >= behind ? median : *last;
  return splitsAt(ranges, at) ? Key(at) : Key();
}

}  // namespace keyhaul
