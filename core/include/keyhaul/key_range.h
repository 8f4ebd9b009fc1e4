// Keys and ranges of keys. A key is any byte string (the empty one too), in
// byte order, never in the order of UTF-16 units or of a locale.
//
// At the surface a range is inclusive at both ends, [start, end]. Inside it is
// half open, [lo, hi), with hi = successor(end), so that neighbours meet exactly:
// [a, m] and [m\0, z] are adjacent, [a, m] and [m, z] overlap.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "keyhaul/status.h"

namespace keyhaul {

using Key = std::string;           // owned bytes
using KeyView = std::string_view;  // borrowed bytes; compares as unsigned bytes

inline constexpr uint32_t kKeyBytesMax = 1U << 20;  // 1 MiB

// a < b. Eight bytes at a time, because keys that are compared begin alike and are short; and here,
// so that it becomes part of what asks for each of many keys: a call of memcmp takes longer.
inline bool isBelow(KeyView a, KeyView b) {
  const size_t both = std::min(a.size(), b.size());
  size_t at = 0;
  for (; at + 8 <= both; at += 8) {
    uint64_t left, right;  // little endian: the first byte is the lowest
    std::memcpy(&left, a.data() + at, sizeof left);
    std::memcpy(&right, b.data() + at, sizeof right);
    if (left == right) continue;
    const int first = __builtin_ctzll(left ^ right) & ~7;
    return (left >> first & 0xFF) < (right >> first & 0xFF);
  }
  for (; at < both; ++at) {
    const auto left = static_cast<uint8_t>(a[at]), right = static_cast<uint8_t>(b[at]);
    if (left != right) return left < right;
  }
  return a.size() < b.size();
}

// The least key greater than `key`: key + "\0". There is always one.
Key successor(KeyView key);
// The least key greater than every key with this prefix; nothing when there is
// none (the prefix is empty or all 0xFF).
std::optional<Key> prefixEnd(KeyView prefix);

// The upper end of a half-open range: a key, or beyond every key.
class Bound {
 public:
  static Bound at(Key key) { return Bound(std::move(key), false); }
  static Bound infinity() { return Bound({}, true); }

  bool isInfinite() const { return infinite_; }
  // Precondition: !isInfinite().
  const Key& key() const { return key_; }
  // Is `key` below this bound?
  bool isAbove(KeyView key) const { return infinite_ || isBelow(key, key_); }
  // -1, 0, 1.
  int compare(const Bound& other) const;
  friend bool operator==(const Bound& a, const Bound& b) { return a.compare(b) == 0; }
  friend bool operator<(const Bound& a, const Bound& b) { return a.compare(b) < 0; }

 private:
  Bound(Key key, bool infinite) : key_(std::move(key)), infinite_(infinite) {}
  Key key_;
  bool infinite_ = false;
};

// Half open: lo <= k < hi. Empty when hi <= lo.
struct KeyRange {
  Key lo;
  Bound hi = Bound::infinity();

  // [start, end], both inclusive. InvalidRange when start > end;
  // LimitExceeded when a key is longer than kKeyBytesMax.
  static Result<KeyRange> inclusive(KeyView start, KeyView end);
  // Every key that begins with `prefix`; all keys for the empty prefix.
  static KeyRange prefix(KeyView prefix);
  static KeyRange all() { return {}; }

  bool empty() const { return !hi.isAbove(lo); }
  bool contains(KeyView key) const { return key >= KeyView(lo) && hi.isAbove(key); }
  bool contains(const KeyRange& other) const;  // an empty range is contained in all
  bool overlaps(const KeyRange& other) const;  // they share at least one key
  bool adjacent(const KeyRange& other) const;  // one ends exactly where the other begins
  friend bool operator==(const KeyRange& a, const KeyRange& b) {
    return a.lo == b.lo && a.hi == b.hi;
  }
};

}  // namespace keyhaul
