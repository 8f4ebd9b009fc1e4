// The keys that the feed named since somebody began to compare: what was found equal
// before may differ now. With the bytes of the value that came last: whoever reads them again
// asks for no more than fits.
#pragma once

#include <map>
#include <utility>

#include "keyhaul/key_range.h"

namespace keyhaul {

class ChangedKeys {
 public:
  static constexpr uint64_t kNodeBytes = 104;  // of the set, a key; measured on nothing, a guess

  void watch(bool on, uint64_t bytesMax = 0) {
    watching_ = on;
    bytesMax_ = bytesMax;
    keys_.clear();
    bytes_ = 0;
    overflowed_ = false;
  }
  void add(KeyView key, uint64_t valueBytes) {
    if (!watching_ || overflowed_) return;
    const auto at = keys_.find(key);
    if (at != keys_.end()) {
      at->second = valueBytes;
      return;
    }
    keys_.emplace(key, valueBytes);
    bytes_ += key.size() + kNodeBytes;
    overflowed_ = bytes_ > bytesMax_;
  }
  bool watching() const { return watching_; }
  bool has(KeyView key) const { return keys_.find(key) != keys_.end(); }
  size_t size() const { return keys_.size(); }
  // More keys changed than can be remembered: nothing can be verified any more.
  bool overflowed() const { return overflowed_; }
  // All of them, with the bytes of their values; none are left.
  std::map<Key, uint64_t, std::less<>> take() {
    bytes_ = 0;
    return std::exchange(keys_, {});
  }

 private:
  bool watching_ = false, overflowed_ = false;
  std::map<Key, uint64_t, std::less<>> keys_;
  uint64_t bytes_ = 0, bytesMax_ = 0;
};

}  // namespace keyhaul
