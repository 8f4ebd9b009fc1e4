// The journal: what one migration has durably done, as an append-only file of
// checksummed records. core/src/journal/FORMAT.md has the grammar and an example
// in bytes. The core encodes and reads; the host appends and syncs.
//
// Any prefix of a journal that ends between two records is a journal: resuming
// from it repeats work, and loses nothing. So a torn tail is cut off; damage
// before the tail is refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "keyhaul/migration.h"
#include "keyhaul/plan.h"
#include "keyhaul/status.h"

namespace keyhaul {

inline constexpr uint32_t kJournalMagic = 0x4C4A484B;  // "KHJL"
inline constexpr uint16_t kJournalVersion = 1;
inline constexpr uint32_t kJournalHeaderBytes = 16;
inline constexpr uint32_t kRecordHeaderBytes = 12;
inline constexpr uint32_t kRecordBytesMax = 256U << 20;  // a plan of 65,536 ranges fits

// First record of every journal. Capabilities and hostInfo are those of the start.
struct PlanRecord {
  Plan plan;
  GuaranteeLevel level = GuaranteeLevel::kL0;
};
// A process took the migration up again.
struct ResumedRecord {
  uint32_t incarnation = 2;
};
// Written before the first action of that state.
struct PhaseRecord {
  MigrationState state = MigrationState::kPreparing;
};
// Preparing ended: the feed, if any, records from `feedPosition` on, which was
// taken before the first scan.
struct PreparedRecord {
  bool targetWasEmpty = false;
  std::string feedPosition;  // empty without a feed
};
// The target durably holds everything of plan.ranges[range] from the previous
// checkpoint of that range (or its lo) up to `upto`, exclusive. `leaf` is the
// digest of those source entries as they were read.
struct CheckpointRecord {
  uint32_t range = 0;
  bool end = false;  // the scan of this range said END; `upto` is empty then
  Key upto;
  Digest leaf;
  uint64_t pages = 0;
};
// The target durably holds all changes of the feed up to `position`.
struct FeedAppliedRecord {
  std::string position;
  uint64_t changes = 0;
};
// One round of verification came to its end. Round 0, of a plan that verifies nothing: all is
// copied, and only the feed is still to be closed. `written` is reserved: no version sets it,
// because a repair is a state of its own, after which another round follows.
struct VerifiedRecord {
  uint32_t round = 1;
  bool equal = false;
  bool written = false;
  Digest source, target;
  uint64_t missing = 0, extra = 0, changed = 0, repairs = 0;
  std::string position;  // L5: of the feed, which both digests are of; else empty
  uint64_t epoch = 0;    // live: of the fence of the attempt that it is of; else 0
};
// Everything of plan.ranges[range] below `upto` was taken off: in kDeleting off
// the source, in kDiscarding off the target.
struct DeletedRecord {
  uint32_t range = 0;
  bool end = false;
  Key upto;
  uint64_t entries = 0;  // since the previous record
  uint64_t left = 0;     // keys left because they had changed
};
// Stopped resumably. Or right before the phase `aborting` of a live one: why it is given up; and
// before `closing`, kSourceGivenUp: so is the source.
struct StoppedRecord {
  ErrorCode code = ErrorCode::kInterrupted;
  std::string text;  // what the host knew, for people; at most 4,096 bytes
};
struct FinishedRecord {
  Receipt receipt;
};
// Live: the claim is ours, under this coordEpoch. `forgotten`: what the records before it say
// of the staging is not true any more. `restarting`: nor is it of use, and is to be emptied.
struct ClaimedRecord {
  uint64_t coordEpoch = 1;
  bool forgotten = false, restarting = false;
  // It goes the way back: feed positions from here on are of the target. `forgotten` with it: how
  // much the source has of them is not known, and they are applied again from the first on.
  bool turned = false;
};
// Live, with a reverse window: the target's feed records from `position` on. Nobody writes to the
// target yet.
struct ArmedRecord {
  std::string position;
};

// Live: the reverse window that is open ends at this time, in milliseconds since 1970; 0: it will be
// opened anew, for its whole time.
struct WindowRecord {
  uint64_t endsUnixMs = 0;
};

// Live, right before it is given up because it does not converge: its halves are to be moved by themselves.
// Everything below `at` is the first one.
struct SplitRecord {
  Key at;
};

using Record = std::variant<PlanRecord, ResumedRecord, PhaseRecord, PreparedRecord,
                            CheckpointRecord, FeedAppliedRecord, VerifiedRecord, DeletedRecord,
                            StoppedRecord, FinishedRecord, ClaimedRecord, ArmedRecord, WindowRecord,
                            SplitRecord>;

// Encodes records one after another; each record's checksum covers the previous
// one's, so records cannot be dropped, swapped or taken from another journal.
class JournalWriter {
 public:
  // A new journal: the first bytes returned begin with the file header.
  JournalWriter() = default;
  // Goes on behind the valid prefix of an existing journal.
  explicit JournalWriter(uint32_t chain) : chain_(chain), headerWritten_(true) {}
  // Appends the record's bytes to `out`. R: one of the types of `Record`.
  template <typename R>
  void append(const R& record, std::string& out);
  void append(const Record& record, std::string& out);

