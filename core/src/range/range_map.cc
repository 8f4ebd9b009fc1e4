#include "keyhaul/range_map.h"

#include <algorithm>
#include <utility>

#include "range/overlay.h"

namespace keyhaul {
namespace {

bool same(const RangeMap::Segment& a, const RangeMap::Segment& b) { return a.value == b.value; }

}  // namespace

// The first segment that ends above `key`.
size_t RangeMap::firstAbove(KeyView key) const {
  const auto at = std::partition_point(
      segments_.begin(), segments_.end(),
      [key](const Segment& segment) { return !segment.range.hi.isAbove(key); });
  return static_cast<size_t>(at - segments_.begin());
}

std::optional<RangeMap::Segment> RangeMap::assign(const KeyRange& range, RangeOwner value) {
  if (range.empty()) return std::nullopt;
  for (Segment& part : lookup(range)) {
    if (part.value.epoch >= value.epoch) return std::move(part);
  }
  segments_ = overlay(std::move(segments_), {Segment{range, value}}, same);
  return std::nullopt;
}

std::optional<RangeOwner> RangeMap::lookup(KeyView key) const {
  const size_t at = firstAbove(key);
  if (at == segments_.size() || !segments_[at].range.contains(key)) return std::nullopt;
  return segments_[at].value;
}

std::vector<RangeMap::Segment> RangeMap::lookup(const KeyRange& range) const {
  std::vector<Segment> parts;
  if (range.empty()) return parts;
  for (size_t i = firstAbove(range.lo); i < segments_.size(); ++i) {
    const Segment& segment = segments_[i];
    if (!range.hi.isAbove(segment.range.lo)) break;
    parts.push_back({{std::max(segment.range.lo, range.lo), std::min(segment.range.hi, range.hi)},
                     segment.value});
  }
  return parts;
}

bool RangeMap::isNormal() const {
  for (size_t i = 0; i < segments_.size(); ++i) {
    if (segments_[i].range.empty()) return false;
    if (i == 0) continue;
    const Segment& before = segments_[i - 1];
    if (before.range.hi.isAbove(segments_[i].range.lo)) return false;
    const bool touch = before.range.hi == Bound::at(segments_[i].range.lo);
    if (touch && before.value == segments_[i].value) return false;
  }
  return true;
}

}  // namespace keyhaul
