// The engine: decides everything, does nothing itself. A host (Node, a page, a
// simulator) carries out its actions and reports their completions.
//
//   for (;;) {
//     Ready ready = engine.step(now(), completions);
//     for (action : ready.actions) start(action);      // any order, in parallel
//     for (notice : ready.notices) tell(notice);
//     if (!ready.more) wait for a completion or for ready.nextDeadline;
//   }
//
// 1. step() never blocks, reads no clock and calls nothing outside. While a
//    migration copies, follows a feed, compares or goes through the rounds before its cutover,
//    it allocates nothing either, but for what grows: leaves of a range up to kLeavesMax, keys
//    beyond the most that changed in any round, keys that differ, buckets of level 5 that are
//    read again (tests/native/allocation has each bound). One thread; it is not re-entrant.
// 2. Everything in Ready may be started at once, in any order. What has to wait
//    for a durable record is held back in here, so a host cannot get it wrong.
// 3. Each action but kAbort gets exactly one completion, also after an abort or a cancel.
//    Completions with a stale or repeated op id are counted and ignored.
// 4. Calls to stores may be lost, doubled or late; every one can be repeated.
// 5. Spans in Ready are valid until the next call that is not const. An action's
//    payload buffer stays valid until its completion was given to step(), or it was aborted.
// 6. Call step at or after nextDeadline, or earlier with events. Late is safe.
//    Time never goes back (a smaller `now` is taken as the last one).
// 7. Nothing is unbounded. `more`: carry out this Ready, then call again.
// 8. After a crash: resume(journal). Equal config, journal and inputs give equal
//    output, natively and in WebAssembly.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "keyhaul/gate.h"
#include "keyhaul/ids.h"
#include "keyhaul/journal.h"
#include "keyhaul/migration.h"
#include "keyhaul/plan.h"
#include "keyhaul/status.h"
#include "keyhaul/time.h"

namespace keyhaul {

// Bytes in a buffer of the engine's. Null when buffer is null.
struct BufferRef {
  BufferId buffer;
  uint32_t offset = 0, bytes = 0;
};

enum class ActionKind : uint8_t {
  // Read one page of a store. Payload: a range (u32 loBytes, u32 hiBytes or
  // 0xFFFFFFFF for no bound, lo, hi). count = entry limit, limitBytes = byte limit.
  // Completed by kPage.
  kScan = 1,
  // Write a frame's entries to a store, in order. `durable`: complete only when
  // this and everything before it survives a crash. Completed by kDone.
  // `reusesOp`: the page came from this scan, entry by entry; a host that kept
  // the scan's result may write that instead of unpacking the frame.
  kApply = 2,
  // Append the payload to the journal and make it durable. Completed by kDone.
  kJournal = 3,
  // Start recording changes of the plan's ranges (payload: none), or continue at
  // a position (payload). Completed by kDone with the position as payload. A host names the
  // recording of a live migration by its claim: what an earlier process of it opened, and died
  // before anybody knew, ends here or with kCloseFeed.
  kOpenFeed = 4,
  // Changes beyond the position in the payload. count, limitBytes as kScan.
  // Completed by kPage: a frame body with the changes; `position` bytes follow it.
  kPollFeed = 5,
  // The changes up to the position in the payload will not be asked for again. Completed by kDone.
  kTrimFeed = 6,
  // Stop recording and forget. The payload is the position, for a feed that an earlier process
  // opened and this one did not; without one, close what kOpenFeed opened, if it came so far,
  // in this process or, for a claim, in an earlier one.
  // Completed by kDone.
  kCloseFeed = 7,
  // Give up the operation `reusesOp`: its completion still has to come, soon.
  // Has no completion of its own.
  kAbort = 8,
  // Guess entries and bytes of the plan's ranges in the source.
  // Completed by kDone, count = entries, bytes = bytes; 0 = unknown.
  kEstimate = 9,

