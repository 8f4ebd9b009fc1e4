// A source that never comes back: it is given up where somebody says so, and never by itself. From
// then on it is asked for nothing. Its gate cannot serve what was staged there: only an activation
// opens it, and the register has decided that there is none.
#include "migrate/live_migration.h"

namespace keyhaul {

// Before the register was asked, what the journal says has to do.
Status LiveMigration::requestGiveUp() {
  if (isFinal(state_) || concluding_ != MigrationState::kPending) return ErrorCode::kAlreadyComplete;
  const bool asked = state_ != MigrationState::kPending && state_ != MigrationState::kClaiming;
  if (!shared_.turned || fenced() || (asked && shared_.claim.state == ClaimState::kDecided)) {
    return ErrorCode::kUnsupported;
  }
  giveUpAsked_ = true;
  reverseAsked_ = false;
  return {};
}

// The other store serves, and the register can be asked; what the source did is no reason to wait.
bool LiveMigration::mayGiveUp() const {
  using enum MigrationState;
  if (!giveUpAsked_ || !shared_.turned || shared_.claim.id != spec().claim) return false;
  const bool ends = error_ == ErrorCode::kJournalWriteFailed || error_ == ErrorCode::kSuperseded ||
                    error_ == ErrorCode::kRegisterCorrupt;
  if (ending_ == Ending::kFail && ends) return false;
  if (shared_.claim.state == ClaimState::kAborted) {
    return state_ == kStaging || state_ == kDiscarding || state_ == kReleasing;
  }
  return shared_.claim.state == ClaimState::kClaimed && state_ != kClaiming && beforeFence();
}

// No write is awaited: what arrives there late is as little served as what stands there already.
void LiveMigration::giveUpSource(Port& port) {
  giveUpAsked_ = inspecting_ = false;
  sourceGivenUp_ = windowOver_ = true;
  if (ending_ == Ending::kFail) ending_ = Ending::kNone;
  error_ = ErrorCode::kOk;
  errorText_.clear();
  stopParts(port);
  releaseWriters(port);
  if (shared_.claim.state == ClaimState::kClaimed) {
    windowError_ = ErrorCode::kSourceGivenUp;
    return enter(port, MigrationState::kAborting);
  }
  shared_.journal.add(StoppedRecord{ErrorCode::kSourceGivenUp, {}});
  enter(port, MigrationState::kClosing);
}

}  // namespace keyhaul
