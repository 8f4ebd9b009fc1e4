#include "migrate/buckets.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace keyhaul {
namespace {

// The shortest key that is above `below` and not above `key`: all that a cut has to know.
Key cutBetween(KeyView below, KeyView key) {
  size_t both = 0;
  while (both < below.size() && both < key.size() && below[both] == key[both]) ++both;
  return Key(key.substr(0, both + 1));
}

uint64_t bytesOf(const Bucket& bucket) { return sizeof(Bucket) + bucket.lo.size(); }
uint64_t bytesOf(const std::vector<Bucket>& buckets) {
  uint64_t bytes = 0;
  for (const Bucket& bucket : buckets) bytes += bytesOf(bucket);
  return bytes;
}

// `next` is the neighbour above.
void join(Bucket& bucket, const Bucket& next) {
  bucket.marked = bucket.stale() || next.stale();
  bucket.source += next.source;
  bucket.target += next.target;
}

// Of those in [first, end), all of one part or range, two neighbours become one; they go to `out`.
// Returns behind the last one.
size_t joinPairs(std::vector<Bucket>& buckets, size_t first, size_t end, size_t out) {
  for (; first < end; ++out) {
    if (out != first) buckets[out] = std::move(buckets[first]);
    if (++first < end) join(buckets[out], buckets[first++]);
  }
  return out;
}

}  // namespace

void BucketFill::start(BucketSize size, uint64_t bytesMax) {
  size_ = size;
  bytesMax_ = bytesMax;
  filled_.clear();
  counts_.clear();
  keys_ = bytes_ = 0;
}

void BucketFill::begin(Bucket bucket) {
  bytes_ += bytesOf(bucket);
  filled_.push_back(std::move(bucket));
  ++counts_.back();
  keysHere_ = 0;
  if (bytes_ > bytesMax_) shrink();
}

void BucketFill::open(uint32_t range, KeyView lo) {
  counts_.push_back(0);
  begin({Key(lo), range, false, {}, {}});
}

void BucketFill::add(KeyView key, const Digest* source, const Digest* target) {
  KH_ASSERT(!filled_.empty());
  const uint64_t bytes = std::max(filled_.back().source.bytes, filled_.back().target.bytes);
  if (keysHere_ >= size_.entries || (keysHere_ > 0 && bytes >= size_.bytes)) {
    begin({cutBetween(last_, key), filled_.back().range, false, {}, {}});
  }
  if (source != nullptr) filled_.back().source += *source;
  if (target != nullptr) filled_.back().target += *target;
  last_.assign(key);
  ++keysHere_;
  ++keys_;
}

void BucketFill::shrink() {
  size_t in = 0, out = 0;
  for (size_t& count : counts_) {
    const size_t first = out;
    out = joinPairs(filled_, in, in + count, out);
    in += count;
    count = out - first;
  }
  filled_.resize(out);
  bytes_ = bytesOf(filled_);
  // Where nothing could be joined it would be tried with every part.
  bytesMax_ = std::max(bytesMax_, 2 * bytes_);
  size_.grow();
}

void Buckets::drop() {
  known_ = false;
  buckets_.clear();
  runs_.clear();
}

void Buckets::begin(BucketSize size, BucketFill& fill, uint64_t bytesMax) {
  drop();
  size_ = size;
  bytesMax_ = bytesMax;
  fill.start(size_, bytesMax_);
}

void Buckets::adopt(BucketFill& fill) {
  size_ = fill.size();
  buckets_ = std::exchange(fill.filled(), {});
  known_ = true;
  limit();
}

size_t Buckets::find(KeyView key) const {
  const auto above =
      std::upper_bound(buckets_.begin(), buckets_.end(), key,
                       [](KeyView k, const Bucket& bucket) { return k < KeyView(bucket.lo); });
  return above == buckets_.begin() ? buckets_.size()
                                   : static_cast<size_t>(above - buckets_.begin()) - 1;
}

