// Digests of one side's entries by key range, kept up to date as entries come and go.
//
// A range is cut at given keys into buckets; above them stands a tree in which every
// node is the sum of at most kFanout nodes below it. Two trees with the same cuts are
// compared from the top, so equal parts cost one comparison however many buckets they
// have (a Merkle tree whose inner nodes are sums, so that order does not matter and a
// write costs two additions a level).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "keyhaul/digest.h"
#include "keyhaul/key_range.h"

namespace keyhaul {

class BucketTree {
 public:
  static constexpr uint32_t kFanout = 16;
  static constexpr uint32_t kBucketsMax = 1U << 20;

  // `cuts`: strictly increasing keys inside `range`, above its lo; bucket i ends, exclusive,
  // at cuts[i], the last one at range.hi. InvalidRange where that does not hold,
  // LimitExceeded for more than kBucketsMax buckets.
  static Result<BucketTree> create(KeyRange range, std::vector<Key> cuts);

  // One entry's digest, by its key. InvalidRange when the key is outside.
  Status add(KeyView key, const Digest& entry);
  // An entry that was added before.
  Status remove(KeyView key, const Digest& entry);
  // A live write: the old value's digest goes, the new one's comes; either may be missing.
  Status replace(KeyView key, const std::optional<Digest>& before,
                 const std::optional<Digest>& after);

  const Digest& total() const { return levels_.back()[0]; }
  uint32_t buckets() const { return static_cast<uint32_t>(levels_[0].size()); }
  const Digest& bucket(uint32_t index) const { return levels_[0][index]; }
  KeyRange bucketRange(uint32_t index) const;
  // Nothing for a key outside.
  std::optional<uint32_t> bucketOf(KeyView key) const;

  struct Difference {
    std::vector<uint32_t> buckets;  // increasing
    uint64_t compared = 0;          // nodes looked at
  };
  // The buckets in which two trees differ. InvalidArgument when their cuts differ.
  friend Result<Difference> compare(const BucketTree& a, const BucketTree& b);

 private:
  BucketTree(KeyRange range, std::vector<Key> cuts);
  Result<uint32_t> locate(KeyView key) const;

  KeyRange range_;
  std::vector<Key> cuts_;
  std::vector<std::vector<Digest>> levels_;  // [0] the buckets, back() the root alone
};

}  // namespace keyhaul
