#include "migrate/page_pass.h"

namespace keyhaul {
namespace {

// Bytes that are walked before their checksum is taken: they and all tables fit a first cache of
// 32 KiB. A checksum that is begun again costs as much as some hundred bytes.
constexpr size_t kStretchBytes = 8'192;

}  // namespace

Status passOver(const FrameView& view, std::span<const std::byte> body, const PageRules& rules,
                ChecksumKind kind, const EntryHasher* hasher, PageSums& sums) {
  if (view.size() > rules.entriesMax) return ErrorCode::kScanOversize;
  const std::byte* summed = body.data();  // up to here
  const auto sumUpto = [&](const std::byte* end) {
    sums.checksum = checksum(kind, {summed, end}, sums.checksum);
    summed = end;
  };
  uint64_t before = 0, total = 0;
  std::string_view previous;
  bool first = true;
  for (const EntryView entry : view) {
    const uint64_t entryBytes = entry.key.size() + entry.value.size();
    if (entry.deleted) return ErrorCode::kFrameCorrupt;
    if (entry.key.size() > kKeyBytesMax || entryBytes > rules.entryBytesMax) {
      return ErrorCode::kEntryTooLarge;
    }
    if (first) {
      if (entry.key < std::string_view(rules.range->lo)) return ErrorCode::kScanOutOfRange;
    } else if (!isBelow(previous, entry.key)) {
      return ErrorCode::kScanUnordered;
    }
    if (hasher != nullptr) sums.digest += hasher->hash(entry.key, entry.value);
    before = total;
    total += entryBytes;
    previous = entry.key;
    first = false;
    const auto* end = reinterpret_cast<const std::byte*>(entry.key.data()) + entryBytes;
    if (static_cast<size_t>(end - summed) >= kStretchBytes) sumUpto(end);
  }
  if (!first) {
    if (!rules.range->hi.isAbove(previous)) return ErrorCode::kScanOutOfRange;
    if (view.size() > 1 && before > 2 * rules.bytesMax) return ErrorCode::kScanOversize;
  }
  sumUpto(body.data() + body.size());
  sums.lastKey = previous;
  return {};
}

}  // namespace keyhaul
