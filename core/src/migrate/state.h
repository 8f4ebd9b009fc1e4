// The states of one migration.
//
//            start
//              │
//          ┌───▼───┐ slot ┌───────────┐     ┌─────────┐ feed ┌────────────┐
//          │Pending├──────►Preparing  ├─────►Copying  ├──────►CatchingUp  │
//          └───────┘      └─────┬─────┘     └────┬────┘      └──┬──────▲──┘
//                               │ verify only    │ no feed      │      │ changed
//                               │           ┌────▼──────────────▼──┐   │ meanwhile
//                               └───────────►      Verifying       ├───┘
//                                           └─┬──────▲──┬──────┬───┘
//                                      differs│      │  │equal │differs, no repair
//                                        ┌────▼──────┴┐ │   ┌──▼─────┐
//                                        │ Repairing  │ │   │Mismatch│
//                                        └────────────┘ │   └────────┘
//                                             move ┌────▼───┐   ┌────┐
//                                                  │Deleting├───► Done
//                                                  └────────┘   └────┘
//   any of them ── error, stop() ──► Stopped ── resume ──► where it was
//   any before Deleting ── cancel() ──► Discarding ──► Cancelled
//   any before Copying ── the request is wrong ──► Failed
#pragma once

#include "keyhaul/migration.h"

namespace keyhaul {

inline constexpr uint16_t bitOf(MigrationState state) {
  return static_cast<uint16_t>(1U << static_cast<uint32_t>(state));
}

// Row: from; bits: where it may go.
// The live states have a table of their own.
inline constexpr uint16_t kMayChange[static_cast<uint32_t>(MigrationState::kFailed) + 1] = {
    0,
    /* Pending */ bitOf(MigrationState::kPreparing) | bitOf(MigrationState::kCancelled) |
        bitOf(MigrationState::kStopped) | bitOf(MigrationState::kDiscarding),
    // A resumed one prepares again and then goes on where it was.
    /* Preparing */ bitOf(MigrationState::kCopying) | bitOf(MigrationState::kVerifying) |
        bitOf(MigrationState::kCatchingUp) | bitOf(MigrationState::kDeleting) |
        bitOf(MigrationState::kDiscarding) | bitOf(MigrationState::kStopped) |
        bitOf(MigrationState::kCancelled) | bitOf(MigrationState::kFailed) |
        bitOf(MigrationState::kDone),
    /* Copying */ bitOf(MigrationState::kCopying) | bitOf(MigrationState::kCatchingUp) |
        bitOf(MigrationState::kVerifying) | bitOf(MigrationState::kDone) |
        bitOf(MigrationState::kStopped) | bitOf(MigrationState::kDiscarding) |
        bitOf(MigrationState::kCancelled),
    /* CatchingUp */ bitOf(MigrationState::kCatchingUp) | bitOf(MigrationState::kVerifying) |
        bitOf(MigrationState::kDone) | bitOf(MigrationState::kMismatch) |
        bitOf(MigrationState::kStopped) | bitOf(MigrationState::kDiscarding) |
        bitOf(MigrationState::kCancelled),
    /* Verifying */ bitOf(MigrationState::kVerifying) | bitOf(MigrationState::kCatchingUp) |
        bitOf(MigrationState::kRepairing) | bitOf(MigrationState::kDeleting) |
        bitOf(MigrationState::kDone) | bitOf(MigrationState::kMismatch) |
        bitOf(MigrationState::kStopped) | bitOf(MigrationState::kDiscarding) |
        bitOf(MigrationState::kCancelled),
    /* Repairing */ bitOf(MigrationState::kVerifying) | bitOf(MigrationState::kStopped) |
        bitOf(MigrationState::kDiscarding) | bitOf(MigrationState::kCancelled),
    /* Deleting */ bitOf(MigrationState::kDeleting) | bitOf(MigrationState::kDone) |
        bitOf(MigrationState::kStopped),
    /* Discarding */ bitOf(MigrationState::kDiscarding) | bitOf(MigrationState::kCancelled) |
        bitOf(MigrationState::kStopped),
    /* Stopped */ 0,
    /* Done */ 0,
    /* Mismatch */ 0,
    /* Cancelled */ 0,
    /* Failed */ 0,
};

inline constexpr bool mayChange(MigrationState from, MigrationState to) {
  if (from > MigrationState::kFailed || to > MigrationState::kFailed) return false;
  return (kMayChange[static_cast<uint32_t>(from)] & bitOf(to)) != 0;
}

}  // namespace keyhaul
