// Who owns which keys, and since which epoch. An assignment must be newer than
// everything it replaces, so that a late message cannot undo a later decision.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "keyhaul/key_range.h"

namespace keyhaul {

struct RangeOwner {
  uint32_t owner = 0;
  uint64_t epoch = 0;
  friend bool operator==(const RangeOwner& a, const RangeOwner& b) {
    return a.owner == b.owner && a.epoch == b.epoch;
  }
};

class RangeMap {
 public:
  struct Segment {
    KeyRange range;
    RangeOwner value;
    friend bool operator==(const Segment& a, const Segment& b) {
      return a.range == b.range && a.value == b.value;
    }
  };

  // Gives `range` to an owner. Refused, with the first part that stands in the way,
  // where any of it has this epoch or a newer one; nothing is changed then.
  // An empty range is accepted and changes nothing.
  std::optional<Segment> assign(const KeyRange& range, RangeOwner value);
  // Owner and epoch of a key; nothing where nobody owns it. O(log n).
  std::optional<RangeOwner> lookup(KeyView key) const;
  // The owned parts of a range, in order, cut to it.
  std::vector<Segment> lookup(const KeyRange& range) const;
  // All segments in order; neighbours of equal owner and epoch are one.
  const std::vector<Segment>& segments() const { return segments_; }
  bool isNormal() const;

 private:
  size_t firstAbove(KeyView key) const;
  std::vector<Segment> segments_;
};

}  // namespace keyhaul
