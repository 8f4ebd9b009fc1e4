// Parts of the key space, each with a `range` and something that is true of it: sorted, disjoint,
// and joined where neighbours say the same.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "keyhaul/key_range.h"

namespace keyhaul {

template <typename Part, typename Same>
void appendPart(std::vector<Part>& out, Part part, Same same) {
  if (part.range.empty()) return;
  const bool joins = !out.empty() && out.back().range.hi == Bound::at(part.range.lo) &&
                     same(out.back(), part);
  if (joins) {
    out.back().range.hi = std::move(part.range.hi);
  } else {
    out.push_back(std::move(part));
  }
}

// `changes`, sorted and disjoint too, take the place of what the parts said of their keys.
// One pass over both.
template <typename Part, typename Same>
std::vector<Part> overlay(std::vector<Part> parts, std::vector<Part> changes, Same same) {
  std::vector<Part> out;
  out.reserve(parts.size() + 2 * changes.size());
  size_t i = 0;
  for (Part& change : changes) {
    const KeyRange range = change.range;
    while (i < parts.size() && !parts[i].range.hi.isAbove(range.lo)) {
      appendPart(out, std::move(parts[i++]), same);
    }
    if (i < parts.size() && parts[i].range.lo < range.lo) {
      Part before = parts[i];
      before.range.hi = Bound::at(range.lo);
      appendPart(out, std::move(before), same);
    }
    appendPart(out, std::move(change), same);
    while (i < parts.size() && !(range.hi < parts[i].range.hi)) ++i;
    if (i < parts.size() && range.hi.isAbove(parts[i].range.lo)) parts[i].range.lo = range.hi.key();
  }
  while (i < parts.size()) appendPart(out, std::move(parts[i++]), same);
  return out;
}

// Sorted, disjoint, none empty.
inline bool inOrder(const std::vector<KeyRange>& ranges) {
  for (size_t i = 0; i < ranges.size(); ++i) {
    if (ranges[i].empty()) return false;
    if (i > 0 && ranges[i - 1].hi.isAbove(ranges[i].lo)) return false;
  }
  return true;
}

// Of ranges in order: does one of them have a key of `span`?
inline bool touches(const std::vector<KeyRange>& ranges, const KeyRange& span) {
  const auto at = std::partition_point(ranges.begin(), ranges.end(), [&span](const KeyRange& range) {
    return !range.hi.isAbove(span.lo);
  });
  return at != ranges.end() && at->overlaps(span);
}

}  // namespace keyhaul
