// Folds a journal's records into what a resume needs, and refuses a story that
// cannot have happened: such a file passed its checksums and still was not
// written by one migration.
#include <utility>

#include <algorithm>

#include "keyhaul/journal.h"
#include "migrate/live_state.h"
#include "migrate/state.h"
#include "range/split.h"

namespace keyhaul {
namespace {

class Fold {
 public:
  explicit Fold(JournalImage image) : image_(std::move(image)) {}

  // False when the record cannot follow those before it.
  bool take(const Record& record) {
    if (image_.receipt) return false;
    const bool early = !image_.prepared && !std::holds_alternative<PreparedRecord>(record);
    if (early && !live()) return false;
    return std::visit([this](const auto& r) { return fold(r); }, record);
  }
  JournalImage finish() && { return std::move(image_); }

 private:
  const Plan& plan() const { return image_.plan.plan(); }
  bool live() const { return plan().mode == MigrationMode::kLive; }

  // A live one begins with its claim, also when it is resumed.
  bool mayEnterLive(MigrationState next) const {
    using enum MigrationState;
    if (liveRow(next).part == Part::kNone || next == kPreparing) return false;
    if (next == kClaiming && (resumed_ || image_.state == kPending)) return true;
    if (next == kCopying && !image_.prepared) return false;
    // Preparing has no record.
    const bool prepares = (liveRow(image_.state).next & liveBit(kPreparing)) != 0;
    const uint32_t through = prepares ? liveRow(kPreparing).next : 0;
    return ((liveRow(image_.state).next | through) & liveBit(next)) != 0;
  }

