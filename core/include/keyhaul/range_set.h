// A set of keys as disjoint half-open ranges, kept normal: sorted, not empty, and
// no two that touch. So two sets are equal exactly when their ranges are.
#pragma once

#include <utility>
#include <vector>

#include "keyhaul/key_range.h"

namespace keyhaul {

class RangeSet {
 public:
  RangeSet() = default;
  explicit RangeSet(KeyRange range) { add(std::move(range)); }
  // Any ranges, in any order, overlapping or empty. O(n log n).
  static RangeSet of(std::vector<KeyRange> ranges);

  const std::vector<KeyRange>& ranges() const { return ranges_; }
  bool empty() const { return ranges_.empty(); }

  // O(n) at worst; O(log n) to find the place.
  void add(KeyRange range);
  void remove(const KeyRange& range);

  // O(log n). An empty range is contained in every set, and overlaps none.
  bool contains(KeyView key) const {
    // Here, so that it becomes part of what asks for each of many keys.
    size_t low = 0;
    for (size_t high = ranges_.size(); low < high;) {
      const size_t middle = low + (high - low) / 2;
      if (ranges_[middle].hi.isAbove(key)) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low < ranges_.size() && !isBelow(key, ranges_[low].lo);
  }
  bool contains(const KeyRange& range) const;
  bool overlaps(const KeyRange& range) const;

  // Linear in both sizes.
  RangeSet unite(const RangeSet& other) const;
  RangeSet intersect(const RangeSet& other) const;
  RangeSet subtract(const RangeSet& other) const;
  // The part below `key`, and the part from `key` on.
  std::pair<RangeSet, RangeSet> split(KeyView key) const;

  bool isNormal() const;
  friend bool operator==(const RangeSet& a, const RangeSet& b) { return a.ranges_ == b.ranges_; }

 private:
  size_t firstReaching(KeyView key) const;
  std::vector<KeyRange> ranges_;
};

}  // namespace keyhaul
