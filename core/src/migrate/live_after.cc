// Where a live migration goes from a state whose part has ended: what the register and the
// target say decides it, not what this process remembers.
#include <algorithm>
#include <utility>

#include "migrate/live_migration.h"

namespace keyhaul {

// The journal says that the target has something of it, or all: a gate that does not know is of a store that came back
// without its disk. Verification would find that, if there is one.
bool LiveMigration::isFilled() const {
  if (restarting_ || shared_.claim.state != ClaimState::kClaimed) return false;
  return shared_.turned || std::any_of(shared_.ranges.begin(), shared_.ranges.end(), [](const auto& range) {
           return range.copied || !range.leaves.empty();
         });
}

Status LiveMigration::fence(Port& port) {
  inspecting_ = false;
  fencedAt_ = port.now();
  port.wakeAt(fencedAt_ + milliseconds(spec().pauseBudgetMs));  // nothing else may happen until it is over
  shared_.totals.pauseForecastUs = approach_.forecastUs();
  sourceGate_.start(shared_.source, GateVerb::kFence, shared_.claim.fenceEpoch(), false);
  return sourceGate_.pump(port);
}

void LiveMigration::afterClaiming(Port& port) {
  staged_ = false;
  if (register_.gone()) {
    // Closed, by a process that died before it could say so or by another coordinator.
    const bool moved = shared_.turned || register_.ownedBy(spec().target);
    if (!moved && wasClaimed_) sayWhyUndone();
    if (moved || wasClaimed_) return conclude(port, outcomeGone());
    resumed_ = partStarted_ = false;  // or it never came to be
    return;
  }
  if (shared_.claim.source == spec().target) return afterTurnedClaim(port);
  const bool decided = shared_.claim.state == ClaimState::kDecided;
  if (decided && ending_ == Ending::kCancel) ending_ = Ending::kNone;  // too late
  // What was verified before holds for what was decided then, and for nothing else.
  if (!decided) verified_ = false;
  const bool fresh = !resumed_ && shared_.claim.coordEpoch == 1;
  // Somebody else had it meanwhile, with a journal of its own: what is staged is not known.
  const bool strange = !fresh && shared_.claim.coordEpoch != knownCoordEpoch_ + 1;
  knownCoordEpoch_ = shared_.claim.coordEpoch;
  wasClaimed_ = true;
  if (strange && shared_.claim.state == ClaimState::kClaimed) {
    forget();
    restarting_ = false;  // what is there, if anything is, the target knows
  }
  shared_.journal.add(ClaimedRecord{knownCoordEpoch_, !prepared_ && resumed_, restarting_});
  if (fresh) return enter(port, MigrationState::kPreparing);
  enter(port, decided ? MigrationState::kActivating : MigrationState::kUnfencing);
}

void LiveMigration::afterStaging(Port& port) {
  if (std::exchange(inspecting_, false)) {  // it is ours; now nobody else of ours may write it
    restarting_ = true;
    return enter(port, MigrationState::kStaging);
  }
  staged_ = true;
  if (shared_.turned && shared_.claim.state == ClaimState::kClaimed) return afterTurnedStaging(port);
  if (restarting_ || shared_.claim.state == ClaimState::kAborted) {
    feed_.record();  // true for as long as nothing is discarded, and never again
    return enter(port, MigrationState::kDiscarding);
  }
  if (!feedOpen_) return enter(port, MigrationState::kPreparing);
  enter(port, allCopied() ? MigrationState::kCatchingUp : MigrationState::kCopying);
}

void LiveMigration::afterPreparing(Port& port) {
  feedOpen_ = true;
  if (shared_.turned) return enter(port, MigrationState::kCatchingUp);
  // What an earlier coordinator has sent may land until the gate knows of this one, and so after
  // the target was looked at. From then on whatever stands there is this migration's.
  if (!prepared_ && !staged_ && shared_.claim.coordEpoch > 1) {
    feedPosition_ = prepare_.feedPosition();
    restarting_ = true;
    return enter(port, MigrationState::kStaging);
  }
  if (!prepared_) {
    prepared_ = true;
    feedOpenedAt_ = port.now();
    feedPosition_ = prepare_.feedPosition();
    estimatedEntries_ = prepare_.estimatedEntries();
    estimatedBytes_ = prepare_.estimatedBytes();
    shared_.journal.add(PreparedRecord{true, feedPosition_});
  }
  if (!staged_) return enter(port, MigrationState::kStaging);
  enter(port, allCopied() ? MigrationState::kCatchingUp : MigrationState::kCopying);
}

// The source serves again: what for was it fenced?
void LiveMigration::afterUnfencing(Port& port) {
  staged_ = inspecting_ = false;  // an attempt may have been given up before it was told that the target is as it was
  if (!feed_.position().empty()) feedPosition_ = feed_.position();
  if (shared_.claim.state == ClaimState::kAborted) {
    sayWhyUndone();
    if (sourceGivenUp_) return enter(port, MigrationState::kClosing);
    for (auto& range : shared_.ranges) {
      range.deleted = false;
      range.deletedUpto.clear();
    }
    inspecting_ = true;
    return enter(port, MigrationState::kStaging);
  }
  const Ending wanted = std::exchange(after_, Ending::kNone);
  const Ending asked = std::exchange(ending_, Ending::kNone);
  const Ending ending = asked != Ending::kNone ? asked : wanted;
  if (aborting_ || ending == Ending::kCancel) {
    if (!aborting_) undoneAs_ = MigrationState::kCancelled;
    sayWhyUndone();
    return enter(port, MigrationState::kAborting);
  }
  if (ending == Ending::kStop && error_ == ErrorCode::kOk) error_ = ErrorCode::kInterrupted;
  if (ending != Ending::kNone) return undo(port, MigrationState::kFailed);
  const bool staged = prepared_ || restarting_ || shared_.turned;
  enter(port, staged ? MigrationState::kStaging : MigrationState::kPreparing);
}

// An earlier process may have known it. A window that has ended was not undone.
void LiveMigration::sayWhyUndone() {
  if (error_ != ErrorCode::kOk || shared_.turned) return;
  error_ = undoneAs_ == MigrationState::kCancelled ? ErrorCode::kCancelled : undoneFor_;
}

// As the plan names the two stores: on the way back the one that serves is its target.
void LiveMigration::countDifference(Port& port, DifferenceKind kind, KeyView key) {
  Totals& totals = shared_.totals;
  if (shared_.turned && kind != DifferenceKind::kChanged) {
    kind = kind == DifferenceKind::kMissing ? DifferenceKind::kExtra : DifferenceKind::kMissing;
  }
  const uint64_t before = totals.differences();
  switch (kind) {
    case DifferenceKind::kMissing: ++totals.missing; break;
    case DifferenceKind::kExtra: ++totals.extra; break;
    case DifferenceKind::kChanged: ++totals.changed; break;
  }
  if (before < port.config().differencesMax) port.noticeDifference(kind, key);
}

// The two sides differ, and no write explains it.
void LiveMigration::endOfClaim(Port& port) {
  for (size_t i = 0; i < approach_.different().size(); ++i) {
    countDifference(port, approach_.kinds()[i], approach_.different()[i]);
  }
  verified_ = false;
  recordVerified();
  stopParts(port);
  // Which of the two is right nobody knows, so both are kept.
  if (shared_.turned) return giveUpReverse(port, ErrorCode::kVerifyMismatch);
  error_ = ErrorCode::kVerifyMismatch;
  undoneAs_ = MigrationState::kMismatch;
  aborting_ = true;  // once the writers go on
  enter(port, MigrationState::kPostponing);
}

}  // namespace keyhaul
