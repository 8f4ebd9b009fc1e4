// The states of a live migration: a move while clients write.
//
//   Pending ► Claiming ► Preparing ► Staging ► Copying ► CatchingUp ► Verifying ► Approaching ─┐
//                ▲           ▲           ▲                                                       │
//     resume ────┘           └─────┬─────┘  again      over budget, failure, stop                ▼
//                        Unfencing ┴ ◄ Postponing ◄──────────── Draining ◄──────────────────── Fencing
//                           │ ▲              ▲                     ▼      writers are paused
//         Stopped ◄─────────┤ │              │  mismatch,       ReadFencing
//                           │ │              └─ cancel ────────────┤
//                           │ └──── Aborting ◄── cancel            ▼
//                           ▼        (before the fence, or after   Deciding    the one compare-and-set
//    Cancelled ◄─┐   Staging,         Unfencing)                   ▼
//    Failed    ◄─┤   Discarding                                 Activating  the target serves
//    Mismatch  ◄─┤      ▼                                          ▼
//                │   Releasing (refused: Claiming)              Redirecting ► Cleaning ► Closing ► Done
//                │      ▼
//                └── Closing                     feed lost: Claiming, and the staging is emptied
//
// With a reverse window, Arming stands before Fencing, and the claim is turned round when the
// source redirects. From there on "source" is the store that was the target, which serves, and
// "target" is the one that was the source, which is staged and filled with what the other takes:
//
//    Redirecting ► Turning ► Staging ─┬─────────────► Reversible ── reverse() ► Approaching ► Fencing ► …
//                               ▲     │                 ▲  │                        Deciding ► … ► Done
//       Claiming ► Unfencing ───┘     └► Preparing      │  └ its time is over             (reversed)
//        (resumed, or an attempt         CatchingUp     │       ▼
//         was given up)                  Verifying ─────┘    Aborting ► Unfencing ► Staging ► Discarding
//                                                               ► Releasing ► Closing ► Done
//
// A source that never comes back is given up by whoever says so: Aborting and Unfencing, which are
// the serving store's, and Closing; what is only staged is asked for nothing.
//
// What cannot be looked at key by key any more, because too much changed or a store was away, is
// compared anew: Reversible and Approaching go to CatchingUp again.
//
// So the end of a window is what a cancel is the other way: the store that serves goes on, at a
// higher epoch, and what is staged goes.
//
// The target is looked at before it is staged: what stands there before is nobody's to discard.
// Before Deciding the source owns the range, whatever dies; after it the target does. Which of
// the two it is stands in the register, not here: a resumed one asks it first (Claiming).
#pragma once

#include <array>

#include "keyhaul/migration.h"
#include "migrate/part.h"

