#include "keyhaul/ownership.h"

#include <algorithm>
#include <utility>

namespace keyhaul {
namespace {

void append(std::vector<Ownership>& out, KeyRange range, std::string_view owner, uint64_t epoch) {
  if (range.empty()) return;
  const bool joins = !out.empty() && out.back().owner == owner && out.back().epoch == epoch &&
                     out.back().range.hi == Bound::at(range.lo);
  if (joins) {
    out.back().range.hi = std::move(range.hi);
  } else {
    out.push_back({std::move(range), std::string(owner), epoch});
  }
}

bool overlaps(const std::vector<KeyRange>& a, const std::vector<KeyRange>& b) {
  for (const KeyRange& one : a) {
    for (const KeyRange& other : b) {
      if (one.overlaps(other)) return true;
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
  for (const KeyRange& range : ranges) {
    std::vector<Ownership> next;
    next.reserve(parts_.size() + 2);
    bool placed = false;
    for (const Ownership& old : parts_) {
      const bool before = !old.range.hi.isAbove(range.lo);
      append(next, {old.range.lo, std::min(old.range.hi, Bound::at(range.lo))}, old.owner, old.epoch);
      if (!placed && !before) {
        append(next, range, owner, epoch);
        placed = true;
      }
      if (range.hi.isInfinite()) continue;
      append(next, {std::max(old.range.lo, range.hi.key()), old.range.hi}, old.owner, old.epoch);
    }
    if (!placed) append(next, range, owner, epoch);
    parts_ = std::move(next);
  }
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
  if (claims_.size() >= kClaimsMax) return ErrorCode::kLimitExceeded;
  Claim made;
  for (const KeyRange& range : ranges) {
    if (range.empty()) return ErrorCode::kInvalidRange;
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

Status OwnershipMap::close(const ClaimId& id, uint64_t coordEpoch) {
  const Claim* claim = find(id);
  if (claim == nullptr) return ErrorCode::kNotFound;
  if (claim->coordEpoch != coordEpoch) return ErrorCode::kSuperseded;
  if (claim->state == ClaimState::kClaimed) return ErrorCode::kUnsupported;
  std::erase_if(claims_, [&id](const Claim& each) { return each.id == id; });
  return {};
}

}  // namespace keyhaul
