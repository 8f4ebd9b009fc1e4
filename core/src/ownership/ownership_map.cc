#include "keyhaul/ownership.h"

#include <algorithm>
#include <utility>

#include "range/overlay.h"

namespace keyhaul {
namespace {

bool same(const Ownership& a, const Ownership& b) {
  return a.owner == b.owner && a.epoch == b.epoch;
}

// Both in order.
bool overlaps(const std::vector<KeyRange>& a, const std::vector<KeyRange>& b) {
  for (size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    if (a[i].overlaps(b[j])) return true;
    if (a[i].hi < b[j].hi) {
      ++i;
    } else {
      ++j;
    }
  }
  return false;
}

}  // namespace

std::string_view claimStateName(ClaimState state) {
  switch (state) {
    case ClaimState::kClaimed: return "claimed";
    case ClaimState::kDecided: return "decided";
    case ClaimState::kAborted: return "aborted";
  }
  return "unknown";
}

// The first part that ends above `key`.
size_t OwnershipMap::firstAbove(KeyView key) const {
  const auto at =
      std::partition_point(parts_.begin(), parts_.end(), [key](const Ownership& part) {
        return !part.range.hi.isAbove(key);
      });
  return static_cast<size_t>(at - parts_.begin());
}

const Ownership* OwnershipMap::lookup(KeyView key) const {
  const size_t at = firstAbove(key);
  return at < parts_.size() && parts_[at].range.contains(key) ? &parts_[at] : nullptr;
}

Claim* OwnershipMap::findClaim(const ClaimId& id) {
  for (Claim& claim : claims_) {
    if (claim.id == id) return &claim;
  }
  return nullptr;
}

const Claim* OwnershipMap::find(const ClaimId& id) const {
  return const_cast<OwnershipMap*>(this)->findClaim(id);
}

bool OwnershipMap::owns(std::string_view owner, const KeyRange& range) const {
  Key reached = range.lo;
  for (size_t i = firstAbove(range.lo); i < parts_.size(); ++i) {
    const Ownership& part = parts_[i];
    if (!part.range.contains(reached) || part.owner != owner) return false;
    if (part.range.hi == range.hi || range.hi < part.range.hi) return true;
    reached = part.range.hi.key();
  }
  return false;
}

// Replaces whatever these ranges had.
void OwnershipMap::give(const std::vector<KeyRange>& ranges, std::string_view owner,
                        uint64_t epoch) {
  std::vector<Ownership> changes;
  changes.reserve(ranges.size());
  for (const KeyRange& range : ranges) changes.push_back({range, std::string(owner), epoch});
  parts_ = overlay(std::move(parts_), std::move(changes), same);
}

Status OwnershipMap::assign(const KeyRange& range, std::string_view owner) {
  if (range.empty()) return ErrorCode::kInvalidRange;
  if (owner.empty() || parts_.size() >= kOwnershipPartsMax) return ErrorCode::kInvalidArgument;
  const size_t at = firstAbove(range.lo);
  if (at < parts_.size() && parts_[at].range.overlaps(range)) return ErrorCode::kNotOwner;
  give({range}, owner, 1);
  return {};
}

Status OwnershipMap::claim(const ClaimId& id, std::string_view source, std::string_view target,
                           const std::vector<KeyRange>& ranges) {
  if (find(id) != nullptr || ranges.empty() || source == target || target.empty()) {
    return ErrorCode::kInvalidArgument;
  }
  if (!inOrder(ranges)) return ErrorCode::kInvalidRange;
  if (claims_.size() >= kClaimsMax) return ErrorCode::kLimitExceeded;
  Claim made;
  for (const KeyRange& range : ranges) {
    if (!owns(source, range)) return ErrorCode::kNotOwner;
    for (size_t i = firstAbove(range.lo); i < parts_.size(); ++i) {
      if (!range.hi.isAbove(parts_[i].range.lo)) break;
      made.epoch = std::max(made.epoch, parts_[i].epoch);
    }
  }
  for (const Claim& other : claims_) {
    if (overlaps(other.ranges, ranges)) return ErrorCode::kRangeClaimed;
  }
  made.id = id;
  made.source = std::string(source);
  made.target = std::string(target);
  made.ranges = ranges;
  claims_.push_back(std::move(made));
  return {};
}

Status OwnershipMap::takeOver(const ClaimId& id) {
  Claim* claim = findClaim(id);
  if (claim == nullptr) return ErrorCode::kNotFound;
  ++claim->coordEpoch;
  return claim->state == ClaimState::kClaimed ? postpone(id, claim->coordEpoch) : Status{};
}

Status OwnershipMap::postpone(const ClaimId& id, uint64_t coordEpoch) {
  Claim* claim = findClaim(id);
  if (claim == nullptr) return ErrorCode::kNotFound;
  if (claim->coordEpoch != coordEpoch) return ErrorCode::kSuperseded;
  if (claim->state != ClaimState::kClaimed) return ErrorCode::kAlreadyComplete;
  claim->epoch = claim->abortEpoch();
  give(claim->ranges, claim->source, claim->epoch);
  return {};
}

// Null: it has this outcome already.
Result<Claim*> OwnershipMap::outcomeFor(const ClaimId& id, uint64_t coordEpoch,
                                        ClaimState wanted) {
  Claim* claim = findClaim(id);
  if (claim == nullptr) return ErrorCode::kNotFound;
  if (claim->coordEpoch != coordEpoch) return ErrorCode::kSuperseded;
  if (claim->state == wanted) return static_cast<Claim*>(nullptr);
  if (claim->state != ClaimState::kClaimed) return ErrorCode::kAlreadyComplete;
  return claim;
}

Status OwnershipMap::decide(const ClaimId& id, uint64_t coordEpoch) {
  Result<Claim*> claim = outcomeFor(id, coordEpoch, ClaimState::kDecided);
  if (!claim.ok() || claim.value() == nullptr) return claim.status();
  claim.value()->state = ClaimState::kDecided;
  give(claim.value()->ranges, claim.value()->target, claim.value()->fenceEpoch());
  return {};
}

Status OwnershipMap::abort(const ClaimId& id, uint64_t coordEpoch) {
  Result<Claim*> claim = outcomeFor(id, coordEpoch, ClaimState::kAborted);
  if (!claim.ok() || claim.value() == nullptr) return claim.status();
  claim.value()->state = ClaimState::kAborted;
  give(claim.value()->ranges, claim.value()->source, claim.value()->abortEpoch());
  return {};
}

Status OwnershipMap::turn(const ClaimId& id, uint64_t coordEpoch) {
  Claim* claim = findClaim(id);
  if (claim == nullptr) return ErrorCode::kNotFound;
  if (claim->coordEpoch != coordEpoch) return ErrorCode::kSuperseded;
  if (claim->state != ClaimState::kDecided) return ErrorCode::kUnsupported;
  claim->state = ClaimState::kClaimed;
  claim->epoch = claim->fenceEpoch();
  std::swap(claim->source, claim->target);
  return {};
}

Status OwnershipMap::close(const ClaimId& id, uint64_t coordEpoch) {
  const Claim* claim = find(id);
  if (claim == nullptr) return ErrorCode::kNotFound;
  if (claim->coordEpoch != coordEpoch) return ErrorCode::kSuperseded;
  if (claim->state == ClaimState::kClaimed) return ErrorCode::kUnsupported;
  std::erase_if(claims_, [&id](const Claim& each) { return each.id == id; });
  return {};
}

}  // namespace keyhaul
