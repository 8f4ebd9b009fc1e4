// The keys that the feed named since somebody began to compare: what was found equal
// before may differ now.
#pragma once

#include <set>
#include <vector>

#include "keyhaul/key_range.h"

namespace keyhaul {

class ChangedKeys {
 public:
  static constexpr uint64_t kBytesMax = 256U << 20;
  static constexpr uint64_t kNodeBytes = 96;  // of the set, a key; measured on nothing, a guess

  void watch(bool on) {
    watching_ = on;
    keys_.clear();
    bytes_ = 0;
    overflowed_ = false;
  }
  void add(KeyView key) {
    if (!watching_ || overflowed_) return;
    if (!keys_.emplace(key).second) return;
    bytes_ += key.size() + kNodeBytes;
    overflowed_ = bytes_ > kBytesMax;
  }
  bool watching() const { return watching_; }
  bool has(KeyView key) const { return keys_.find(key) != keys_.end(); }
  size_t size() const { return keys_.size(); }
  // More keys changed than can be remembered: nothing can be verified any more.
  bool overflowed() const { return overflowed_; }
  // All of them, ascending; none are left.
  std::vector<Key> take() {
    std::vector<Key> keys(keys_.begin(), keys_.end());
    keys_.clear();
    bytes_ = 0;
    return keys;
  }

 private:
  bool watching_ = false, overflowed_ = false;
  std::set<Key, std::less<>> keys_;
  uint64_t bytes_ = 0;
};

}  // namespace keyhaul
