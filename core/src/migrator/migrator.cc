#include "keyhaul/migrator.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/number.h"

namespace keyhaul {

using State = MigrationStatus::State;

DataChunk::DataChunk(std::string_view chunkKey, std::string_view chunkValue, ChecksumKind kind)
    : key(chunkKey), value(chunkValue), checksum(keyhaul::checksum(kind, asBytes(chunkValue))) {}

Result<MigrationPlan> DataMigrator::createPlan(std::string source, std::string target,
                                               std::vector<std::pair<Key, Key>> ranges) {
  for (const auto& [start, end] : ranges) {
    if (const auto range = KeyRange::inclusive(start, end); !range.ok()) return range.code();
  }
  MigrationPlan plan;
  plan.source = std::move(source);
  plan.target = std::move(target);
  plan.keyRanges = std::move(ranges);
  return plan;
}

Result<std::string> DataMigrator::startMigration(const MigrationPlan& plan, Instant now,
                                                 uint64_t expectedTotal) {
  std::vector<KeyRange> ranges;
  for (const auto& [start, end] : plan.keyRanges) {
    auto range = KeyRange::inclusive(start, end);
    if (!range.ok()) return range.code();
    ranges.push_back(std::move(range).value());
  }
  entries_.push_back(std::make_unique<Entry>());
  Entry& entry = *entries_.back();
  entry.number = ++lastId_;
  entry.keys = RangeSet::of(std::move(ranges));
  entry.priority = plan.priority;
  entry.total = expectedTotal;
  admit(now);
  std::string id = "mig-";
  putDecimal(id, lastId_);
  return id;
}

// "mig-1" and not "mig-01": an id has one form.
std::optional<uint64_t> DataMigrator::numberOf(std::string_view id) {
  if (id.size() < 5 || id.size() > 23 || id.substr(0, 4) != "mig-" || id[4] == '0') {
    return std::nullopt;
  }
  uint64_t number = 0;
  for (const char c : id.substr(4)) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + static_cast<uint64_t>(c - '0');
  }
  return number;
}

// Where this number is, or would be.
DataMigrator::Entries::iterator DataMigrator::at(uint64_t number) {
  return std::partition_point(entries_.begin(), entries_.end(),
                              [number](const auto& entry) { return entry->number < number; });
}

DataMigrator::Entry* DataMigrator::find(std::string_view id) {
  const auto number = numberOf(id);
  if (!number) return nullptr;
  const auto place = at(*number);
  return place == entries_.end() || (*place)->number != *number ? nullptr : place->get();
}

std::optional<MigrationStatus> DataMigrator::getStatus(std::string_view id) const {
  const Entry* entry = const_cast<DataMigrator*>(this)->find(id);
  if (entry == nullptr) return std::nullopt;
  MigrationStatus status;
  status.state = entry->state;
  status.transferred = entry->transferred;
  status.total = entry->total;
  if (entry->state == State::kFailed) status.reason = "Cancelled";
  return status;
}

DataMigrator::Transfer DataMigrator::transferTo(std::string_view id) {
  return {find(id), config_.checksumKind};
}

Status DataMigrator::transferChunk(std::string_view id, const DataChunk& chunk) {
  return transferTo(id).chunk(chunk);
}

Result<MigrationStats> DataMigrator::completeMigration(std::string_view id, Instant now) {
  Entry* entry = find(id);
  if (entry == nullptr) return ErrorCode::kNotFound;
  if (ended(*entry)) return ErrorCode::kAlreadyComplete;
  MigrationStats stats;
  stats.id = std::string(id);
  stats.bytesTransferred = entry->bytes;
  stats.chunksTransferred = entry->transferred;
  if (entry->state == State::kInProgress) stats.durationMs = (now - entry->admittedAt).us / 1000;
  end(*entry, State::kCompleted, now);
  return stats;
}

Status DataMigrator::cancelMigration(std::string_view id, Instant now) {
  Entry* entry = find(id);
  if (entry == nullptr) return ErrorCode::kNotFound;
  if (ended(*entry)) return ErrorCode::kAlreadyComplete;
  end(*entry, State::kFailed, now);
  return {};
}

Status DataMigrator::forget(std::string_view id) {
  const Entry* entry = find(id);
  if (entry == nullptr) return ErrorCode::kNotFound;
  if (!ended(*entry)) return ErrorCode::kUnsupported;
  endedOrder_.erase(std::find(endedOrder_.begin(), endedOrder_.end(), entry->number));
  entries_.erase(at(entry->number));
  return {};
}

void DataMigrator::end(Entry& entry, State state, Instant now) {
  if (entry.state == State::kInProgress) --running_;
  entry.state = state;
  entry.endedAt = now;
  entry.seen = {};
  entry.keys = {};
  endedOrder_.push_back(entry.number);
  if (endedOrder_.size() > config_.retainedMax) {
    entries_.erase(at(endedOrder_.front()));
    endedOrder_.erase(endedOrder_.begin());
  }
  admit(now);
}

// Lets the waiting in: highest priority first, equals first come, first served.
void DataMigrator::admit(Instant now) {
  while (config_.slots == 0 || running_ < config_.slots) {
    Entry* next = nullptr;
    for (const auto& entry : entries_) {
      if (entry->state != State::kPending) continue;
      if (next == nullptr || entry->priority > next->priority) next = entry.get();
    }
    if (next == nullptr) return;
    next->state = State::kInProgress;
    next->admittedAt = now;
    ++running_;
  }
}

}  // namespace keyhaul
