// What a round of verification leads to: the end, another look at the feed, a repair, or the
// admission that the writers are too fast.
#include <algorithm>
#include <utility>

#include "migrate/migration.h"

namespace keyhaul {
namespace {

constexpr char kOvertaken[] = "each comparison was overtaken; pause the writers or slow them, then resume";

}  // namespace

void Migration::afterVerify(Port& port) {
  if (!comparing_) {
    if (leafCheck_.suspects().empty()) {
      sourceDigest_ = leafCheck_.source();
      targetDigest_ = leafCheck_.target();
      return endRound(port, true);
    }
    // Only the parts whose digests disagree are read on both sides.
    comparing_ = true;
    namingSuspects_ = true;
    return compare_.start(ComparePhase::Purpose::kName, leafCheck_.suspects(), ignoresExtra());
  }
  const ComparePhase::Found& found = compare_.found();
  Totals& totals = shared_.totals;
  if (shared_.merges || totals.differences() == 0) {
    totals.missing = found.missing;
    totals.extra = found.extra;
    totals.changed = found.changed;
  }
  if (std::exchange(namingSuspects_, false)) {
    forceCompare_ = true;
    sourceDigest_ = leafCheck_.source();
    targetDigest_ = leafCheck_.target();
    // The digests disagreed but the entries agree now: somebody wrote meanwhile,
    // so only a whole look at both sides settles it.
    if (found.differences() == 0 && rounds_ < port.config().verifyRoundsMax) {
      return enter(port, MigrationState::kVerifying);
    }
    return endRound(port, false);
  }
  const bool stands = compare_.source().lo == sourceDigest_.lo && compare_.target().lo == targetDigest_.lo;
  sourceDigest_ = compare_.source();
  targetDigest_ = compare_.target();
  if (shared_.merges && !naming_) return afterMerge(port, stands);
  endRound(port, found.differences() == 0);
}

// With versions a round offers the target whatever differs. One of which it took nothing has shown that each
// key is equal on both sides or newer on the target: whoever writes meanwhile, at either, is dealt
// with by the next. What would differ for ever is only named: a key that the source has not, and one
// version with two values. `stands`: since the round before nothing has changed at either side.
void Migration::afterMerge(Port& port, bool stands) {
  Totals& totals = shared_.totals;
  const uint64_t took = compare_.found().written;
  totals.repairs += took;
  if (took == 0 && totals.extra == 0) {
    totals.changed += std::exchange(totals.missing, 0);  // written there since it was missed
    return endRound(port, true);
  }
  naming_ = took == 0 || stands;
  if (!naming_ && rounds_ >= port.config().verifyRoundsMax) {
    return fail(port, ErrorCode::kNotConverging, shared_.source, kOvertaken);
  }
  enter(port, usesFeed() && !naming_ ? MigrationState::kCatchingUp : MigrationState::kVerifying);
}

void Migration::endRound(Port& port, bool equal) {
  verified_ = equal;
  Totals& totals = shared_.totals;
  // What the feed has explained was no difference.
  if (equal && usesFeed() && !shared_.merges && totals.repairs == 0) totals.missing = totals.extra = totals.changed = 0;
  totals.verifiedEntries = targetDigest_.entries;
  totals.verifiedBytes = targetDigest_.bytes;
  VerifiedRecord record;
  record.round = totals.verifyRounds;
  record.equal = equal;
  record.source = sourceDigest_;
  record.target = targetDigest_;
  record.missing = totals.missing;
  record.extra = totals.extra;
  record.changed = totals.changed;
  record.repairs = totals.repairs;
  shared_.journal.add(record);
  if (!equal) return nextAfterMismatch(port);
  if (spec().mode == MigrationMode::kMove) return enter(port, MigrationState::kDeleting);
  conclude(port, MigrationState::kDone);
}

void Migration::nextAfterMismatch(Port& port) {
  const uint64_t changes = shared_.totals.feedChanges;
  if (rounds_ == 1) {
    unequalSince_ = port.now();
    unequalChanges_ = changes;
  }
  // Writers may have been faster than the comparison: what they wrote is in the
  // feed. Look there first; only when nothing came is the difference real.
  if (usesFeed() && !shared_.merges && (rounds_ == 1 || changes != changesBefore_)) {
    changesBefore_ = changes;
    sortNumbers(shared_.differing);
    return enter(port, MigrationState::kCatchingUp);
  }
  if (rounds_ < port.config().verifyRoundsMax && spec().repair && !shared_.merges) {
    return enter(port, MigrationState::kRepairing);
  }
  error_ = ErrorCode::kVerifyMismatch;
  conclude(port, MigrationState::kMismatch);
}

// The last comparison found differences, and the feed was looked at once more since. What
// nobody wrote meanwhile differs; else the writers were too fast for every round.
void Migration::afterLastRound(Port& port) {
  if (!shared_.differing.empty() && !shared_.differingOverflow) {
    error_ = ErrorCode::kVerifyMismatch;
    return conclude(port, MigrationState::kMismatch);
  }
  const Totals& totals = shared_.totals;
  fail(port, ErrorCode::kNotConverging, shared_.source,
       LagTrend::ratesText(totals.feedChanges - unequalChanges_, totals.feedChanges,
                           (port.now() - unequalSince_).us, totals.catchUpUs) +
           "; " + kOvertaken);
}

}  // namespace keyhaul
