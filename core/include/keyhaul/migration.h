// Where a migration stands, and what it leaves behind when it has ended.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "keyhaul/digest.h"
#include "keyhaul/plan.h"
#include "keyhaul/time.h"

namespace keyhaul {

// The diagram and the table of legal changes are in core/src/migrate/state.h.
enum class MigrationState : uint8_t {
  kPending = 1,     // waits for a slot
  kPreparing = 2,   // opens the feed, looks whether the target is empty, estimates
  kCopying = 3,
  kCatchingUp = 4,  // replays the feed (L1)
  kVerifying = 5,   // reads back and compares
  kRepairing = 6,   // makes the target equal where it differs, then verifies again
  kDeleting = 7,    // move: takes the verified entries off the source
  kDiscarding = 8,  // cancelled: takes what was copied off the target
  kStopped = 9,     // needs a person; the journal resumes it
  kDone = 10,
  kMismatch = 11,   // ended: the sides differ and nobody asked for a repair
  kCancelled = 12,
  kFailed = 13,     // ended: cannot go on

  // kLive only.
  kClaiming = 14,      // writes its claim into the register, or takes it over
  kStaging = 15,       // the target hides the range and takes writes of this migration only
  kApproaching = 16,   // catches up and looks again at what changed, until a pause would be short
  kFencing = 17,       // writers are paused from here on
  kDraining = 18,      // the last changes, and a last look at what changed
  kReadFencing = 19,
  kDeciding = 20,      // the one compare-and-set that moves the ownership
  kActivating = 21,    // the target serves; the pause ends
  kRedirecting = 22,   // the source sends clients on
  kCleaning = 23,      // takes the entries off the source
  kClosing = 24,       // takes the claim out of the register
  kPostponing = 25,    // this attempt to cut over is given up in the register
  kAborting = 26,      // the migration is given up in the register
  kUnfencing = 27,     // the source serves again
  kReleasing = 28,     // the target forgets that it was prepared
  kArming = 29,        // opens the target's feed, for the way back
  kTurning = 30,       // turns its claim round in the register: the way back is open
  kReversible = 31,    // the target serves, the source is kept as it is, and reverse() goes back
};

inline constexpr uint32_t kMigrationStates = 32;

// For switches over all states: those that only a live migration enters.
#define KEYHAUL_LIVE_STATES                     \
  case ::keyhaul::MigrationState::kClaiming:    \
  case ::keyhaul::MigrationState::kStaging:     \
  case ::keyhaul::MigrationState::kApproaching: \
  case ::keyhaul::MigrationState::kFencing:     \
  case ::keyhaul::MigrationState::kDraining:    \
  case ::keyhaul::MigrationState::kReadFencing: \
  case ::keyhaul::MigrationState::kDeciding:    \
  case ::keyhaul::MigrationState::kActivating:  \
  case ::keyhaul::MigrationState::kRedirecting: \
  case ::keyhaul::MigrationState::kCleaning:    \
  case ::keyhaul::MigrationState::kClosing:     \
  case ::keyhaul::MigrationState::kPostponing:  \
  case ::keyhaul::MigrationState::kAborting:    \
  case ::keyhaul::MigrationState::kUnfencing:   \
  case ::keyhaul::MigrationState::kReleasing:   \
  case ::keyhaul::MigrationState::kArming:      \
  case ::keyhaul::MigrationState::kTurning:     \
  case ::keyhaul::MigrationState::kReversible

bool isFinal(MigrationState state);
std::string_view stateName(MigrationState state);  // "copying"

std::string_view modeName(MigrationMode mode);    // "copy"

enum class DifferenceKind : uint8_t { kMissing = 1, kExtra = 2, kChanged = 3 };
std::string_view differenceName(DifferenceKind kind);  // "missing"

// The totals of all incarnations of one migration. Byte counts are key + value.
struct Totals {
  uint64_t copiedEntries = 0, copiedBytes = 0, copiedPages = 0;
  uint64_t feedChanges = 0;
  uint64_t verifiedEntries = 0, verifiedBytes = 0;  // read back in the last round
  // Found by the first round that found any; 0 where the feed explained them.
  uint64_t missing = 0, extra = 0, changed = 0;
  uint64_t differences() const { return missing + extra + changed; }
  uint64_t repairs = 0;                             // writes made to mend differences
  uint64_t deletedEntries = 0;                      // taken off the source; reversed: the target
  uint64_t leftOnSource = 0;    // move: keys that had changed since verification
  uint64_t discardedEntries = 0;  // cancel: taken off the target
  uint64_t retries = 0;
  uint64_t staleCompletions = 0;  // reserved, 0: they are counted an engine, not a migration
  uint64_t copyUs = 0, catchUpUs = 0, verifyUs = 0, deleteUs = 0;  // but while it is paused or has made room
  uint64_t activeUs = 0;         // all states, time between incarnations not counted
  // kLive: the last attempt's pause of writers, as forecast before it and as it was; attempts
  // that were given up; keys looked at again because they changed after they were compared.
  uint64_t pauseForecastUs = 0, pauseUs = 0;
  uint64_t postponed = 0, rechecked = 0;  // L5: all keys of the buckets that were read again
  uint32_t incarnations = 1;     // 1 + resumes
  uint32_t verifyRounds = 0;
};

// Of Receipt::staleReadsUs: an earlier process, or another coordinator, saw a part of it.
inline constexpr uint64_t kStaleReadsUnknown = UINT64_MAX;

struct Receipt {
  MigrationState state = MigrationState::kPending;  // a final one
  MigrationMode mode = MigrationMode::kCopy;
  GuaranteeLevel level = GuaranteeLevel::kL0;  // L5 only where `position` is named
  bool verified = false;  // equal digests in a round after which nothing was written
  bool reversed = false;  // kLive: it went back, and the source owns the ranges again
  // kLive: why its reverse window ended before its time; kOk where it did not, or was closed.
  ErrorCode windowError = ErrorCode::kOk;
  // kLive: somebody gave the source up. Entries of the ranges may stand there still, and its gate
  // serves none of them: it sends clients on. A migration to it is refused until they are gone.
  bool sourceGivenUp = false;
  // kLive, where the store that gave the ranges up has no kReadFence: it may have answered reads
  // with what was older than the new owner's for no longer than this, from before the decision until
  // it sent readers on; there and back, the longer of both. 0: never. Not at level 2, where the
  // source sends nobody on.
  uint64_t staleReadsUs = 0;
  // kLive, kFailed: it did not converge, and what is below this key and what is from it on are to be moved
  // one after the other. Empty: not. The journal has it in a record of its own.
  std::string splitAt;
  // Of that round; zero when there was none. L5: equal, and of both sides at `position` of the feed
  // of the store that gave the ranges away, fenced at `epoch`; nothing was written from there on.
  Digest source, target;
  std::string position;  // opaque bytes of the store's; empty: none is named
  uint64_t epoch = 0;
  Totals totals;
};

}  // namespace keyhaul
