// A range in bytes, as journals, the ownership document and gates have it: its low bytes, then 1
// for no end, or 0 and its high bytes, which are exclusive.
#pragma once

#include <string>
#include <utility>

#include "base/varint.h"
#include "keyhaul/key_range.h"

namespace keyhaul {

inline void putRange(std::string& out, const KeyRange& range) {
  putBytes(out, range.lo);
  putVarint(out, range.hi.isInfinite() ? 1 : 0);
  if (!range.hi.isInfinite()) putBytes(out, range.hi.key());
}

// An empty one is read as what it is.
inline KeyRange readRange(ByteReader& in) {
  KeyRange range;
  range.lo = Key(in.bytes(kKeyBytesMax));
  if (!in.boolean()) range.hi = Bound::at(Key(in.bytes(kKeyBytesMax + 1)));
  return range;
}

// Sorted and disjoint.
inline bool follows(const KeyRange& before, const KeyRange& after) {
  return !before.hi.isInfinite() && !before.hi.isAbove(after.lo);
}

}  // namespace keyhaul
