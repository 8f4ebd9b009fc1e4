// The gate's record in the store it guards: "KHGT", version, the parts, CRC-32C.
#include <cstring>

#include "base/bytes.h"
#include "base/varint.h"
#include "keyhaul/checksum.h"
#include "keyhaul/gate.h"
#include "keyhaul/plan.h"

namespace keyhaul {
namespace {

constexpr std::string_view kMagic = "KHGT";
constexpr uint64_t kVersion = 1;
constexpr size_t kCrcBytes = 4;

GateRange readGateRange(ByteReader& in) {
  GateRange part;
  part.range.lo = Key(in.bytes(kKeyBytesMax));
  if (!in.boolean()) part.range.hi = Bound::at(Key(in.bytes(kKeyBytesMax + 1)));
  const uint64_t state = in.varint(static_cast<uint64_t>(GateState::kStaged));
  if (state == 0 || part.range.empty()) in.fail();
  part.state = static_cast<GateState>(state);
  part.epoch = in.varint();
  const std::string_view id = in.raw(kClaimIdBytes);
  if (id.size() == kClaimIdBytes) std::memcpy(part.claim.data(), id.data(), kClaimIdBytes);
  part.coordEpoch = in.varint();
  part.target = in.bytes(kNameBytesMax);
  return part;
}

}  // namespace

std::string Gate::encode() const {
  std::string out(kMagic);
  putVarint(out, kVersion);
  putVarint(out, ranges_.size());
  for (const GateRange& part : ranges_) {
    putBytes(out, part.range.lo);
    putVarint(out, part.range.hi.isInfinite() ? 1 : 0);
    if (!part.range.hi.isInfinite()) putBytes(out, part.range.hi.key());
    putVarint(out, static_cast<uint64_t>(part.state));
    putVarint(out, part.epoch);
    out.append(reinterpret_cast<const char*>(part.claim.data()), part.claim.size());
    putVarint(out, part.coordEpoch);
    putBytes(out, part.target);
  }
  char tail[kCrcBytes];
  storeLe(tail, crc32c(out));
  return out.append(tail, kCrcBytes);
}

Result<Gate> Gate::restore(std::span<const std::byte> bytes, uint64_t lastPosition) {
  Gate gate(lastPosition);
  if (bytes.empty()) return gate;
  if (bytes.size() < kMagic.size() + kCrcBytes) return ErrorCode::kRegisterCorrupt;
  const std::span<const std::byte> body = bytes.first(bytes.size() - kCrcBytes);
  if (crc32c(body) != loadLe<uint32_t>(bytes.data() + body.size())) {
    return ErrorCode::kRegisterCorrupt;
  }
  ByteReader in(asView(body));
  if (in.raw(kMagic.size()) != kMagic || in.varint() != kVersion) return ErrorCode::kRegisterCorrupt;
  const uint64_t count = in.varint(kGateRangesMax);
  for (uint64_t i = 0; i < count && !in.failed(); ++i) {
    GateRange part = readGateRange(in);
    const bool follows = gate.ranges_.empty() || (!gate.ranges_.back().range.hi.isInfinite() &&
                                                  !gate.ranges_.back().range.hi.isAbove(part.range.lo));
    if (!follows) in.fail();
    gate.ranges_.push_back(std::move(part));
  }
  if (!in.finished()) return ErrorCode::kRegisterCorrupt;
  return gate;
}

}  // namespace keyhaul
