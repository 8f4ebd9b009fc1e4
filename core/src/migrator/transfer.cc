// What runs for each chunk: apart from the rest because the WASM module, small everywhere else, has
// this compiled for speed.
#include <algorithm>

#include "base/bytes.h"
#include "keyhaul/migrator.h"

namespace keyhaul {

using State = MigrationStatus::State;

bool DataChunk::isValid(ChecksumKind kind) const {
  return keyhaul::checksum(kind, asBytes(value)) == checksum;
}

std::optional<bool> DataMigrator::note(Entry& entry, uint64_t sequence) {
  auto& seen = entry.seen;
  // The usual case: in order.
  if (!seen.empty() && seen.back().second != UINT64_MAX && sequence == seen.back().second + 1) {
    seen.back().second = sequence;
    return true;
  }
  const auto after = std::partition_point(
      seen.begin(), seen.end(), [sequence](const auto& gap) { return gap.first <= sequence; });
  const bool hasBefore = after != seen.begin();
  if (hasBefore && std::prev(after)->second >= sequence) return false;
  const bool joinsBefore = hasBefore && std::prev(after)->second + 1 == sequence;
  const bool joinsAfter = after != seen.end() && sequence + 1 == after->first;
  if (joinsBefore && joinsAfter) {
    std::prev(after)->second = after->second;
    seen.erase(after);
  } else if (joinsBefore) {
    std::prev(after)->second = sequence;
  } else if (joinsAfter) {
    after->first = sequence;
  } else {
    if (seen.size() >= kGapsMax) return std::nullopt;
    seen.insert(after, {sequence, sequence});
  }
  return true;
}

Status DataMigrator::Transfer::chunk(const DataChunk& chunk) {
  if (entry_ == nullptr) return ErrorCode::kNotFound;
  if (ended(*entry_)) return ErrorCode::kAlreadyComplete;
  if (entry_->state == State::kPending) return ErrorCode::kLimitExceeded;
  if (!chunk.isValid(kind_)) return ErrorCode::kChecksumMismatch;
  if (!entry_->keys.contains(chunk.key)) return ErrorCode::kKeyOutOfRange;
  if (chunk.sequence) {
    const std::optional<bool> isNew = note(*entry_, *chunk.sequence);
    if (!isNew) return ErrorCode::kLimitExceeded;
    if (!*isNew) return {};
  }
  ++entry_->transferred;
  entry_->bytes += chunk.value.size();
  return {};
}

}  // namespace keyhaul
