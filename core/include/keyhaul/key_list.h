// Keys one behind another in one piece of memory, which a cleared list keeps: who fills it again with
// as many asks the heap for nothing, and who fills it further asks each time that it doubles, not for each key.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "keyhaul/key_range.h"

namespace keyhaul {

class KeyList {
 public:
  size_t size() const { return ends_.size(); }
  bool empty() const { return ends_.empty(); }
  // Of all keys.
  size_t bytes() const { return bytes_.size(); }
  // Valid until the list changes.
  KeyView operator[](size_t index) const;
  KeyView back() const { return (*this)[size() - 1]; }
  // `key` is none of this list's.
  void add(KeyView key);
  void clear();
  // Of two neighbours the first stays, and who has none.
  void halve();

 private:
  std::string bytes_;
  std::vector<size_t> ends_;  // of each in bytes_
};

}  // namespace keyhaul
