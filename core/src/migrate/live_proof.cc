// What a live migration has verified, and at level 5: at which position, and whether that is what
// was decided on. An attempt to cut over has an epoch of its own, whoever makes it, so a decision
// says which proof is its.
#include "migrate/live_migration.h"

namespace keyhaul {

// For the receipt of whoever goes on from here, who asks the register which attempt was decided on.
void LiveMigration::recordVerified() {
  VerifiedRecord record = proof();
  record.round = shared_.totals.verifyRounds;
  record.missing = shared_.totals.missing;
  record.extra = shared_.totals.extra;
  record.changed = shared_.totals.changed;
  shared_.journal.add(record);
}

// Both sides stand still. What was read says what they hold, and the feed up to where.
void LiveMigration::namePosition() {
  const bool known = shared_.buckets.known() && shared_.buckets.staleCount() == 0;
  if (!known || positionNamed_ || !approach_.different().empty()) return;
  takeDigests(shared_.buckets.source(), shared_.buckets.target());
  if (sourceDigest_ != targetDigest_) return;
  verifiedPosition_ = feed_.position();
  verifiedEpoch_ = shared_.claim.fenceEpoch();
  verified_ = positionNamed_ = true;
  recordVerified();
}

// The receipt has them as the plan names the stores.
void LiveMigration::takeDigests(const Digest& serving, const Digest& filled) {
  sourceDigest_ = shared_.turned ? filled : serving;
  targetDigest_ = shared_.turned ? serving : filled;
  shared_.totals.verifiedEntries = targetDigest_.entries;
  shared_.totals.verifiedBytes = targetDigest_.bytes;
}

VerifiedRecord LiveMigration::proof() const {
  VerifiedRecord record;
  record.equal = verified_;
  record.source = sourceDigest_;
  record.target = targetDigest_;
  if (!verified_) return record;
  record.position = verifiedPosition_;
  record.epoch = verifiedEpoch_;
  return record;
}

void LiveMigration::takeProof(const VerifiedRecord& record) {
  verified_ = record.equal;
  sourceDigest_ = record.source;
  targetDigest_ = record.target;
  verifiedPosition_ = record.position;
  verifiedEpoch_ = record.epoch;
}

// Below L5 no record is awaited behind the fence, so what was compared is recorded before it: what is
// found to differ after that keeps the attempt from being decided on.
void LiveMigration::vouch() {
  if (!compared_ || shared_.namesPosition()) return;
  verified_ = true;
  verifiedEpoch_ = shared_.claim.fenceEpoch();
  recordVerified();
}

// Is what was proven what the state that comes next takes for granted? A record of an attempt
// that was given up is none; nor is one's own where another coordinator has decided.
void LiveMigration::checkProof(MigrationState next) {
  using enum MigrationState;
  const bool gaveUp = next == kFencing || next == kPostponing || next == kUnfencing || next == kAborting;
  if (gaveUp) verified_ = proofDecided_ = false;
  if (next == kFencing) vouch();
  if (next != kActivating) return;
  // A record of before it had an epoch is of what was decided, where the decision stands behind it.
  const bool ours = verifiedEpoch_ == shared_.claim.fenceEpoch() || (verifiedEpoch_ == 0 && proofDecided_);
  proofDecided_ = verified_ && ours;
  if (proofDecided_) return;
  verified_ = false;
  // What an attempt was vouched for that was given up stands in the journal still.
  if (spec().verify != VerifyDepth::kNone) recordVerified();
}

// The claim is gone; who owns the ranges, and at which epoch, is all that is left of it.
void LiveMigration::checkProofOfGone() {
  if (proofDecided_) return;
  const std::string& owner = reversed_ ? spec().source : spec().target;
  verified_ = verified_ && register_.ownedAt(owner, verifiedEpoch_);
}

Receipt LiveMigration::receipt() const {
  Receipt receipt = JobBase::receipt();
  receipt.reversed = reversed_;
  receipt.windowError = windowError_;
  receipt.sourceGivenUp = sourceGivenUp_;
  receipt.staleReadsUs = staleReadsUs();
  if (state_ == MigrationState::kFailed || concluding_ == MigrationState::kFailed) receipt.splitAt = splitAt_;
  // Of attempts to go back nothing stays, unless it went back.
  if (shared_.turned && !reversed_) {
    receipt.verified = cutover_.equal;
    receipt.source = cutover_.source;
    receipt.target = cutover_.target;
    receipt.position = cutover_.position;
    receipt.epoch = cutover_.epoch;
  }
  if (!shared_.namesPosition()) {
    receipt.epoch = 0;  // of a position
    return receipt;
  }
  // It is in the journal of another coordinator, if it was decided by one.
  if (receipt.position.empty()) receipt.level = GuaranteeLevel::kL4;
  return receipt;
}

}  // namespace keyhaul
