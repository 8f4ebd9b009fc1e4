// Who owns which keys, and who is moving them: the one document in the register.
// A register stores it whole and replaces it by compare-and-set, so a decision over
// several ranges is one decision. Everything here is pure: take the document that
// was read, change it, try to put it back, and read again when that failed.
//
//                 claim              decide
//   owner S, e ─────────► claimed(e) ────────► owner T, e+1 ── close ──► owner T, e+1
//                          ▲  │   │ abort
//              e := e+2    └──┘   └──────────► owner S, e+2 ── close ──► owner S, e+2
//              postpone, takeOver
//
//   owner T, e+1, decided ── turn ──► claimed(e+1), from T to S: from there as above, the other way
//
// An abort takes e+2, so that a late activate(e+1) is dead for ever. A claim stays in
// the document until it is closed: its outcome can be read back after any crash, and
// no other migration can touch its ranges before its clean-up has ended.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "keyhaul/key_range.h"
#include "keyhaul/status.h"

namespace keyhaul {

// Drawn at random by the host, once a migration; every incarnation of it keeps it.
inline constexpr uint32_t kClaimIdBytes = 16;
using ClaimId = std::array<uint8_t, kClaimIdBytes>;

enum class ClaimState : uint8_t { kClaimed = 1, kDecided = 2, kAborted = 3 };
std::string_view claimStateName(ClaimState state);  // "claimed"

struct Claim {
  ClaimId id{};
  std::string source, target;
  std::vector<KeyRange> ranges;  // sorted, disjoint
  uint64_t epoch = 0;       // e: the source's, the highest of any part of the ranges
  uint64_t coordEpoch = 1;  // raised by each take-over; a store refuses a lower one
  ClaimState state = ClaimState::kClaimed;

  uint64_t fenceEpoch() const { return epoch + 1; }  // also the target's after a decision
  uint64_t abortEpoch() const { return epoch + 2; }
};

struct Ownership {
  KeyRange range;
  std::string owner;
  uint64_t epoch = 0;
  friend bool operator==(const Ownership& a, const Ownership& b) {
    return a.range == b.range && a.owner == b.owner && a.epoch == b.epoch;
  }
};

inline constexpr uint32_t kOwnershipPartsMax = 1U << 20;
inline constexpr uint32_t kClaimsMax = 65'536;

class OwnershipMap {
 public:
  // Sorted, disjoint; neighbours of equal owner and epoch are one. Keys between
  // them have no owner.
  const std::vector<Ownership>& parts() const { return parts_; }
  const std::vector<Claim>& claims() const { return claims_; }
  // O(log n); null where nobody owns the key.
  const Ownership* lookup(KeyView key) const;
  const Claim* find(const ClaimId& id) const;
  bool owns(std::string_view owner, const KeyRange& range) const;  // all of it

  // Gives keys that nobody owns their first owner, at epoch 1. NotOwner where some
  // of them have one already.
  Status assign(const KeyRange& range, std::string_view owner);
  // NotOwner where `source` does not own all of it; RangeClaimed where another
  // migration has not closed its claim; InvalidArgument where the id is known; InvalidRange
  // where the ranges are not sorted and disjoint.
  Status claim(const ClaimId& id, std::string_view source, std::string_view target,
               const std::vector<KeyRange>& ranges);
  // Another coordinator goes on with it: its coordEpoch is one higher, and where nothing is
  // decided the attempt of the one before is over as with postpone(). NotFound.
  Status takeOver(const ClaimId& id);
  // Gives up this attempt to cut over and keeps the claim: the source owns the ranges at e+2,
  // and the next attempt fences at e+3. Errors as decide().
  Status postpone(const ClaimId& id, uint64_t coordEpoch);
  // NotFound; Superseded for a coordEpoch that is not the present one; AlreadyComplete
  // where the other outcome was decided. Repeating the same outcome is fine.
  Status decide(const ClaimId& id, uint64_t coordEpoch);
  Status abort(const ClaimId& id, uint64_t coordEpoch);
  // What was decided may go back: the same claim the other way round, at the epoch of the new
  // owner, who stays the owner; nothing is decided of it. NotFound, Superseded, Unsupported where
  // nothing is decided.
  Status turn(const ClaimId& id, uint64_t coordEpoch);
  // Its clean-up has ended. NotFound, Superseded, Unsupported while it is only claimed.
  Status close(const ClaimId& id, uint64_t coordEpoch);

  std::string encode() const;
  // RegisterCorrupt for anything that encode() cannot have made. Nothing but an
  // empty document for no bytes.
  static Result<OwnershipMap> decode(std::span<const std::byte> bytes);

 private:
  size_t firstAbove(KeyView key) const;
  Claim* findClaim(const ClaimId& id);
  Result<Claim*> outcomeFor(const ClaimId& id, uint64_t coordEpoch, ClaimState wanted);
  void give(const std::vector<KeyRange>& ranges, std::string_view owner, uint64_t epoch);

  std::vector<Ownership> parts_;
  std::vector<Claim> claims_;
};

}  // namespace keyhaul
