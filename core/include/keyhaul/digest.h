// A keyed, order-free 128-bit digest of a multiset of entries.
//
// Each entry (key, value) is hashed to 128 bits under a secret 256-bit key; the
// digest is the sum of those hashes modulo 2^128, with the number of entries and
// of bytes beside it. Sums commute, so pages may come in any order; they split,
// so the digest of a range is the sum of those of its parts; and they subtract,
// so a live write updates a digest by -old +new.
//
// What equal digests show, what they assume and what they do not show stands in
// core/src/digest/README.md.
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

// The canonical form in journals and on wires: lo, hi, entries, bytes, each a
// little-endian u64.
inline constexpr size_t kDigestBytes = 32;
std::array<std::byte, kDigestBytes> toBytes(const Digest& digest);
Digest digestFromBytes(std::span<const std::byte, kDigestBytes> bytes);

// Hashes entries under one key. Copying costs 2 KiB; hashing changes nothing.
class EntryHasher {
 public:
  explicit EntryHasher(const DigestKey& key);
  // The digest of one entry: entries = 1, bytes = key + value bytes.
  Digest hash(std::string_view key, std::string_view value) const;

 private:
  static constexpr size_t kBlockWords = 128;  // u64 words of one block
  struct State;
  void absorb(State& state, std::string_view bytes) const;
  // Both passes over an entry of any length.
  void hashLong(std::string_view key, std::string_view value, uint64_t& first,
                uint64_t& second) const;

  // [0, kBlockWords): the multiply hash, two passes an even offset apart.
  std::array<uint64_t, kBlockWords + 4> words_;
  std::array<uint64_t, 8> mix_;  // second level and finaliser
};

}  // namespace keyhaul