 private:
  // Returns where the record begins in `out`; its payload comes next, and then seal().
  size_t begin(std::string& out);
  void seal(uint8_t type, size_t at, std::string& out);

  uint32_t chain_ = 0;
  bool headerWritten_ = false;
};

// Reads record by record.
class JournalReader {
 public:
  // JournalNotAJournal, JournalVersion, JournalTorn (not even the header is whole).
  static Result<JournalReader> open(std::span<const std::byte> bytes);
  // The next record; nothing at a clean end. JournalTorn at a torn tail,
  // JournalCorrupt for damage elsewhere, JournalVersion for an unknown record type.
  Result<std::optional<Record>> next();
  // The same, into a record that is there: false at a clean end. After an error it holds anything.
  Result<bool> next(Record& into);
  // Offset behind the last whole record, and the chain value there.
  uint64_t validBytes() const { return offset_; }
  uint32_t chain() const { return chain_; }

 private:
  explicit JournalReader(std::span<const std::byte> bytes) : bytes_(bytes) {}
  std::span<const std::byte> bytes_;
  uint64_t offset_ = 0;
  uint32_t chain_ = 0;
};

inline constexpr uint32_t kLeavesMax = 4'096;

// Leaves of one range: digests of neighbouring parts, in key order. Beyond kLeavesMax
// neighbours are merged pairwise (digests add), so a range of any size keeps at most that many, each
// over about as many keys, and from there on none whose key is not longer than those before asks the heap for memory.
class Leaves {
 public:
  size_t size() const { return leaves_.size(); }
  bool empty() const { return leaves_.empty(); }
  // Exclusive; empty where it reaches to the end of its range. Valid until the next add().
  KeyView upto(size_t index) const;
  const Digest& digest(size_t index) const { return leaves_[index].digest; }
  // Up to where all of them reach; empty where there are none, too.
  KeyView lastUpto() const { return empty() ? KeyView() : upto(size() - 1); }
  void add(KeyView upto, const Digest& digest);
  Digest sum() const;

 private:
  void merge();

  struct Leaf {
    Digest digest;
    size_t end = 0;  // of its key in uptos_
  };
  std::vector<Leaf> leaves_;
  std::string uptos_;
};

// A journal folded into what a resume needs.
struct JournalImage {
  explicit JournalImage(ValidPlan p) : plan(std::move(p)) {}

  ValidPlan plan;
  MigrationState state = MigrationState::kPending;
  uint32_t incarnation = 1;
  bool prepared = false, targetWasEmpty = false;
  // Live: it was given up; the staging is to be emptied before it is filled again.
  bool aborting = false, restarting = false;
  ErrorCode abortedFor = ErrorCode::kOk;  // and why; kOk: somebody cancelled it
  Key splitAt;                // where its halves are divided, if it was given up for them
  bool claimed = false;       // the claim was in the register once
  uint64_t coordEpoch = 1;  // the last one that this journal knows of
  std::string feedPosition, appliedPosition;
  // Of the target's feed, for the way back: where it was opened, or what the source has of it.
  std::string armedPosition, reversePosition;
  bool turned = false;     // the claim was turned round
  bool reversing = false;  // and somebody asked to go back
  bool sourceGivenUp = false;  // or to give the source up
  uint64_t windowEndsUnixMs = 0;  // 0: not open yet, or nobody knew what time it was
  struct RangeProgress {
    Leaves leaves;               // together the copied part
    bool copied = false;         // END was reached
    Key deletedUpto;
    bool deleted = false;
  };
  std::vector<RangeProgress> ranges;
  Totals totals;
  std::optional<VerifiedRecord> verified;  // the last round
  bool decided = false;  // and what was decided since, was on that
  std::optional<VerifiedRecord> cutover;   // the one that was decided on before it was turned round
  std::optional<StoppedRecord> stopped;    // cleared by a later resume
  std::optional<Receipt> receipt;
  uint64_t records = 0, validBytes = 0;
  uint32_t chain = 0;
  bool torn = false;  // bytes behind validBytes are to be cut off
};

// Reads the whole journal. A torn tail is accepted and said in `torn`. Beyond the
// format it checks that the story is possible: plan first, checkpoints in order
// and inside their range, no record after the end. JournalCorrupt otherwise.
Result<JournalImage> readJournal(std::span<const std::byte> bytes);

// Every record as one JSON object a line, then a summary object: what
// `keyhaul inspect` prints. Never fails: damage is the last line.
std::string describeJournal(std::span<const std::byte> bytes);

}  // namespace keyhaul
