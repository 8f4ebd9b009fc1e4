// The five-step workflow for a caller who carries the chunks himself: create a
// plan, start it, transfer chunks, complete it or cancel it. It checks and counts;
// `Engine` (engine.h) is what moves data between stores on its own.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "keyhaul/checksum.h"
#include "keyhaul/range_set.h"
#include "keyhaul/status.h"
#include "keyhaul/time.h"

namespace keyhaul {

struct MigrationPlan {
  std::string source, target;
  std::vector<std::pair<Key, Key>> keyRanges;  // start and end, both inclusive; may overlap
  uint8_t priority = 128;                      // higher goes first
};

// One key and its value on the way. It borrows both: they must outlive the call
// it is given to. The checksum covers the value.
struct DataChunk {
  DataChunk() = default;
  DataChunk(std::string_view chunkKey, std::string_view chunkValue,
            ChecksumKind kind = ChecksumKind::kCrc32);
  bool isValid(ChecksumKind kind = ChecksumKind::kCrc32) const;

  std::string_view key, value;
  uint32_t checksum = 0;
  // Chunks with a number may be sent again: a repeat is acknowledged, not counted.
  std::optional<uint64_t> sequence;
};

struct MigrationStatus {
  enum class State : uint8_t { kPending = 1, kInProgress = 2, kCompleted = 3, kFailed = 4 };
  State state = State::kPending;
  uint64_t transferred = 0, total = 0;  // chunks; total is 0 while unknown
  std::string_view reason;              // kFailed
};

struct MigrationStats {
  std::string id;
  uint64_t bytesTransferred = 0;  // value bytes
  uint64_t chunksTransferred = 0;
  uint64_t durationMs = 0;        // since it was admitted
};

class DataMigrator {
 public:
  struct Config {
    uint32_t slots = 0;               // migrations in progress at once; 0 = no limit
    uint32_t retainedMax = 10'000;    // ended ones kept; the one that ended first goes first
    ChecksumKind checksumKind = ChecksumKind::kCrc32;
  };

  DataMigrator() = default;
  explicit DataMigrator(const Config& config) : config_(config) {}

  // InvalidRange where start > end; LimitExceeded for a key beyond kKeyBytesMax.
  static Result<MigrationPlan> createPlan(std::string source, std::string target,
                                          std::vector<std::pair<Key, Key>> ranges);
  // "mig-1", "mig-2", …; no id is given twice. InvalidRange, LimitExceeded as above.
  // `expectedTotal`: chunks, for the status; 0 = unknown.
  Result<std::string> startMigration(const MigrationPlan& plan, Instant now,
                                     uint64_t expectedTotal = 0);
  std::optional<MigrationStatus> getStatus(std::string_view id) const;
  // In this order: NotFound, AlreadyComplete, LimitExceeded (it still waits for a
  // slot), ChecksumMismatch, KeyOutOfRange, LimitExceeded (too many gaps between
  // sequence numbers). A refused chunk changes nothing.
  Status transferChunk(std::string_view id, const DataChunk& chunk);
  // Many chunks of one migration, which is looked for once. It must not outlive the next call
  // of anything else. An unknown id is told by the first chunk.
  class Transfer;
  Transfer transferTo(std::string_view id);
  // NotFound, AlreadyComplete. Both let the next one in.
  Result<MigrationStats> completeMigration(std::string_view id, Instant now);
  Status cancelMigration(std::string_view id, Instant now);
  // Frees an ended one. NotFound; Unsupported while it is not ended.
  Status forget(std::string_view id);

 private:
  static constexpr size_t kGapsMax = 65'536;

  struct Entry {
    uint64_t number = 0;
    RangeSet keys;
    uint8_t priority = 0;
    MigrationStatus::State state = MigrationStatus::State::kPending;
    uint64_t transferred = 0, total = 0, bytes = 0;
    Instant admittedAt, endedAt;
    std::vector<std::pair<uint64_t, uint64_t>> seen;  // sequence numbers, [first, last]
  };

  // By number: they are given in order, so a new one goes last.
  using Entries = std::vector<std::unique_ptr<Entry>>;

  static std::optional<uint64_t> numberOf(std::string_view id);
  Entries::iterator at(uint64_t number);
  Entry* find(std::string_view id);
  static bool ended(const Entry& entry) {
    using State = MigrationStatus::State;
    return entry.state == State::kCompleted || entry.state == State::kFailed;
  }
  // False for a number seen before; nothing when there are too many gaps.
  static std::optional<bool> note(Entry& entry, uint64_t sequence);
  void admit(Instant now);
  void end(Entry& entry, MigrationStatus::State state, Instant now);

  Config config_;
  Entries entries_;
  std::vector<uint64_t> endedOrder_;
  uint64_t lastId_ = 0;
  uint32_t running_ = 0;
};

class DataMigrator::Transfer {
 public:
  // As transferChunk.
  Status chunk(const DataChunk& chunk);

 private:
  friend class DataMigrator;
  Transfer(Entry* entry, ChecksumKind kind) : entry_(entry), kind_(kind) {}
  Entry* entry_;
  ChecksumKind kind_;
};

}  // namespace keyhaul
