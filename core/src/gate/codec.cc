// The gate's record in the store it guards (core/src/ownership/FORMAT.md).
#include <cstring>

#include "ownership/sealed.h"
#include "keyhaul/gate.h"
#include "keyhaul/plan.h"

namespace keyhaul {
namespace {

constexpr std::string_view kMagic = "KHGT";
constexpr uint64_t kLost = 8;  // beside the state

GateRange readGateRange(ByteReader& in) {
  GateRange part;
  part.range = readKeys(in);
  const uint64_t state = in.varint(kLost | static_cast<uint64_t>(GateState::kStaged));
  part.lost = (state & kLost) != 0;
  part.state = static_cast<GateState>(state & ~kLost);
  const bool known = part.state >= GateState::kAbsent && part.state <= GateState::kStaged;
  if (!known || (part.lost && !part.mayBeLost())) in.fail();
  part.epoch = in.varint();
  const std::string_view id = in.raw(kClaimIdBytes);
  if (id.size() == kClaimIdBytes) std::memcpy(part.claim.data(), id.data(), kClaimIdBytes);
  part.coordEpoch = in.varint();
  part.target = in.bytes(kNameBytesMax);
  return part;
}

}  // namespace

std::string Gate::encode() const {
  std::string out = beginSealed(kMagic);
  putVarint(out, ranges_.size());
  for (const GateRange& part : ranges_) {
    putRange(out, part.range);
    putVarint(out, static_cast<uint64_t>(part.state) | (part.lost ? kLost : 0));
    putVarint(out, part.epoch);
    out.append(reinterpret_cast<const char*>(part.claim.data()), part.claim.size());
    putVarint(out, part.coordEpoch);
    putBytes(out, part.target);
  }
  return seal(std::move(out));
}

Result<Gate> Gate::restore(std::span<const std::byte> bytes, uint64_t lastPosition) {
  Gate gate(lastPosition);
  if (bytes.empty()) return gate;
  std::optional<ByteReader> in = openSealed(bytes, kMagic);
  if (!in) return ErrorCode::kRegisterCorrupt;
  const uint64_t count = in->varint(kGateRangesMax);
  for (uint64_t i = 0; i < count && !in->failed(); ++i) {
    GateRange part = readGateRange(*in);
    if (!gate.ranges_.empty() && !follows(gate.ranges_.back().range, part.range)) in->fail();
    gate.ranges_.push_back(std::move(part));
  }
  if (!in->finished()) return ErrorCode::kRegisterCorrupt;
  return gate;
}

}  // namespace keyhaul