  // Live migrations; each carries coordEpoch, and belongs to the claim of the plan.
  // Single keys, ascending. Payload: count times a u32 of bytes and the key. Completed by
  // kPage with those that the store holds, in this order.
  kRead = 10,
  // A call to the store's gate (keyhaul/gate.h) for the plan's ranges: `verb`, `epoch`;
  // redirect names the plan's other store. Completed by kDone once it is durable and nothing
  // that was admitted before is in flight; by kFailed with the gate's error.
  kGate = 11,
  // The ownership document. Completed by kDone: payload = the document, bytes = its version.
  kRegisterRead = 12,
  // Replaces the document by the payload where its version still is `epoch`. Completed by
  // kDone: count 1 = replaced, bytes = the new version; count 0 = the payload is the document
  // that is there, bytes = its version. By kFailed where it may have been replaced or not.
  kRegisterSwap = 13,
};

struct Action {
  ActionKind kind = ActionKind::kScan;
  // Of its migration: that of the plan, and more while it cannot keep up with the writers. A host that has
  // less to give than its migrations ask for gives more of it to the higher.
  uint8_t priority = 0;
  bool durable = false;
  // kApply: every entry is to be deleted if the store still holds it with this value; the
  // event's count says how many were left because they hold another value.
  bool guarded = false;
  // kApply, where both stores have versions: a put counts only where it is newer than what the store holds;
  // the event's count says how many did not because something newer is there. A delete has no
  // version: only a live migration, which nobody else writes beside, wants it carried out.
  bool ifNewer = false;
  bool keep = false;  // kScan: a later kApply may name this page in `reusesOp`
  // kApply of a live migration: deletes on the source, of what moved away at `epoch`.
  bool cleanUp = false;
  GateVerb verb = GateVerb::kPrepare;  // kGate
  MigrationId migration;
  NodeId node;  // null for kJournal and the register
  OpId op;
  OpId reusesOp;
  BufferRef payload;
  uint32_t count = 0;
  uint64_t limitBytes = 0;
  uint64_t epoch = 0;       // kGate, kRegisterSwap, kApply with cleanUp
  uint64_t coordEpoch = 0;  // of a live migration's coordinator: stores refuse older ones
};

enum class EventKind : uint8_t {
  kPage = 1,    // count entries were packed into payload; `end`
  kDone = 2,
  kFailed = 3,  // error; payload: text for people, optional
};

struct Event {
  EventKind kind = EventKind::kDone;
  bool end = false;
  ErrorCode error = ErrorCode::kOk;
  OpId op;
  // Owned by the engine from here on. Packed pages leave kFrameHeaderBytes free
  // at the start: payload.offset is 0 and body begins at kFrameHeaderBytes.
  BufferRef payload;
  uint32_t count = 0;          // entries; kApply, guarded or ifNewer: left; kEstimate: entries (clamped)
  uint32_t positionBytes = 0;  // kPollFeed: the last bytes of the payload
  // kEstimate; kPollFeed: changes beyond this page, 0 = unknown; registers: the version
  uint64_t bytes = 0;
};

enum class NoticeKind : uint8_t {
  kState = 1,       // `state`; `error` where it is kStopped, kFailed, …
  kProgress = 2,    // at most every Config::progressEvery a migration
  kDifference = 3,  // payload: the key; difference says what
  kWarning = 4,     // `error`: something was retried or repaired on the way
  // A live migration cannot keep up with the writers: whoever can hold them back is asked to let
  // `perSecond` changes through, and no more; 0: as many as come, it is over.
  kThrottleWriters = 5,
  // reverse() or giveUpSource() was accepted, and cannot be: `error` says why, and `node` has the
  // ranges and keeps them.
  kRefused = 6,
};

struct Notice {
  NoticeKind kind = NoticeKind::kState;
  MigrationState state = MigrationState::kPending;
  DifferenceKind difference = DifferenceKind::kMissing;
  ErrorCode error = ErrorCode::kOk;
  MigrationId migration;
  NodeId node;          // kWarning, kStopped: the store concerned, if any; kRefused: the owner
  uint64_t perSecond = 0;  // kThrottleWriters
  BufferRef payload;    // kDifference: a key; kStopped: the host's text; released by the next step
};

struct Ready {
  std::span<const Action> actions;
  std::span<const Notice> notices;
  Instant nextDeadline = kNever;
  bool more = false;
};

struct Config {
  uint32_t migrationsMax = 1'024;   // unfinished and unforgotten ones
  // Migrations running at once; 0 = no limit. One whose reverse window is open gives its slot back,
  // and waits for another, as any by its priority, before it goes back. One that copies gives its slot to one
  // of a higher priority, at its next page, and waits; undone or failed meanwhile, it takes off what it wrote at
  // once, and until there is room for it nobody else is let in.
  uint32_t slots = 0;
  uint32_t sourceSlots = 0;         // of those, a node as source; 0 = no limit
  uint32_t targetSlots = 0;         // of those, a node as target; 0 = no limit
  uint64_t bytesPerSecond = 0;      // all migrations together; 0 = no limit
  Duration ageing = seconds(10);    // waiting this long adds 1 to a priority
  Duration progressEvery = milliseconds(100);
  // A copy makes a checkpoint with the first page that is written so long after the one before,
  // however few pages that are: while pages come, a crash costs little more than that. 0 = by
  // pages only.
  Duration checkpointEvery{0};
  // How long an operation may take: this, …
  Duration stallBase = seconds(30);
  // … and a second for so many bytes, or part of them, that go there or may come back.
  uint64_t stallBytesPerSecond = 256 * 1024;
  Duration retryFirst = milliseconds(50);   // doubles with each failure in a row, up to
  Duration retryMax = seconds(10);
  uint32_t retriesMax = 8;          // in a row; then the migration stops resumably
  uint32_t verifyRoundsMax = 5;
  uint32_t differencesMax = 10'000;  // named; further ones are counted
  uint64_t changedBytesMax = 256U << 20;  // keys that changed while a live one verifies
  // L5: how many keys, about, have digests of their own, and are read again when one of them changes;
  // a multiple of it in large ranges (8 MiB of digests a migration).
  uint32_t bucketEntries = 64;
  // Where what an action needs does not fit, its migration ends with kLimitExceeded.
  uint64_t bufferBytesMax = 1U << 30;
};

// What a live migration waits for. Nothing: it is at work.
enum class WaitsFor : uint8_t {
  kNothing = 1,
  kSlot = 2,            // other migrations run
  kUnpause = 3,
  kJournal = 4,
  kRegister = 5,
  kSourceGate = 6,
  kTargetGate = 7,
  kWritesInFlight = 8,  // on the source, admitted before the fence
  kShorterPause = 9,    // forecast over budget
  kExplanation = 10,    // keys differ, and a change that is still in the feed may be why
  kFinish = 11,         // follows until it is told to finish
  kReverse = 12,        // could be reversed: waits until somebody wants that, or the window ends
};
std::string_view waitName(WaitsFor waits);  // "shorterPause"

// What there is to know of a live migration beyond that.
struct LiveView {
  WaitsFor waitsFor = WaitsFor::kNothing;
  std::string text;             // the same for people, with names and figures, and what is done so that it
                                // keeps up; empty: nothing
  uint32_t failures = 0;        // in a row, of what it waits for
  uint64_t lagChanges = 0;      // of the feed, known and not applied
  uint64_t toCompare = 0;       // keys that changed since they were compared; L5: buckets of keys
  Duration forecast{UINT64_MAX};  // of the writers' pause; UINT64_MAX = unknown
  Duration budget;
  Duration paused;              // writers are refused for so long now; 0 = they are not
  uint64_t postponed = 0;       // attempts that were given up
  bool ahead = false;           // it cannot keep up, and goes before others: its priority was raised
  bool turned = false;          // it is on the way back, or could be
  Duration reverseLeft{0};      // of the reverse window; 0 = none is open
};

// What a caller may know of a migration.
struct MigrationView {
  MigrationState state = MigrationState::kPending;
  bool paused = false;  // also: it makes room, or has made room, for one of a higher priority
  bool waits = false;   // for a slot: it has not begun, or has made room
  ErrorCode error = ErrorCode::kOk;   // why it stopped or failed
  GuaranteeLevel level = GuaranteeLevel::kL0;
  bool verified = false;
  uint64_t entries = 0, bytes = 0;             // done in this state
  uint64_t totalEntries = 0, totalBytes = 0;   // expected; 0 = unknown
  uint64_t bytesPerSecond = 0;
  Duration eta{UINT64_MAX};                    // UINT64_MAX = unknown
  bool caughtUp = false;                       // following, and nothing is waiting
  uint64_t differences = 0;
  std::optional<LiveView> live;
};

class Engine {
 public:
  static Result<Engine> create(const Config& config);
  Engine(Engine&&) noexcept;
  Engine& operator=(Engine&&) noexcept;
  ~Engine();

