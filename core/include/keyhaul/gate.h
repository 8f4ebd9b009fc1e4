// The gate of one store: decides for each client operation whether this store may
// answer it, and for each call of a migration whether it is still of the present.
// It gives positions, a fence and the staging of a target to a store that has none (and its
// host a feed: js/src/stores/recorded.ts), when every writer passes through it. It does no I/O: the host
// asks, carries out, and writes encode() durably before it acknowledges a change.
//
//   none ── assign(e) ──► serving(e) ── fence(f) ──► fenced(f) ── fenceReads(f) ──► readFenced(f)
//    │                      ▲  ▲                       │  │                           │  │
//    │ prepare(f)           │  └──── unfence(f+1) ─────┴──┼───────────────────────────┘  │
//    ▼                      │                             └── redirect(f) ──► redirecting(f) ◄┘
//   staged(f) ─ activate(f)─┘
//    └── discard(f) ──► absent(f)       absent, redirecting ── prepare(f' > f) ──► staged(f')
//
// What the same migration moved away before (its reverse window) sends clients on while it is
// staged too, and is redirecting(f) again after a discard.
//
// A gate may outlive what its store holds: somebody empties the database behind its back, its record with it. The host
// says so, emptied(), and what a migration had put or left there is `lost`: it is not copied further, activated, or gone
// back to, also where the gate's record is read again later.
//
// Every change names its claim, its coordinator's epoch and an ownership epoch; older ones
// are refused, whatever the order in which a network delivers them. Repeating one is fine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "keyhaul/ownership.h"

namespace keyhaul {

enum class GateState : uint8_t {
  kAbsent = 1,       // not here; `epoch` is the last one seen
  kServing = 2,
  kFenced = 3,       // reads, no writes
  kReadFenced = 4,   // neither
  kRedirecting = 5,  // owned by `target` since `epoch`
  kStaged = 6,       // a migration fills it; invisible. With a `target`: kept for a way back
};
std::string_view gateStateName(GateState state);  // "serving"

// A part of the store's keys. Keys in no part were never here.
struct GateRange {
  KeyRange range;
  GateState state = GateState::kAbsent;
  uint64_t epoch = 0;
  ClaimId claim{};           // of the last migration that changed it
  uint64_t coordEpoch = 0;
  std::string target;        // kRedirecting, and what of it is kept for a way back
  bool lost = false;         // what a migration has put or left here is gone (emptied())
  bool sameAs(const GateRange& other) const;  // but for the range
  bool mayBeLost() const { return state != GateState::kAbsent && state != GateState::kServing; }
};

enum class GateVerb : uint8_t {
  kAssign = 1,
  kPrepare = 2,
  kFence = 3,
  kFenceReads = 4,
  kUnfence = 5,
  kRedirect = 6,
  kActivate = 7,
  kDiscard = 8,
  // Changes nothing: NotOwner unless this migration has staged all of it, and all is there. For epoch 0 also where it is
  // lost: whoever gives it up takes off what was written since.
  kInspect = 9,
  // As prepare, of what this migration has filled before: NotOwner where the gate does not know of that, as it came back
  // without its disk. A prepare would stage what is empty, and the copy would go on behind what is gone.
  kRestage = 10,
};
std::string_view gateVerbName(GateVerb verb);  // "fence"

struct GateCall {
  GateVerb verb = GateVerb::kAssign;
  ClaimId claim{};
  uint64_t coordEpoch = 0;
  uint64_t epoch = 0;  // the fence epoch f; for unfence the epoch of the abort; 0 for some of inspect
  std::string target;  // kRedirect
  std::vector<KeyRange> ranges;
};

// What a client is told.
enum class Answer : uint8_t {
  kOk = 1,
  kRetry = 2,  // soon again: here or elsewhere
  kMoved = 3,  // ask `owner`; where it is empty, ask the register
};

struct Admission {
  Answer answer = Answer::kRetry;
  uint64_t position = 0;   // kOk of a write: its place in the feed; pass it to landed()
  uint64_t epoch = 0;
  std::string_view owner;  // valid until the next change
};

inline constexpr uint32_t kGateRangesMax = 1U << 20;

class Gate {
 public:
  // `lastPosition`: the highest position that the store's log holds; new ones go on above.
  explicit Gate(uint64_t lastPosition = 0) : last_(lastPosition) {}
  // RegisterCorrupt for bytes that encode() cannot have made.
  static Result<Gate> restore(std::span<const std::byte> bytes, uint64_t lastPosition);
  std::string encode() const;

