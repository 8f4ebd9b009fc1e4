// What nodes send each other, and how they find out that it was damaged on the way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "keyhaul/checksum.h"
#include "keyhaul/gate.h"
#include "keyhaul/status.h"

namespace keyhaul::sim {

enum class MessageKind : uint8_t {
  kHello = 1,      // a new incarnation of a job: older ones are to be refused from now on
  kScan = 2,       // body: lo, extra: hi; `infinite`
  kApply = 3,      // body: a frame
  kOpenFeed = 4,   // extra: position to continue at, or empty
  kPollFeed = 5,   // extra: position
  kTrimFeed = 6,   // extra: position
  kCloseFeed = 7,
  kEstimate = 8,
  kPut = 9,        // of a client. body: key, extra: value
  kDelete = 10,    // of a client. body: key
  kRead = 11,      // of a client. body: key
  kClose = 12,     // of a client: nothing older is to be carried out any more
  kReply = 13,     // error, or what was asked for

  // Live migrations.
  kReadKeys = 14,      // body: u32 of bytes and the key, `count` times
  kGate = 15,          // verb, epoch, coordEpoch; for the ranges of the party's plan
  kRegisterRead = 16,
  kRegisterSwap = 17,  // body: the document; epoch: the version that it replaces
  kRange = 18,         // of a client, a page of a scan. body: lo, extra: hi
};

struct Message {
  MessageKind kind = MessageKind::kReply;
  bool durable = false, guarded = false, infinite = false;
  bool end = false;    // reply to a scan or poll
  bool found = false;  // reply to a read
  bool cleanUp = false;  // an apply: deletes what moved away at `epoch`
  bool blind = false;    // sabotage: a swap that compares nothing
  // Of a client, a put or a delete: only if the key still holds the first `count` bytes of `extra`, or nothing
  // where those are none. Reply: `found` says whether it did.
  bool conditional = false;
  ErrorCode error = ErrorCode::kOk;
  uint16_t from = 0, to = 0;
  uint32_t party = 0;     // the job, or the client
  uint64_t session = 0;   // the job's incarnation; a client has one
  uint64_t call = 0;      // rises within a session; a reply repeats it
  uint32_t count = 0;     // limit, or number of entries
  uint64_t bytes = 0;     // limit, or estimate; of the register: the version
  uint64_t epoch = 0;     // of a client: that of the owner as it knows it
  uint64_t coordEpoch = 0;
  std::vector<uint64_t> tickets;  // of a gate, while the call is inside a store
  uint64_t sentUs = 0;
  uint32_t storeBoot = 0;  // an apply: the life of the store that its session began in
  GateVerb verb = GateVerb::kPrepare;
  std::string body, extra;
  uint32_t checksum = 0;  // of body and extra

  size_t size() const { return 64 + body.size() + extra.size(); }
  uint32_t computeChecksum() const { return crc32(extra, crc32(body)); }
};

}  // namespace keyhaul::sim
