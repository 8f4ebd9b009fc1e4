#include "keyhaul/migration.h"

namespace keyhaul {

bool isFinal(MigrationState state) {
  switch (state) {
    case MigrationState::kDone:
    case MigrationState::kMismatch:
    case MigrationState::kCancelled:
    case MigrationState::kFailed: return true;
    case MigrationState::kPending:
    case MigrationState::kPreparing:
    case MigrationState::kCopying:
    case MigrationState::kCatchingUp:
    case MigrationState::kVerifying:
    case MigrationState::kRepairing:
    case MigrationState::kDeleting:
    case MigrationState::kDiscarding:
    case MigrationState::kStopped:
    case MigrationState::kClaiming:
    case MigrationState::kStaging:
    case MigrationState::kApproaching:
    case MigrationState::kFencing:
    case MigrationState::kDraining:
    case MigrationState::kReadFencing:
    case MigrationState::kDeciding:
    case MigrationState::kActivating:
    case MigrationState::kRedirecting:
    case MigrationState::kCleaning:
    case MigrationState::kClosing:
    case MigrationState::kPostponing:
    case MigrationState::kAborting:
    case MigrationState::kUnfencing:
    case MigrationState::kReleasing:
    case MigrationState::kArming:
    case MigrationState::kTurning:
    case MigrationState::kReversible: break;
  }
  return false;
}

std::string_view stateName(MigrationState state) {
  switch (state) {
    case MigrationState::kPending: return "pending";
    case MigrationState::kPreparing: return "preparing";
    case MigrationState::kCopying: return "copying";
    case MigrationState::kCatchingUp: return "catchingUp";
    case MigrationState::kVerifying: return "verifying";
    case MigrationState::kRepairing: return "repairing";
    case MigrationState::kDeleting: return "deleting";
    case MigrationState::kDiscarding: return "discarding";
    case MigrationState::kStopped: return "stopped";
    case MigrationState::kDone: return "done";
    case MigrationState::kMismatch: return "mismatch";
    case MigrationState::kCancelled: return "cancelled";
    case MigrationState::kFailed: return "failed";
    case MigrationState::kClaiming: return "claiming";
    case MigrationState::kStaging: return "staging";
    case MigrationState::kApproaching: return "approaching";
    case MigrationState::kFencing: return "fencing";
    case MigrationState::kDraining: return "draining";
    case MigrationState::kReadFencing: return "readFencing";
    case MigrationState::kDeciding: return "deciding";
    case MigrationState::kActivating: return "activating";
    case MigrationState::kRedirecting: return "redirecting";
    case MigrationState::kCleaning: return "cleaning";
    case MigrationState::kClosing: return "closing";
    case MigrationState::kPostponing: return "postponing";
    case MigrationState::kAborting: return "aborting";
    case MigrationState::kUnfencing: return "unfencing";
    case MigrationState::kReleasing: return "releasing";
    case MigrationState::kArming: return "arming";
    case MigrationState::kTurning: return "turning";
    case MigrationState::kReversible: return "reversible";
  }
  return "unknown";
}

std::string_view modeName(MigrationMode mode) {
  switch (mode) {
    case MigrationMode::kCopy: return "copy";
    case MigrationMode::kMove: return "move";
    case MigrationMode::kVerify: return "verify";
    case MigrationMode::kLive: return "live";
  }
  return "unknown";
}

std::string_view differenceName(DifferenceKind kind) {
  switch (kind) {
    case DifferenceKind::kMissing: return "missing";
    case DifferenceKind::kExtra: return "extra";
    case DifferenceKind::kChanged: return "changed";
  }
  return "unknown";
}

}  // namespace keyhaul
