#include "keyhaul/range_set.h"

#include <algorithm>

#include "range/order.h"

namespace keyhaul {
namespace {

// Appends in order of `lo`, joining what overlaps or touches.
void append(std::vector<KeyRange>& out, KeyRange range) {
  if (range.empty()) return;
  if (out.empty() || (!out.back().hi.isInfinite() && out.back().hi.key() < range.lo)) {
    out.push_back(std::move(range));
  } else if (out.back().hi < range.hi) {
    out.back().hi = std::move(range.hi);
  }
}

KeyRange overlap(const KeyRange& a, const KeyRange& b) {
  return {std::max(a.lo, b.lo), std::min(a.hi, b.hi)};
}

}  // namespace

RangeSet RangeSet::of(std::vector<KeyRange> ranges) {
  RangeSet set;
  for (const uint32_t place : orderByLow(ranges)) append(set.ranges_, std::move(ranges[place]));
  return set;
}

// The first range whose end lies at or above `key`, infinite ends included.
size_t RangeSet::firstReaching(KeyView key) const {
  const auto at = std::partition_point(ranges_.begin(), ranges_.end(), [key](const KeyRange& r) {
    return !r.hi.isInfinite() && KeyView(r.hi.key()) < key;
  });
  return static_cast<size_t>(at - ranges_.begin());
}

void RangeSet::add(KeyRange range) {
  if (range.empty()) return;
  const size_t first = firstReaching(range.lo);
  size_t last = first;
  while (last < ranges_.size() && !(range.hi < Bound::at(ranges_[last].lo))) {
    range.lo = std::min(range.lo, ranges_[last].lo);
    range.hi = std::max(range.hi, ranges_[last].hi);
    ++last;
  }
  const auto from = ranges_.begin() + static_cast<std::ptrdiff_t>(first);
  ranges_.erase(from, ranges_.begin() + static_cast<std::ptrdiff_t>(last));
  ranges_.insert(ranges_.begin() + static_cast<std::ptrdiff_t>(first), std::move(range));
}

void RangeSet::remove(const KeyRange& range) {
  if (range.empty()) return;
  std::vector<KeyRange> kept;
  const size_t first = firstReaching(range.lo);
  size_t last = first;
  while (last < ranges_.size() && range.hi.isAbove(ranges_[last].lo)) {
    const KeyRange& old = ranges_[last];
    append(kept, {old.lo, std::min(old.hi, Bound::at(range.lo))});
    if (!range.hi.isInfinite()) append(kept, {std::max(old.lo, range.hi.key()), old.hi});
    ++last;
  }
  const auto from = ranges_.begin() + static_cast<std::ptrdiff_t>(first);
  ranges_.erase(from, ranges_.begin() + static_cast<std::ptrdiff_t>(last));
  ranges_.insert(ranges_.begin() + static_cast<std::ptrdiff_t>(first), kept.begin(), kept.end());
}

bool RangeSet::contains(const KeyRange& range) const {
  if (range.empty()) return true;
  const size_t first = firstReaching(range.lo);
  for (size_t i = first; i < ranges_.size() && i < first + 2; ++i) {
    if (ranges_[i].contains(range)) return true;
  }
  return false;
}

bool RangeSet::overlaps(const KeyRange& range) const {
  const size_t first = firstReaching(range.lo);
  for (size_t i = first; i < ranges_.size() && i < first + 2; ++i) {
    if (ranges_[i].overlaps(range)) return true;
  }
  return false;
}

RangeSet RangeSet::unite(const RangeSet& other) const {
  RangeSet result;
  size_t a = 0, b = 0;
  while (a < ranges_.size() || b < other.ranges_.size()) {
    const bool takeA = b == other.ranges_.size() ||
                       (a < ranges_.size() && ranges_[a].lo < other.ranges_[b].lo);
    append(result.ranges_, takeA ? ranges_[a++] : other.ranges_[b++]);
  }
  return result;
}

RangeSet RangeSet::intersect(const RangeSet& other) const {
  RangeSet result;
  size_t a = 0, b = 0;
  while (a < ranges_.size() && b < other.ranges_.size()) {
    append(result.ranges_, overlap(ranges_[a], other.ranges_[b]));
    if (ranges_[a].hi < other.ranges_[b].hi) {
      ++a;
    } else {
      ++b;
    }
  }
  return result;
}

RangeSet RangeSet::subtract(const RangeSet& other) const {
  // What lies between the other's ranges, cut out of this.
  RangeSet gaps;
  Key from;
  bool open = true;
  for (const KeyRange& range : other.ranges_) {
    append(gaps.ranges_, {from, Bound::at(range.lo)});
    open = !range.hi.isInfinite();
    if (open) from = range.hi.key();
  }
  if (open) append(gaps.ranges_, {from, Bound::infinity()});
  return intersect(gaps);
}

std::pair<RangeSet, RangeSet> RangeSet::split(KeyView key) const {
  const RangeSet below(KeyRange{{}, Bound::at(Key(key))});
  return {intersect(below), subtract(below)};
}

bool RangeSet::isNormal() const {
  for (size_t i = 0; i < ranges_.size(); ++i) {
    if (ranges_[i].empty()) return false;
    if (i > 0 && !(ranges_[i - 1].hi < Bound::at(ranges_[i].lo))) return false;
  }
  return true;
}

}  // namespace keyhaul
