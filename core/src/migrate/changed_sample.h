// Which keys the feed named, as often as it named them: about two thousand of all of them, spread evenly
// over the time since it began. Their middle is where a range is split, so that each half takes
// about half of the writes, whatever half of the keys that is.
#pragma once

#include <vector>

#include "keyhaul/key_list.h"

namespace keyhaul {

class ChangedSample {
 public:
  static constexpr size_t kKeysMax = 2'048;
  static constexpr uint64_t kBytesMax = 1U << 20;

  void watch(bool on) { *this = {}; watching_ = on; }
  bool watching() const { return watching_; }
  void add(KeyView key);
  size_t size() const { return keys_.size(); }
  // The key at which the second part begins: the first ends before it. Empty: there is none that both
  // parts would have changes of, as where all are on one key.
  Key middle(const std::vector<KeyRange>& ranges) const;

 private:
  bool watching_ = false;
  KeyList keys_;  // in their order of time
  uint64_t stride_ = 1, skipped_ = 0;
};

}  // namespace keyhaul