  // One answer for all keys of one atomic batch. A write that is admitted is in flight
  // until landed(); a fence waits for it.
  Admission admitWrite(std::span<const KeyView> keys);
  Admission admitRead(KeyView key) const;
  // What admitRead() or admitWrite() would say, without a ticket.
  Answer answer(KeyView key, bool write) const { return answerFor(find(key), write).answer; }
  // The longest part of `range` from its start that may be read; empty when none may.
  // A page read between two equal answers is a page of the owner.
  KeyRange readable(const KeyRange& range, Admission& why) const;
  // What was admitted took effect or failed for good.
  void landed(uint64_t ticket);

  // A call of a migration's: changes at once in memory. Superseded for a call of the past,
  // NotOwner where the state does not allow it. What closes (fence, prepare, …) changes first,
  // and may be acknowledged once quiet() and encode() is durable: what was admitted before it
  // has landed then. What opens is first made durable, as encodeAfter() of it, changes
  // then, and waits for nothing: else a crash would take back an epoch in which clients were
  // served. TargetNotEmpty for a discard of what another coordinator of the migration has
  // prepared: who gives it up prepares it first, so that nobody fills it any more, and empties it.
  Status change(const GateCall& call);
  static bool opens(GateVerb verb);
  Result<std::string> encodeAfter(const GateCall& call) const;
  // Nothing in flight touches the ranges.
  bool quiet(const std::vector<KeyRange>& ranges) const;
  // The store holds nothing any more, and has no record of this gate. What it owns it owns still.
  void emptied();
  // May this migration write (or delete) these keys now? Staged by it, and no newer
  // coordinator, else Superseded. Gives what to pass to landed().
  Result<uint64_t> admitApply(const ClaimId& claim, uint64_t coordEpoch, const KeyRange& span);
  // May what moved away at `epoch` be deleted here? As admitApply.
  Result<uint64_t> admitCleanUp(uint64_t epoch, const KeyRange& span);

  // Every write at or below it has landed.
  uint64_t head() const { return inFlight_.empty() ? last_ : inFlight_.begin()->first - 1; }
  // Every write of a key in these ranges. What a feed of them may end at: behind a fence, which
  // waits for these and for no others, a write that hangs elsewhere must hide none of them.
  uint64_t head(const std::vector<KeyRange>& ranges) const;
  uint64_t last() const { return last_; }
  const std::vector<GateRange>& ranges() const { return ranges_; }

 private:
  size_t firstAbove(KeyView key) const;
  const GateRange* find(KeyView key) const;
  static Admission answerFor(const GateRange* range, bool write);
  Status check(const GateCall& call, const GateRange* at) const;
  uint64_t apply(const KeyRange& span);
  void closeParts(const GateRange& call, std::vector<GateRange>& changes) const;
  void stageParts(const GateRange& call, std::vector<GateRange>& changes) const;
  template <typename Visit>
  Status eachPart(const KeyRange& range, Visit visit) const;

  std::vector<GateRange> ranges_;  // sorted, disjoint, joined where they are the same
  std::map<uint64_t, std::vector<Key>> inFlight_;  // writes of clients, by position
  std::map<uint64_t, KeyRange> applying_;          // of migrations, by ticket
  uint64_t last_ = 0, tickets_ = 0;
};

}  // namespace keyhaul
