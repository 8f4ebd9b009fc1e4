// The register's document in bytes (FORMAT.md beside this file).
#include <cstring>

#include "ownership/sealed.h"
#include "keyhaul/ownership.h"
#include "keyhaul/plan.h"

namespace keyhaul {
namespace {

constexpr std::string_view kMagic = "KHOW";

Claim readClaim(ByteReader& in) {
  Claim claim;
  const std::string_view id = in.raw(kClaimIdBytes);
  if (id.size() == kClaimIdBytes) std::memcpy(claim.id.data(), id.data(), kClaimIdBytes);
  claim.source = in.bytes(kNameBytesMax);
  claim.target = in.bytes(kNameBytesMax);
  claim.epoch = in.varint(UINT64_MAX / 2);
  claim.coordEpoch = in.varint();
  const uint64_t state = in.varint(3);
  if (state == 0) in.fail();
  claim.state = static_cast<ClaimState>(state);
  const uint64_t count = in.varint(kRangesMax);
  for (uint64_t i = 0; i < count && !in.failed(); ++i) {
    KeyRange range = readKeys(in);
    if (!claim.ranges.empty() && !follows(claim.ranges.back(), range)) in.fail();
    claim.ranges.push_back(std::move(range));
  }
  if (claim.ranges.empty()) in.fail();
  return claim;
}

}  // namespace

std::string OwnershipMap::encode() const {
  std::string out = beginSealed(kMagic);
  putVarint(out, parts_.size());
  for (const Ownership& part : parts_) {
    putRange(out, part.range);
    putBytes(out, part.owner);
    putVarint(out, part.epoch);
  }
  putVarint(out, claims_.size());
  for (const Claim& claim : claims_) {
    out.append(reinterpret_cast<const char*>(claim.id.data()), claim.id.size());
    putBytes(out, claim.source);
    putBytes(out, claim.target);
    putVarint(out, claim.epoch);
    putVarint(out, claim.coordEpoch);
    putVarint(out, static_cast<uint64_t>(claim.state));
    putVarint(out, claim.ranges.size());
    for (const KeyRange& range : claim.ranges) putRange(out, range);
  }
  return seal(std::move(out));
}

Result<OwnershipMap> OwnershipMap::decode(std::span<const std::byte> bytes) {
  OwnershipMap map;
  if (bytes.empty()) return map;
  std::optional<ByteReader> opened = openSealed(bytes, kMagic);
  if (!opened) return ErrorCode::kRegisterCorrupt;
  ByteReader& in = *opened;
  const uint64_t parts = in.varint(kOwnershipPartsMax);
  for (uint64_t i = 0; i < parts && !in.failed(); ++i) {
    Ownership part;
    part.range = readKeys(in);
    part.owner = in.bytes(kNameBytesMax);
    part.epoch = in.varint(UINT64_MAX / 2);
    if (part.owner.empty() || part.epoch == 0) in.fail();
    if (!map.parts_.empty() && !follows(map.parts_.back().range, part.range)) in.fail();
    map.parts_.push_back(std::move(part));
  }
  const uint64_t claims = in.varint(kClaimsMax);
  for (uint64_t i = 0; i < claims && !in.failed(); ++i) {
    Claim claim = readClaim(in);
    if (map.find(claim.id) != nullptr) in.fail();
    map.claims_.push_back(std::move(claim));
  }
  if (!in.finished()) return ErrorCode::kRegisterCorrupt;
  return map;
}

}  // namespace keyhaul