  bool fold(const PlanRecord&) { return false; }
  bool fold(const PreparedRecord& record) {
    if (image_.prepared) return false;
    image_.prepared = true;
    image_.targetWasEmpty = record.targetWasEmpty;
    image_.feedPosition = record.feedPosition;
    image_.restarting = false;
    return true;
  }
  bool fold(const ResumedRecord& record) {
    // The next one must have a number too.
    if (record.incarnation <= image_.incarnation || record.incarnation == UINT32_MAX) return false;
    image_.incarnation = record.incarnation;
    image_.totals.incarnations = record.incarnation;
    image_.stopped.reset();
    if (!image_.aborting) image_.splitAt.clear();
    resumed_ = true;
    return true;
  }
  bool fold(const PhaseRecord& record) {
    if (live()) {
      if (!mayEnterLive(record.state)) return false;
      if (record.state == MigrationState::kDiscarding) {
        forgetDeletions();
        if (!image_.aborting) restart();
      }
      if (record.state == MigrationState::kVerifying) ++image_.totals.verifyRounds;
      if (record.state == MigrationState::kFencing) image_.decided = false;
      if (record.state == MigrationState::kActivating) image_.decided = true;
      // Only once the register has it does it go on from there.
      if (image_.state == MigrationState::kTurning && record.state == MigrationState::kStaging) turn();
      if (record.state == MigrationState::kReversible) image_.reversing = false;
      if (record.state == MigrationState::kApproaching) image_.reversing = image_.turned;
      if (record.state == MigrationState::kAborting) {
        image_.aborting = true;
        image_.abortedFor = image_.stopped ? image_.stopped->code : ErrorCode::kOk;
        image_.stopped.reset();
        noteGivenUp(image_.abortedFor);
      }
      if (record.state == MigrationState::kClosing && image_.stopped) {
        noteGivenUp(image_.stopped->code);
        image_.stopped.reset();
      }
      image_.state = record.state;
      resumed_ = false;
      return true;
    }
    if (isFinal(record.state) || record.state == MigrationState::kStopped ||
        record.state == MigrationState::kPending || record.state == MigrationState::kPreparing) {
      return false;
    }
    // A resumed one enters the state it was in once more, or discards; a cut
    // repair becomes a new verification.
    const bool first = image_.state == MigrationState::kPending;
    const bool mayBegin = record.state == MigrationState::kCopying ||
                          record.state == MigrationState::kVerifying ||
                          record.state == MigrationState::kDiscarding;
    const bool again = resumed_ && (record.state == image_.state ||
                                    record.state == MigrationState::kDiscarding);
    // A repair that was cut short is followed by catching up, where there is a feed.
    const bool mended = resumed_ && image_.state == MigrationState::kRepairing &&
                        record.state == MigrationState::kCatchingUp;
    if (first ? !mayBegin : !again && !mended && !mayChange(image_.state, record.state)) {
      return false;
    }
    if (!isPossible(record.state)) return false;
    resumed_ = false;
    if (record.state == MigrationState::kDiscarding &&
        image_.state != MigrationState::kDiscarding) {
      forgetDeletions();
    }
    if (record.state == MigrationState::kVerifying) ++image_.totals.verifyRounds;
    image_.state = record.state;
    return true;
  }
  bool fold(const CheckpointRecord& record) {
    if (image_.state != MigrationState::kCopying) return false;
    if (record.range >= image_.ranges.size()) return false;
    JournalImage::RangeProgress& range = image_.ranges[record.range];
    if (range.copied) return false;
    if (!record.end && !isNews(record.range, record.upto, range.leaves.lastUpto())) return false;
    range.copied = record.end;
    range.leaves.add(record.upto, record.leaf);
    image_.totals.copiedEntries += record.leaf.entries;
    image_.totals.copiedBytes += record.leaf.bytes;
    image_.totals.copiedPages += record.pages;
    return true;
  }
  bool fold(const FeedAppliedRecord& record) {
    (image_.turned ? image_.reversePosition : image_.appliedPosition) = record.position;
    image_.totals.feedChanges += record.changes;
    return true;
  }
  bool fold(const VerifiedRecord& record) {
    image_.verified = record;
    image_.decided = false;
    // What was equal is deleted at the source next, and the record that says so is in the same append. Where that one is cut off or
    // damaged, deletions may have followed it all the same: whoever compared again would take what is gone for what the target has too much.
    if (record.equal && plan().mode == MigrationMode::kMove) image_.state = MigrationState::kDeleting;
    image_.totals.missing = record.missing;
    image_.totals.extra = record.extra;
    image_.totals.changed = record.changed;
    image_.totals.repairs = record.repairs;
    image_.totals.verifiedEntries = record.target.entries;
    image_.totals.verifiedBytes = record.target.bytes;
    return true;
  }
  bool fold(const DeletedRecord& record) {
    const bool discarding = image_.state == MigrationState::kDiscarding;
    const bool deleting = image_.state == MigrationState::kDeleting ||
                          image_.state == MigrationState::kCleaning;
    if (!discarding && !deleting) return false;
    if (record.range >= image_.ranges.size()) return false;
    if (live() && discarding) {  // begins anew each time, and says nothing of the source
      (image_.turned ? image_.totals.deletedEntries : image_.totals.discardedEntries) += record.entries;
      return true;
    }
    JournalImage::RangeProgress& range = image_.ranges[record.range];
    if (range.deleted) return false;
    if (!record.end && !isNews(record.range, record.upto, range.deletedUpto)) return false;
    range.deleted = record.end;
    range.deletedUpto = record.upto;
    (discarding ? image_.totals.discardedEntries : image_.totals.deletedEntries) += record.entries;
    image_.totals.leftOnSource += record.left;
    return true;
  }
  bool fold(const StoppedRecord& record) {
    image_.stopped = record;
    return true;
  }
  bool fold(const ClaimedRecord& record) {
    if (!live() || record.coordEpoch < image_.coordEpoch) return false;
    image_.coordEpoch = record.coordEpoch;
    image_.claimed = true;
    if (record.forgotten && !record.turned) restart();
    if (record.forgotten && record.turned) image_.reversePosition = image_.armedPosition;
    image_.restarting = record.restarting;
    if (image_.turned && !record.turned) return false;
    if (record.turned) turn();
    return true;
  }
  bool fold(const ArmedRecord& record) {
    if (image_.state != MigrationState::kArming) return false;
    image_.armedPosition = image_.reversePosition = record.position;
    return true;
  }
  bool fold(const WindowRecord& record) {
    if (!live() || plan().reverseWindowMs == 0) return false;
    image_.windowEndsUnixMs = record.endsUnixMs;
    return true;
  }
  bool fold(const SplitRecord& record) {
    if (!live() || plan().splitMax < 2 || !splitsAt(plan().ranges, record.at)) return false;
    image_.splitAt = record.at;
    return true;
  }
  bool fold(const FinishedRecord& record) {
    image_.receipt = record.receipt;
    // A key that nothing was given up for is no reason to move anything.
    const bool given = record.receipt.state == MigrationState::kFailed && splitsFor(image_.abortedFor);
    if (given) image_.receipt->splitAt = image_.splitAt;
    image_.totals = record.receipt.totals;
    return true;
  }

