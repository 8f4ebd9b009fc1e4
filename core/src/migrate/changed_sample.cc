#include "migrate/changed_sample.h"

#include <algorithm>
#include <utility>

#include "range/split.h"

namespace keyhaul {

void ChangedSample::add(KeyView key) {
  if (!watching_ || ++skipped_ < stride_) return;
  skipped_ = 0;
  keys_.emplace_back(key);
  bytes_ += key.size();
  while (keys_.size() > kKeysMax || (bytes_ > kBytesMax && keys_.size() > 1)) thin();
}

// Every other one goes, and from here on only every other one comes: no time counts for more.
void ChangedSample::thin() {
  size_t kept = 0;
  bytes_ = 0;
  for (size_t i = 0; i < keys_.size(); i += 2) {
    if (kept != i) keys_[kept] = std::move(keys_[i]);
    bytes_ += keys_[kept++].size();
  }
  keys_.resize(kept);
  stride_ *= 2;
}

Key ChangedSample::middle(const std::vector<KeyRange>& ranges) const {
  if (keys_.empty()) return {};
  std::vector<KeyView> sorted(keys_.begin(), keys_.end());
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
