#include "keyhaul/key_range.h"

namespace keyhaul {

Key successor(KeyView key) {
  Key next;
  next.reserve(key.size() + 1);
  next.append(key);
  next.push_back('\0');
  return next;
}

std::optional<Key> prefixEnd(KeyView prefix) {
  Key end(prefix);
  while (!end.empty() && static_cast<unsigned char>(end.back()) == 0xFF) end.pop_back();
  if (end.empty()) return std::nullopt;
  end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return end;
}

int Bound::compare(const Bound& other) const {
  if (infinite_ || other.infinite_) {
    return static_cast<int>(infinite_) - static_cast<int>(other.infinite_);
  }
  const int order = KeyView(key_).compare(other.key_);
  return (order > 0) - (order < 0);
}

Result<KeyRange> KeyRange::inclusive(KeyView start, KeyView end) {
  if (start.size() > kKeyBytesMax || end.size() > kKeyBytesMax) return ErrorCode::kLimitExceeded;
  if (start > end) return ErrorCode::kInvalidRange;
  return KeyRange{Key(start), Bound::at(successor(end))};
}

KeyRange KeyRange::prefix(KeyView prefix) {
  std::optional<Key> end = prefixEnd(prefix);
  return {Key(prefix), end ? Bound::at(*std::move(end)) : Bound::infinity()};
}

bool KeyRange::contains(const KeyRange& other) const {
  return other.empty() || (lo <= other.lo && other.hi.compare(hi) <= 0);
}

bool KeyRange::overlaps(const KeyRange& other) const {
  return !empty() && !other.empty() && hi.isAbove(other.lo) && other.hi.isAbove(lo);
}

bool KeyRange::adjacent(const KeyRange& other) const {
  const auto meets = [](const KeyRange& a, const KeyRange& b) {
    return !a.hi.isInfinite() && a.hi.key() == b.lo;
  };
  return !empty() && !other.empty() && (meets(*this, other) || meets(other, *this));
}

}  // namespace keyhaul