  void noteGivenUp(ErrorCode why) {
    image_.sourceGivenUp = image_.sourceGivenUp || (image_.turned && why == ErrorCode::kSourceGivenUp);
  }

  // What was given up before is not what is given up from here on.
  void turn() {
    if (std::exchange(image_.turned, true)) return;
    if (std::exchange(image_.decided, false)) image_.cutover = image_.verified;
    image_.aborting = false;
    image_.abortedFor = ErrorCode::kOk;
  }

  void forgetDeletions() {
    for (auto& range : image_.ranges) {
      range.deleted = false;
      range.deletedUpto.clear();
    }
  }

  // The feed was lost, and with it what was copied is worth nothing.
  void restart() {
    image_.restarting = true;
    image_.prepared = false;
    image_.feedPosition.clear();
    image_.appliedPosition.clear();
    for (auto& range : image_.ranges) range = {};
  }

  // What a state takes for granted.
  bool isPossible(MigrationState state) const {
    if (state == MigrationState::kCopying || state == MigrationState::kDiscarding) {
      return plan().mode != MigrationMode::kVerify;
    }
    if (state == MigrationState::kCatchingUp && image_.plan.level() == GuaranteeLevel::kL0) {
      return false;
    }
    if (state == MigrationState::kDeleting &&
        (plan().mode != MigrationMode::kMove || !image_.verified || !image_.verified->equal)) {
      return false;
    }
    if (plan().mode == MigrationMode::kVerify) return true;
    return std::all_of(image_.ranges.begin(), image_.ranges.end(),
                       [](const auto& range) { return range.copied; });
  }

  // `upto` is exclusive: it lies behind the last one, above lo, and may be the end.
  bool isNews(uint32_t range, const Key& upto, KeyView last) const {
    const KeyRange& keys = plan().ranges[range];
    if (upto <= last || upto <= keys.lo) return false;
    return keys.hi.isInfinite() || upto <= keys.hi.key();
  }

  JournalImage image_;
  bool resumed_ = false;
};

Result<JournalImage> begin(const Record& first) {
  const auto* record = std::get_if<PlanRecord>(&first);
  if (record == nullptr) return ErrorCode::kJournalCorrupt;
  Result<ValidPlan> plan = validatePlan(record->plan);
  if (!plan.ok() || plan->level() != record->level) return ErrorCode::kJournalCorrupt;
  const size_t ranges = plan->plan().ranges.size();
  for (size_t i = 0; i < ranges; ++i) {
    if (!(plan->plan().ranges[i] == record->plan.ranges[i])) return ErrorCode::kJournalCorrupt;
  }
  JournalImage image(std::move(plan).value());
  image.ranges.resize(ranges);
  return image;
}

}  // namespace

Result<JournalImage> readJournal(std::span<const std::byte> bytes) {
  Result<JournalReader> reader = JournalReader::open(bytes);
  if (!reader.ok()) return reader.code();
  Record record;
  Result<bool> more = reader->next(record);
  // Nothing was promised yet: a journal without even its plan cannot be resumed.
  if (!more.ok()) return more.code();
  if (!more.value()) return ErrorCode::kJournalTorn;
  Result<JournalImage> image = begin(record);
  if (!image.ok()) return image.code();
  Fold fold(std::move(image).value());
  uint64_t records = 1;
  bool torn = false;
  for (;;) {
    more = reader->next(record);
    if (!more.ok() && more.code() != ErrorCode::kJournalTorn) return more.code();
    torn = !more.ok();
    if (torn || !more.value()) break;
    if (!fold.take(record)) return ErrorCode::kJournalCorrupt;
    ++records;
  }
  JournalImage folded = std::move(fold).finish();
  // The plan and the preparation are one append; without its end nothing was begun.
  const bool live = folded.plan.plan().mode == MigrationMode::kLive;
  if (!folded.prepared && !live) return ErrorCode::kJournalTorn;
  folded.records = records;
  folded.validBytes = reader->validBytes();
  folded.chain = reader->chain();
  folded.torn = torn;
  return folded;
}

}  // namespace keyhaul
