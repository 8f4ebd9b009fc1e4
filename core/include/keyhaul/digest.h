// A keyed, order-free 128-bit digest of a multiset of entries.
//
// Each entry (key, value) is hashed to 128 bits under a secret 256-bit key; the
// digest is the sum of those hashes modulo 2^128, with the number of entries and
// of bytes beside it. Sums commute, so pages may come in any order; they split,
// so the digest of a range is the sum of those of its parts; and they subtract,
// so a live write updates a digest by -old +new.
//
// What equal digests show: with a random key unknown to whoever made the data,
// two different sets of entries agree with probability about 2^-100 or less (the
// bound and its source stand in core/src/digest/README.md). What they do not show:
// anything about data chosen by somebody who knows the key, and nothing about
// what happened to a store after it was read.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace keyhaul {

inline constexpr size_t kDigestKeyBytes = 32;
using DigestKey = std::array<std::byte, kDigestKeyBytes>;

struct Digest {
  uint64_t lo = 0, hi = 0;   // the sum modulo 2^128
  uint64_t entries = 0;      // how many
  uint64_t bytes = 0;        // key bytes + value bytes

  Digest& operator+=(const Digest& other);
  Digest& operator-=(const Digest& other);  // the other must have been added before
  friend bool operator==(const Digest& a, const Digest& b) {
    return a.lo == b.lo && a.hi == b.hi && a.entries == b.entries && a.bytes == b.bytes;
  }
  friend bool operator!=(const Digest& a, const Digest& b) { return !(a == b); }
};

// Hashes entries under one key. Cheap to copy after construction (the key
// schedule is about 2 KiB). Pure: no state changes after construction.
class EntryHasher {
 public:
  explicit EntryHasher(const DigestKey& key);
  Digest hash(std::string_view key, std::string_view value) const;

 private:
  // Key words for the multiply hash; layout is the implementation's affair.
  std::array<uint64_t, 256> schedule_;
};

}  // namespace keyhaul