namespace keyhaul {

// How a state is left when the migration has to end.
enum class LiveStage : uint8_t {
  kIdle,       // not begun, or ended
  kBefore,     // nothing is fenced: stop where it stands
  kFenced,     // writers wait: the attempt is given up first
  kCommitted,  // the target owns the range, or may: nothing stops it from being served
  kUndoing,    // the source owns the range and gets it back
};

struct LiveRow {
  Part part = Part::kNone;
  LiveStage stage = LiveStage::kIdle;
  bool awaitsRecord = false;  // its first action waits until the journal has it
  uint32_t next = 0;          // where it may go
};

static_assert(static_cast<uint32_t>(MigrationState::kReversible) < 32, "a state is a bit of LiveRow::next");
inline constexpr uint32_t liveBit(MigrationState state) {
  return 1U << static_cast<uint32_t>(state);
}

consteval LiveRow makeLiveRow(MigrationState state) {
  using enum MigrationState;
  constexpr uint32_t kEnds = liveBit(kStopped);
  constexpr uint32_t kUndone = liveBit(kAborting) | liveBit(kStopped);
  // A feed that was lost: what was copied cannot be brought up to date any more.
  constexpr uint32_t kAgain = liveBit(kClaiming) | kUndone;
  constexpr uint32_t kLetGo = liveBit(kPostponing) | kUndone;
  switch (state) {
    case kPending: return {Part::kNone, LiveStage::kIdle, false, liveBit(kClaiming)};
    // A resumed one goes where the register says that it stands.
    case kClaiming:
      return {Part::kRegister, LiveStage::kBefore, true,
              liveBit(kPreparing) | liveBit(kUnfencing) | liveBit(kActivating) | liveBit(kDone) |
                  liveBit(kFailed) | liveBit(kCancelled) | liveBit(kMismatch) | kUndone};
    case kStaging:
      return {Part::kGate, LiveStage::kBefore, true,
              liveBit(kStaging) | liveBit(kPreparing) | liveBit(kCopying) | liveBit(kCatchingUp) |
                  liveBit(kDiscarding) | liveBit(kReleasing) | liveBit(kReversible) |
                  liveBit(kApproaching) | liveBit(kClosing) | kAgain};
    case kPreparing:
      return {Part::kPrepare, LiveStage::kBefore, false,
              liveBit(kStaging) | liveBit(kCopying) | liveBit(kCatchingUp) | kAgain};
    case kCopying:
      return {Part::kCopy, LiveStage::kBefore, true, liveBit(kCatchingUp) | kUndone};
    case kCatchingUp:
      return {Part::kFeed, LiveStage::kBefore, true,
              liveBit(kVerifying) | liveBit(kApproaching) | liveBit(kReversible) | kAgain};
    case kVerifying:
      return {Part::kCompare, LiveStage::kBefore, false,
              liveBit(kApproaching) | liveBit(kReversible) | kUndone};
    case kApproaching:
      return {Part::kApproach, LiveStage::kBefore, false,
              liveBit(kFencing) | liveBit(kArming) | liveBit(kCatchingUp) | kAgain};
    case kArming: return {Part::kPrepare, LiveStage::kBefore, false, liveBit(kFencing) | kAgain};
    case kFencing:
      return {Part::kGate, LiveStage::kFenced, true, liveBit(kDraining) | kLetGo};
    case kDraining:
      return {Part::kApproach, LiveStage::kFenced, false,
              liveBit(kReadFencing) | liveBit(kDeciding) | kLetGo};
    case kReadFencing:
      return {Part::kGate, LiveStage::kFenced, false, liveBit(kDeciding) | kLetGo};
    case kDeciding:
      return {Part::kRegister, LiveStage::kCommitted, false, liveBit(kActivating) | kEnds};
    case kActivating:
      return {Part::kGate, LiveStage::kCommitted, false, liveBit(kRedirecting) | kEnds};
    case kRedirecting:
      return {Part::kGate, LiveStage::kCommitted, false,
              liveBit(kCleaning) | liveBit(kTurning) | kEnds};
    // The target serves; only the way back is not open yet.
    case kTurning: return {Part::kRegister, LiveStage::kCommitted, true, liveBit(kStaging) | kEnds};
    case kReversible:
      return {Part::kApproach, LiveStage::kBefore, false, liveBit(kApproaching) | liveBit(kCatchingUp) | kUndone};
    case kCleaning:
      return {Part::kDiscard, LiveStage::kCommitted, true, liveBit(kClosing) | kEnds};
    case kClosing:
      return {Part::kRegister, LiveStage::kCommitted, true,
              liveBit(kDone) | liveBit(kCancelled) | liveBit(kFailed) | liveBit(kMismatch) | kEnds};
    case kPostponing: return {Part::kRegister, LiveStage::kUndoing, false, liveBit(kUnfencing) | kEnds};
    case kAborting:
      return {Part::kRegister, LiveStage::kUndoing, true,
              liveBit(kUnfencing) | liveBit(kFailed) | liveBit(kCancelled) | kEnds};
    case kUnfencing:
      return {Part::kGate, LiveStage::kUndoing, false,
              liveBit(kStaging) | liveBit(kPreparing) | liveBit(kClosing) | kUndone};
    case kDiscarding:
      return {Part::kDiscard, LiveStage::kUndoing, true,
              liveBit(kReleasing) | liveBit(kPreparing) | liveBit(kClosing) | kUndone};
    case kReleasing:
      return {Part::kGate, LiveStage::kUndoing, false,
              liveBit(kClaiming) | liveBit(kClosing) | kEnds};
    case kStopped:
    case kDone:
    case kMismatch:
    case kCancelled:
    case kFailed:
    case kRepairing:
    case kDeleting: break;
  }
  return {};
}

// A table and no switch at run time, which would be a kilobyte of the module.
inline constexpr auto kLiveRows = []() consteval {
  std::array<LiveRow, kMigrationStates> rows;
  for (uint32_t i = 0; i < kMigrationStates; ++i) rows[i] = makeLiveRow(static_cast<MigrationState>(i));
  return rows;
}();

constexpr const LiveRow& liveRow(MigrationState state) { return kLiveRows[static_cast<size_t>(state)]; }

}  // namespace keyhaul