void Buckets::mark(KeyView key) {
  KH_ASSERT(runs_.empty());
  if (const size_t at = find(key); at < buckets_.size()) buckets_[at].marked = true;
}

bool Buckets::isMarked(KeyView key) const {
  const size_t at = find(key);
  return at < buckets_.size() && buckets_[at].marked;
}

size_t Buckets::staleCount() const {
  return static_cast<size_t>(std::count_if(buckets_.begin(), buckets_.end(),
                                           [](const Bucket& bucket) { return bucket.stale(); }));
}

std::vector<std::vector<Suspect>> Buckets::startAgain(std::span<const KeyRange> ranges,
                                                      std::span<BucketFill> fills) {
  KH_ASSERT(runs_.empty() && !fills.empty());
  // Twice as large: one that is full only splits once it has grown a good deal.
  BucketSize size = size_;
  size.grow();
  for (BucketFill& fill : fills) fill.start(size, bytesMax_);
  const size_t each = (staleCount() + fills.size() - 1) / fills.size();
  std::vector<std::vector<Suspect>> lists;
  size_t listed = 0;
  for (size_t i = 0; i < buckets_.size(); ++i) {
    const Bucket& bucket = buckets_[i];
    if (!bucket.stale()) continue;
    const bool last = i + 1 == buckets_.size() || buckets_[i + 1].range != bucket.range;
    Bound hi = last ? ranges[bucket.range].hi : Bound::at(buckets_[i + 1].lo);
    const bool opens = listed++ % each == 0;
    if (opens) lists.emplace_back();
    const bool joins = !opens && runs_.back().first + runs_.back().count == i &&
                       lists.back().back().range == bucket.range;
    if (joins) {
      lists.back().back().keys.hi = std::move(hi);
      ++runs_.back().count;
    } else {
      lists.back().push_back({bucket.range, {bucket.lo, std::move(hi)}});
      runs_.push_back({i, 1});
    }
  }
  return lists;
}

void Buckets::replace(std::span<BucketFill> fills) {
  std::vector<Bucket> after;
  size_t run = 0, kept = 0;  // those before `kept` are in `after`
  const auto keepTo = [&](size_t end) {
    for (; kept < end; ++kept) after.push_back(std::move(buckets_[kept]));
  };
  // Mostly as many as there were; else all of them move.
  bool same = true;
  for (const BucketFill& fill : fills) {
    for (const size_t count : fill.counts()) same = count == runs_[run++].count && same;
  }
  KH_ASSERT(run == runs_.size());
  run = 0;
  for (BucketFill& fill : fills) {
    size_t at = 0;
    for (const size_t count : fill.counts()) {
      const Run& was = runs_[run++];
      if (!same) keepTo(was.first);
      for (size_t i = 0; i < count; ++i, ++at) {
        if (same) {
          buckets_[was.first + i] = std::move(fill.filled()[at]);
        } else {
          after.push_back(std::move(fill.filled()[at]));
        }
      }
      if (!same) kept = was.first + was.count;
    }
    fill.filled().clear();
  }
  runs_.clear();
  if (same) return;
  keepTo(buckets_.size());
  buckets_ = std::move(after);
  limit();
}

// Until they fit, or none have a neighbour in their range.
void Buckets::limit() {
  while (bytesOf(buckets_) > bytesMax_) {
    size_t out = 0;
    for (size_t in = 0; in < buckets_.size();) {
      size_t end = in + 1;
      while (end < buckets_.size() && buckets_[end].range == buckets_[in].range) ++end;
      out = joinPairs(buckets_, in, end, out);
      in = end;
    }
    if (out == buckets_.size()) return;
    buckets_.resize(out);
    size_.grow();
  }
}

Digest Buckets::sum(Digest Bucket::*side) const {
  Digest all;
  for (const Bucket& bucket : buckets_) all += bucket.*side;
  return all;
}

void Buckets::turn() {
  for (Bucket& bucket : buckets_) std::swap(bucket.source, bucket.target);
}

}  // namespace keyhaul
