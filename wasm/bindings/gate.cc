// Gates and the ownership document across the boundary: numbers, packed bytes, text().
#include "keyhaul/gate.h"

#include <emscripten/bind.h>

#include <cstring>
#include <utility>

#include "base/bytes.h"
#include "base/json.h"
#include "base/number.h"
#include "handles.h"

namespace keyhaul {
namespace {

using boundary::failure;
using boundary::memory;
using boundary::text;

constexpr uint32_t kNoBound = UINT32_MAX;
constexpr uint64_t kApplyTicket = 1ULL << 63;

boundary::Handles<Gate>& gates() {
  static boundary::Handles<Gate> all;
  return all;
}

// Walks over what our own glue packed: nothing here is hostile.
struct Packed {
  uint32_t address;
  uint32_t word() {
    uint32_t value = 0;
    std::memcpy(&value, memory(address, 4).data(), 4);
    address += 4;
    return value;
  }
  uint64_t number() {
    const uint64_t low = word();
    return low | uint64_t{word()} << 32;
  }
  std::string_view bytes(uint32_t count) {
    const std::string_view view = asView(memory(address, count));
    address += count;
    return view;
  }
  std::string_view sized() { return bytes(word()); }
  KeyRange range() {
    KeyRange range{Key(sized()), Bound::infinity()};
    const uint32_t hi = word();
    if (hi != kNoBound) range.hi = Bound::at(Key(bytes(hi)));
    return range;
  }
  ClaimId claim() {
    ClaimId id{};
    std::memcpy(id.data(), bytes(kClaimIdBytes).data(), kClaimIdBytes);
    return id;
  }
  GateCall call() {
    GateCall call;
    call.verb = static_cast<GateVerb>(word());
    call.claim = claim();
    call.coordEpoch = number();
    call.epoch = number();
    call.target = std::string(sized());
    for (uint32_t left = word(); left > 0; --left) call.ranges.push_back(range());
    return call;
  }
};

double resultOf(Status status) { return status.ok() ? 0 : failure(status.code()); }

uint64_t lastEpoch = 0;

// A refusal leaves the owner in text() and the epoch in gateEpoch().
double answerOf(const Admission& admission) {
  lastEpoch = admission.epoch;
  if (admission.answer == Answer::kOk) return static_cast<double>(admission.position);
  text() = std::string(admission.owner);
  return failure(admission.answer == Answer::kRetry ? ErrorCode::kRetry : ErrorCode::kMoved);
}

// A handle, or an error.
double restore(uint32_t address, uint32_t bytes) {
  auto gate = Gate::restore(memory(address, bytes), 0);
  if (!gate.ok()) return failure(gate.code());
  return gates().add(std::make_unique<Gate>(std::move(gate).value()));
}
void destroy(uint32_t handle) { gates().remove(handle); }
double epoch() { return static_cast<double>(lastEpoch); }

// Keys: each a u32 of bytes and the key. Gives a ticket for landed().
double admitWrite(uint32_t handle, uint32_t address, uint32_t count) {
  Packed packed{address};
  std::vector<KeyView> keys;
  for (; count > 0; --count) keys.push_back(packed.sized());
  return answerOf(gates()[handle].admitWrite(keys));
}
double admitRead(uint32_t handle, uint32_t address, uint32_t count) {
  Packed packed{address};
  double answer = 0;
  for (; count > 0 && answer >= 0; --count) answer = answerOf(gates()[handle].admitRead(packed.sized()));
  return answer;
}
// Whether a call of the key would be refused for the moment of a cutover.
uint32_t retries(uint32_t handle, uint32_t address, uint32_t write) {
  return gates()[handle].answer(Packed{address}.sized(), write != 0) == Answer::kRetry ? 1 : 0;
}
// 0: all of the range may be read; 1: up to the key in text().
double readable(uint32_t handle, uint32_t address) {
  const KeyRange range = Packed{address}.range();
  Admission why;
  const KeyRange part = gates()[handle].readable(range, why);
  if (why.answer != Answer::kOk) return answerOf(why);
  if (!(part.hi < range.hi)) return 0;
  text() = part.hi.key();
  return 1;
}
// Tickets of migrations have the highest bit, which a double would blur.
void landed(uint32_t handle, double ticket, uint32_t applied) {
  gates()[handle].landed(static_cast<uint64_t>(ticket) | (applied != 0 ? kApplyTicket : 0));
}
double ticketOf(const Result<uint64_t>& ticket) {
  return ticket.ok() ? static_cast<double>(ticket.value() & ~kApplyTicket) : failure(ticket.code());
}
double admitApply(uint32_t handle, uint32_t address) {
  Packed packed{address};
  const ClaimId claim = packed.claim();
  const uint64_t coordEpoch = packed.number();
  return ticketOf(gates()[handle].admitApply(claim, coordEpoch, packed.range()));
}
double admitCleanUp(uint32_t handle, uint32_t address) {
  Packed packed{address};
  const uint64_t epoch = packed.number();
  return ticketOf(gates()[handle].admitCleanUp(epoch, packed.range()));
}

double change(uint32_t handle, uint32_t address) {
  return resultOf(gates()[handle].change(Packed{address}.call()));
}
double encodeAfter(uint32_t handle, uint32_t address) {
  Result<std::string> bytes = gates()[handle].encodeAfter(Packed{address}.call());
  if (!bytes.ok()) return failure(bytes.code());
  text() = std::move(bytes).value();
  return 0;
}
void encode(uint32_t handle) { text() = gates()[handle].encode(); }
void emptied(uint32_t handle) { gates()[handle].emptied(); }
uint32_t quiet(uint32_t handle, uint32_t address) {
  return gates()[handle].quiet(Packed{address}.call().ranges) ? 1 : 0;
}

// {"parts": [[lo, hi or null, owner, epoch]], "claims": [[id, source, target, state]]}; keys
// and ids in hexadecimal.
double ownershipJson(uint32_t address, uint32_t bytes) {
  auto map = OwnershipMap::decode(memory(address, bytes));
  if (!map.ok()) return failure(map.code());
  std::string& out = text();
  out = "{\"parts\":[";
  const auto quoted = [&out](std::string_view value) { putJsonString(out, value); };
  bool first = true;
  const auto separate = [&out, &first] {
    if (!std::exchange(first, false)) out.push_back(',');
  };
  const auto ends = [&out](const KeyRange& range) {
    out += "[\"" + toHex(range.lo) + "\",";
    out += range.hi.isInfinite() ? "null" : '"' + toHex(range.hi.key()) + '"';
  };
  for (const Ownership& part : map->parts()) {
    separate();
    ends(part.range);
    out.push_back(',');
    quoted(part.owner);
    out.push_back(',');
    putDecimal(out, part.epoch);
    out.push_back(']');
  }
  out += "],\"claims\":[";
  first = true;
  for (const Claim& claim : map->claims()) {
    separate();
    const auto* id = reinterpret_cast<const char*>(claim.id.data());
    out += "[\"" + toHex(std::string_view(id, claim.id.size())) + "\",";
    quoted(claim.source);
    out.push_back(',');
    quoted(claim.target);
    out.push_back(',');
    quoted(claimStateName(claim.state));
    out += ",[";
    first = true;
    for (const KeyRange& range : claim.ranges) {
      separate();
      ends(range);
      out.push_back(']');
    }
    out += "]]";
    first = false;
  }
  out += "]}";
  return 0;
}

// The document, the owner, a range; leaves the new document.
double ownershipAssign(uint32_t address) {
  Packed packed{address};
  const std::string_view document = packed.sized();
  const std::string_view owner = packed.sized();
  auto map = OwnershipMap::decode(std::as_bytes(std::span(document)));
  if (!map.ok()) return failure(map.code());
  if (Status s = map->assign(packed.range(), owner); !s.ok()) return failure(s.code());
  text() = map->encode();
  return 0;
}

}  // namespace

EMSCRIPTEN_BINDINGS(keyhaul_gate) {
  emscripten::function("gateRestore", &restore);
  emscripten::function("gateDestroy", &destroy);
  emscripten::function("gateEpoch", &epoch);
  emscripten::function("gateAdmitWrite", &admitWrite);
  emscripten::function("gateAdmitRead", &admitRead);
  emscripten::function("gateRetries", &retries);
  emscripten::function("gateReadable", &readable);
  emscripten::function("gateLanded", &landed);
  emscripten::function("gateAdmitApply", &admitApply);
  emscripten::function("gateAdmitCleanUp", &admitCleanUp);
  emscripten::function("gateChange", &change);
  emscripten::function("gateEncodeAfter", &encodeAfter);
  emscripten::function("gateEncode", &encode);
  emscripten::function("gateQuiet", &quiet);
  emscripten::function("gateEmptied", &emptied);
  emscripten::function("ownershipJson", &ownershipJson);
  emscripten::function("ownershipAssign", &ownershipAssign);
}

}  // namespace keyhaul
