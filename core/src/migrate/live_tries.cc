// What a live migration tries so that it converges, and when it gives an attempt to cut over up.
#include <algorithm>

#include "migrate/live_migration.h"

namespace keyhaul {
namespace {

// Attempts to cut over that may be given up for lasting too long; then the migration is.
constexpr uint64_t kPostponesMax = 5;
// Above others of the same kind, not above those that somebody put first.
constexpr uint32_t kPriorityRaise = 32;
constexpr Duration kPostponeFor = seconds(300);

}  // namespace

bool LiveMigration::overBudget(Port& port) const {
  if (liveRow(state_).stage != LiveStage::kFenced || fencedAt_.us == 0) return false;
  const Instant over = fencedAt_ + milliseconds(spec().pauseBudgetMs);
  port.wakeAt(over);
  return over <= port.now();
}

void LiveMigration::giveUpAttempt(Port& port) {
  ++shared_.totals.postponed;
  shared_.totals.pauseUs = (port.now() - fencedAt_).us;
  stopPartsButWrites(port);
  if (shared_.totals.postponed - postponedBefore_ < kPostponesMax) return enter(port, MigrationState::kPostponing);
  if (shared_.turned) return giveUpReverse(port, ErrorCode::kPauseBudget);
  // Why it is given up is in the journal before the register has it; the writers do not wait.
  splitAt_ = splitKey();
  error_ = ErrorCode::kPauseBudget;
  if (const std::string why = whyNoSplit(); !why.empty()) errorText_ = "writers would have been paused for longer than the budget" + why;
  undoneAs_ = MigrationState::kFailed;
  aborting_ = true;
  enter(port, MigrationState::kPostponing);
}

// Each rung gets as long as it took to see that the one before does not do. Following goes on
// meanwhile; postponed means that nothing is tried but to wait for a quieter time.
bool LiveMigration::climb(Port& port) {
  // Who is only kept for a way back may lag: nobody who writes is held back for that.
  if (shared_.turned && !goesBack()) {
    port.noticeWarning(ErrorCode::kNotConverging, shared_.source);
    feed_.lookAgain();
    return true;
  }
  const uint64_t applied = feed_.trend().appliedPerSecond();
  if (!isAhead()) priority_ = static_cast<uint8_t>(std::min<uint32_t>(priority_ + kPriorityRaise, UINT8_MAX));
  switch (rung_) {
    case Rung::kNone:
      rung_ = Rung::kPriority;
      break;
    case Rung::kPriority:
      rung_ = Rung::kThrottle;
      throttled_ = true;
      // Less than what it takes up, or it never comes closer.
      port.noticeThrottle(shared_.source, std::max<uint64_t>(applied - applied / 5, 1));
      break;
    case Rung::kThrottle:
      if (canSplit()) return false;  // that helps sooner than patience
      rung_ = Rung::kPostpone;
      quietUntil_ = port.now() + kPostponeFor;
      break;
    case Rung::kPostpone:
      if (quietUntil_ <= port.now() || canSplit()) return false;
      break;
  }
  port.noticeWarning(ErrorCode::kNotConverging, shared_.source);
  feed_.lookAgain();
  approach_.lookAgain();
  return true;
}

// Not where the calls of a pause are too long by themselves, nor where one key is all that changes.
Key LiveMigration::splitKey() const {
  return maySplit() && approach_.mayShorten() ? shared_.sample.middle(spec().ranges) : Key();
}

// A sentence that goes on; empty where there is nothing to say of it.
std::string LiveMigration::whyNoSplit() const {
  if (!maySplit() || !splitAt_.empty()) return {};
  if (!approach_.mayShorten()) return "; the calls of a pause are too long by themselves, so a split does not help";
  return shared_.sample.size() == 0 ? "; no changes were seen, so nothing says where to split it"
                                    : "; all changes that were seen are on one key, so it cannot be split";
}

// What a pause takes besides the last round: a fence, one of reads where there is one, a decision (an
// answer that was read a moment ago is tried first) and an activation; and a record, where one is awaited.
uint32_t LiveMigration::pauseCalls() const {
  const bool readFence = servingCapabilities().has(Capability::kReadFence);
  // And writes that are awaited by the fence, for as long as a call takes.
  return 4 + (readFence ? 1 : 0) + (shared_.namesPosition() ? 1 : 0);
}

void LiveMigration::releaseWriters(Port& port) {
  stepBack();
  if (std::exchange(throttled_, false)) port.noticeThrottle(shared_.source, 0);
}

}  // namespace keyhaul