  // The only data-path call.
  Ready step(Instant now, std::span<const Event> events);

  // What time it is for everybody, as the host knows it: it is `unixMs` at `now`. A window that is
  // opened after it was told ends at that time also for a process that resumes and tells it; else
  // its time runs anew in each process. May be told again, as after a clock was set.
  void setWallClock(Instant now, uint64_t unixMs);

  // Control: rare. A node is a store of the host's; its id stands in actions.
  Result<NodeId> addNode(std::string_view name);
  // Unsupported while a migration that was not forgotten uses it.
  Status removeNode(NodeId node);
  // `journal`: whether kJournal actions are wanted.
  Result<MigrationId> start(Instant now, ValidPlan plan, NodeId source, NodeId target, bool journal);
  // Continues from a journal. Totals and leaves come from it, so does the plan.
  Result<MigrationId> resume(Instant now, JournalImage image, NodeId source, NodeId target);
  // NotFound for a stale id; AlreadyComplete for an ended one.
  Status pause(MigrationId id);
  Status unpause(MigrationId id);
  // Stops resumably: writes in flight are awaited. What came after the last durable write is
  // copied again by the resume.
  Status stop(MigrationId id);
  // Discards what was copied where the target range was empty before.
  Status cancel(MigrationId id);
  // L1 with `follow`: the writers have stopped; drain the feed, verify, end. A live one cuts over.
  Status finish(MigrationId id);
  // Goes back: the source owns the ranges again, with all that was written to the target.
  // Unsupported where no reverse window is open: not asked for, not yet, or not any more.
  Status reverse(MigrationId id);
  // Ends an open reverse window before its time, also where reverse() was called and nobody's
  // writes are paused for it yet; the source is emptied, and there is no way back any more.
  // Unsupported where no window is open, or while it goes back behind the fence.
  Status closeWindow(MigrationId id);
  // As closeWindow(), for a source that never comes back: it is asked for nothing any more, and
  // what stands there stays. The register decides it by one compare-and-set, and the target keeps
  // the ranges at a higher epoch. Also where the window is over and the source cannot be emptied.
  // Nothing but this call gives a source up. Unsupported as closeWindow().
  Status giveUpSource(MigrationId id);
  // Frees the slot of an ended migration. Unsupported while it runs.
  Status forget(MigrationId id);
  // Bytes a second from now on; 0 = no limit. Null id: all together.
  Status setRate(Instant now, MigrationId id, uint64_t bytesPerSecond);
  // Slots from the next step on, with the meaning that they have in Config. Where more run than may then, nobody is
  // let in before fewer do; as many as are too many of those that copy make room at their next page, the lowest
  // first, as they do for one of a higher priority, and whoever does not copy finishes. A build without live
  // migrations has no room for the second: there all finish.
  void setSlots(uint32_t slots, uint32_t sourceSlots, uint32_t targetSlots);

  // A buffer of at least `bytes`; null id when bufferBytesMax would be passed.
  std::span<std::byte> acquire(uint64_t bytes, BufferId& id);
  void release(BufferId id);
  std::span<std::byte> bytes(const BufferRef& ref);

  // Getters never change anything.
  std::optional<MigrationView> inspect(Instant now, MigrationId id) const;
  std::optional<Receipt> receipt(MigrationId id) const;
  uint64_t staleCompletions() const;
  uint64_t bufferBytes() const;  // held now
  uint64_t stateHash() const;

 private:
  struct Impl;
  explicit Engine(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace keyhaul
