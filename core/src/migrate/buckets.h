// The digests of both sides of a live migration that is to be verified at a position (level 5), by
// bucket: a part of a key range. All of them are taken once; from then on each change that the feed
// tells of marks the bucket of its key, and what is marked, or differs, is read again. The target is
// written by nobody but the feed. So once nothing is marked and no bucket differs, the sums are the
// digests of both sides at the position up to which the feed was applied.
//
// Memory: kBytesMax and one bucket a range, and as much again while buckets are read anew. Where they
// do not fit, two neighbours become one, and buckets are cut twice as large from then on.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "keyhaul/digest.h"
#include "keyhaul/key_range.h"
#include "migrate/suspect.h"

namespace keyhaul {

struct Bucket {
  Key lo;              // up to the next one's, or to the end of its range
  uint32_t range = 0;  // of the plan
  bool marked = false; // it changed since it was read
  Digest source, target;
  bool stale() const { return marked || source != target; }
};

// How many entries, or key and value bytes, a bucket takes before the next one begins.
struct BucketSize {
  uint32_t entries = 64;
  uint64_t bytes = 16 * 1024;
  // Cut more coarsely from here on.
  void grow() {
    entries = std::min<uint32_t>(entries, 1U << 30) * 2;
    bytes = std::min<uint64_t>(bytes, 1U << 30) * 2;
  }
};

// Cuts what is read, in ascending order, into buckets.
class BucketFill {
 public:
  void start(BucketSize size, uint64_t bytesMax);
  // A part of a range: what is read from here on lies at `lo` or above, up to the next part.
  void open(uint32_t range, KeyView lo);
  // One of both is null where only the other side has the key.
  void add(KeyView key, const Digest* source, const Digest* target);
  uint64_t keys() const { return keys_; }
  // By part: how many buckets; and all of them, in order.
  const std::vector<size_t>& counts() const { return counts_; }
  std::vector<Bucket>& filled() { return filled_; }
  const BucketSize& size() const { return size_; }

 private:
  void begin(Bucket bucket);
  void shrink();

  BucketSize size_;
  std::vector<Bucket> filled_;
  std::vector<size_t> counts_;
  Key last_;
  uint64_t keys_ = 0, keysHere_ = 0;
  uint64_t bytes_ = 0, bytesMax_ = 0;
};

class Buckets {
 public:
  static constexpr uint64_t kBytesMax = 8U << 20;

  // Nothing is known: a feed that is followed marks nothing.
  void drop();
  bool known() const { return known_; }
  // All of both sides is being read into `fill`; once it is, adopt() it.
  void begin(BucketSize size, BucketFill& fill, uint64_t bytesMax = kBytesMax);
  void adopt(BucketFill& fill);

  void mark(KeyView key);
  // Whether something that was marked since it was read may be this key.
  bool isMarked(KeyView key) const;

  // What is stale, as parts of the plan to be read: at most as many lists as there are fills, of about as
  // many buckets each, in order, neighbours joined. Each goes into a fill of its own, and all of those into
  // replace(); nothing is marked meanwhile.
  std::vector<std::vector<Suspect>> startAgain(std::span<const KeyRange> ranges,
                                               std::span<BucketFill> fills);
  void replace(std::span<BucketFill> fills);

  size_t size() const { return buckets_.size(); }
  size_t staleCount() const;
  // Of all buckets.
  Digest source() const { return sum(&Bucket::source); }
  Digest target() const { return sum(&Bucket::target); }
  // The sides change their parts.
  void turn();

 private:
  struct Run {
    size_t first = 0, count = 0;
  };
  Digest sum(Digest Bucket::*side) const;
  size_t find(KeyView key) const;  // size() where it lies before all
  void limit();

  bool known_ = false;
  BucketSize size_;
  uint64_t bytesMax_ = kBytesMax;
  std::vector<Bucket> buckets_;
  std::vector<Run> runs_;  // being read again
};

}  // namespace keyhaul
