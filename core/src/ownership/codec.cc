// The register's document in bytes (FORMAT.md beside this file).
#include <cstring>

#include "base/bytes.h"
#include "base/varint.h"
#include "keyhaul/checksum.h"
#include "keyhaul/ownership.h"
#include "keyhaul/plan.h"

namespace keyhaul {
namespace {

constexpr std::string_view kMagic = "KHOW";
constexpr uint64_t kVersion = 1;
constexpr size_t kCrcBytes = 4;

void putRange(std::string& out, const KeyRange& range) {
  putBytes(out, range.lo);
  putVarint(out, range.hi.isInfinite() ? 1 : 0);
  if (!range.hi.isInfinite()) putBytes(out, range.hi.key());
}

KeyRange readRange(ByteReader& in) {
  KeyRange range;
  range.lo = Key(in.bytes(kKeyBytesMax));
  if (!in.boolean()) range.hi = Bound::at(Key(in.bytes(kKeyBytesMax + 1)));
  if (range.empty()) in.fail();
  return range;
}

// Sorted and disjoint.
bool follows(const KeyRange& before, const KeyRange& after) {
  return !before.hi.isInfinite() && !before.hi.isAbove(after.lo);
}

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
    KeyRange range = readRange(in);
    if (!claim.ranges.empty() && !follows(claim.ranges.back(), range)) in.fail();
    claim.ranges.push_back(std::move(range));
  }
  if (claim.ranges.empty()) in.fail();
  return claim;
}

}  // namespace

std::string OwnershipMap::encode() const {
  std::string out(kMagic);
  putVarint(out, kVersion);
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
  char tail[kCrcBytes];
  storeLe(tail, crc32c(out));
  return out.append(tail, kCrcBytes);
}

Result<OwnershipMap> OwnershipMap::decode(std::span<const std::byte> bytes) {
  OwnershipMap map;
  if (bytes.empty()) return map;
  if (bytes.size() < kMagic.size() + kCrcBytes) return ErrorCode::kRegisterCorrupt;
  const std::span<const std::byte> body = bytes.first(bytes.size() - kCrcBytes);
  if (crc32c(body) != loadLe<uint32_t>(bytes.data() + body.size())) {
    return ErrorCode::kRegisterCorrupt;
  }
  ByteReader in(asView(body));
  if (in.raw(kMagic.size()) != kMagic || in.varint() != kVersion) return ErrorCode::kRegisterCorrupt;
  const uint64_t parts = in.varint(kOwnershipPartsMax);
  for (uint64_t i = 0; i < parts && !in.failed(); ++i) {
    Ownership part;
    part.range = readRange(in);
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
