#include "keyhaul/bucket_tree.h"

#include <algorithm>

namespace keyhaul {

Result<BucketTree> BucketTree::create(KeyRange range, std::vector<Key> cuts) {
  if (cuts.size() >= kBucketsMax) return ErrorCode::kLimitExceeded;
  const Key* below = &range.lo;
  for (const Key& cut : cuts) {
    if (cut <= *below || !range.hi.isAbove(cut)) return ErrorCode::kInvalidRange;
    below = &cut;
  }
  if (range.empty()) return ErrorCode::kInvalidRange;
  return BucketTree(std::move(range), std::move(cuts));
}

BucketTree::BucketTree(KeyRange range, std::vector<Key> cuts)
    : range_(std::move(range)), cuts_(std::move(cuts)) {
  size_t width = cuts_.size() + 1;
  levels_.emplace_back(width);
  while (width > 1) {
    width = (width + kFanout - 1) / kFanout;
    levels_.emplace_back(width);
  }
}

std::optional<uint32_t> BucketTree::bucketOf(KeyView key) const {
  if (!range_.contains(key)) return std::nullopt;
  // A cut belongs to the bucket above it.
  const auto above = std::upper_bound(cuts_.begin(), cuts_.end(), key,
                                      [](KeyView k, const Key& cut) { return k < KeyView(cut); });
  return static_cast<uint32_t>(above - cuts_.begin());
}

Result<uint32_t> BucketTree::locate(KeyView key) const {
  const auto bucket = bucketOf(key);
  if (!bucket) return ErrorCode::kInvalidRange;
  return *bucket;
}

Status BucketTree::add(KeyView key, const Digest& entry) { return replace(key, {}, entry); }
Status BucketTree::remove(KeyView key, const Digest& entry) { return replace(key, entry, {}); }

Status BucketTree::replace(KeyView key, const std::optional<Digest>& before,
                           const std::optional<Digest>& after) {
  const Result<uint32_t> bucket = locate(key);
  if (!bucket.ok()) return bucket.code();
  size_t node = bucket.value();
  for (std::vector<Digest>& level : levels_) {
    if (after) level[node] += *after;
    if (before) level[node] -= *before;
    node /= kFanout;
  }
  return {};
}

KeyRange BucketTree::bucketRange(uint32_t index) const {
  KeyRange keys;
  keys.lo = index == 0 ? range_.lo : cuts_[index - 1];
  keys.hi = index == cuts_.size() ? range_.hi : Bound::at(cuts_[index]);
  return keys;
}

Result<BucketTree::Difference> compare(const BucketTree& a, const BucketTree& b) {
  if (!(a.range_ == b.range_) || a.cuts_ != b.cuts_) return ErrorCode::kInvalidArgument;
  BucketTree::Difference found;
  std::vector<uint32_t> unequal{0};
  for (size_t level = a.levels_.size(); level-- > 0;) {
    std::vector<uint32_t> differing;
    for (const uint32_t node : unequal) {
      ++found.compared;
      if (a.levels_[level][node] != b.levels_[level][node]) differing.push_back(node);
    }
    unequal.clear();
    if (level == 0) {
      found.buckets = std::move(differing);
      break;
    }
    const size_t width = a.levels_[level - 1].size();
    for (const uint32_t node : differing) {
      const uint32_t first = node * BucketTree::kFanout;
      for (uint32_t child = first; child < first + BucketTree::kFanout && child < width; ++child) {
        unequal.push_back(child);
      }
    }
  }
  return found;
}

}  // namespace keyhaul
