#include "linearize/prefixes.h"

#include <algorithm>

namespace keyhaul::sim {

Prefixes::Prefixes(std::vector<std::string_view> read) : sorted_(std::move(read)) {
  std::sort(sorted_.begin(), sorted_.end());
  sorted_.erase(std::unique(sorted_.begin(), sorted_.end()), sorted_.end());
}

uint64_t Prefixes::appended(uint64_t state, std::string_view text) const {
  if (state == kUnseen) return kUnseen;
  const size_t index = static_cast<size_t>(state >> 32);
  return find(index, sorted_[index].substr(0, static_cast<size_t>(state & UINT32_MAX)), text);
}

// The state of head + tail: the first value that begins so, and the length. Both are the same
// however the string came to be.
uint64_t Prefixes::find(size_t from, std::string_view head, std::string_view tail) const {
  const auto comesBefore = [&](std::string_view value, std::string_view) {
    const int heads = value.substr(0, head.size()).compare(head);
    if (heads != 0) return heads < 0;
    return value.substr(head.size()).compare(tail) < 0;
  };
  const auto at = std::lower_bound(sorted_.begin() + static_cast<std::ptrdiff_t>(from),
                                   sorted_.end(), std::string_view(), comesBefore);
  if (at == sorted_.end() || !at->starts_with(head)) return kUnseen;
  if (!at->substr(head.size()).starts_with(tail)) return kUnseen;
  const auto index = static_cast<uint64_t>(at - sorted_.begin());
  return index << 32 | (head.size() + tail.size());
}

}  // namespace keyhaul::sim
