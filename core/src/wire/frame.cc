#include "keyhaul/frame.h"

#include "base/assert.h"
#include "base/bytes.h"

namespace keyhaul {
namespace {

constexpr uint8_t kKnownFlags = kFrameFlagEnd;

// Header layout; FORMAT.md has the table.
constexpr size_t kAtMagic = 0, kAtVersion = 4, kAtKind = 5, kAtFlags = 6, kAtZero = 7;
constexpr size_t kAtCount = 8, kAtBody = 12, kAtSequence = 16, kAtBodyCrc = 24, kAtHeaderCrc = 28;

// Do the rows of the table add up to exactly the bytes behind it?
Status checkRows(const std::byte* body, uint32_t entryCount, uint64_t bodyBytes) {
  const uint64_t tableBytes = uint64_t{entryCount} * kFrameEntryBytes;
  if (tableBytes > bodyBytes) return ErrorCode::kFrameCorrupt;
  uint64_t sum = tableBytes;
  for (uint32_t i = 0; i < entryCount; ++i) {
    const auto row = loadLe<uint64_t>(body + uint64_t{i} * kFrameEntryBytes);
    const auto valueBytes = static_cast<uint32_t>(row >> 32);
    sum += static_cast<uint32_t>(row) + uint64_t{valueBytes == kDeletedValue ? 0 : valueBytes};
  }
  return sum == bodyBytes ? Status() : Status(ErrorCode::kFrameCorrupt);
}

}  // namespace

EntryView FrameView::Iterator::operator*() const {
  const auto row = loadLe<uint64_t>(row_);
  const auto keyBytes = static_cast<uint32_t>(row);
  const auto valueBytes = static_cast<uint32_t>(row >> 32);
  const char* key = reinterpret_cast<const char*>(data_);
  EntryView entry;
  entry.key = {key, keyBytes};
  entry.deleted = valueBytes == kDeletedValue;
  entry.value = {key + keyBytes, entry.deleted ? 0 : valueBytes};
  return entry;
}

FrameView::Iterator& FrameView::Iterator::operator++() {
  const auto row = loadLe<uint64_t>(row_);
  const auto valueBytes = static_cast<uint32_t>(row >> 32);
  data_ += static_cast<uint32_t>(row) + uint64_t{valueBytes == kDeletedValue ? 0 : valueBytes};
  row_ += kFrameEntryBytes;
  return *this;
}

FrameView::Iterator FrameView::begin() const {
  Iterator at;
  at.row_ = body_;
  at.data_ = body_ + uint64_t{header_.entryCount} * kFrameEntryBytes;
  return at;
}

FrameView::Iterator FrameView::end() const {
  Iterator at;
  at.row_ = body_ + uint64_t{header_.entryCount} * kFrameEntryBytes;
  return at;
}

Result<FrameView> readFrame(std::span<const std::byte> bytes) {
  if (bytes.size() < kFrameHeaderBytes) return ErrorCode::kFrameTruncated;
  const std::byte* at = bytes.data();
  if (loadLe<uint32_t>(at + kAtMagic) != kFrameMagic) return ErrorCode::kFrameCorrupt;
  if (loadLe<uint32_t>(at + kAtHeaderCrc) != crc32c(bytes.first(kAtHeaderCrc))) {
    return ErrorCode::kFrameCorrupt;
  }
  // The header is what its writer meant; from here on it may only be too new.
  const auto kind = static_cast<uint8_t>(at[kAtKind]);
  const auto flags = static_cast<uint8_t>(at[kAtFlags]);
  if (static_cast<uint8_t>(at[kAtVersion]) != kFrameVersion || at[kAtZero] != std::byte{0} ||
      kind > static_cast<uint8_t>(ChecksumKind::kCrc32c) || (flags & ~kKnownFlags) != 0) {
    return ErrorCode::kFrameVersion;
  }
  FrameView view;
  view.header_.checksumKind = static_cast<ChecksumKind>(kind);
  view.header_.flags = flags;
  view.header_.entryCount = loadLe<uint32_t>(at + kAtCount);
  view.header_.bodyBytes = loadLe<uint32_t>(at + kAtBody);
  view.header_.sequence = loadLe<uint64_t>(at + kAtSequence);
  view.header_.bodyChecksum = loadLe<uint32_t>(at + kAtBodyCrc);
  if (view.header_.bodyBytes > kFrameBytesMax - kFrameHeaderBytes) return ErrorCode::kFrameLimit;
  if (bytes.size() - kFrameHeaderBytes < view.header_.bodyBytes) {
    return ErrorCode::kFrameTruncated;
  }
  const std::span<const std::byte> body = bytes.subspan(kFrameHeaderBytes, view.header_.bodyBytes);
  if (checksum(view.header_.checksumKind, body) != view.header_.bodyChecksum) {
    return ErrorCode::kFrameCorrupt;
  }
  view.body_ = body.data();
  if (Status s = checkRows(view.body_, view.header_.entryCount, body.size()); !s.ok()) return s;
  return view;
}

Result<FrameView> viewBody(std::span<const std::byte> bytes, uint32_t entryCount) {
  if (bytes.size() < kFrameHeaderBytes) return ErrorCode::kFrameCorrupt;
  if (bytes.size() > kFrameBytesMax) return ErrorCode::kFrameLimit;
  const std::span<const std::byte> body = bytes.subspan(kFrameHeaderBytes);
  if (Status s = checkRows(body.data(), entryCount, body.size()); !s.ok()) return s;
  FrameView view;
  view.header_.entryCount = entryCount;
  view.header_.bodyBytes = static_cast<uint32_t>(body.size());
  view.body_ = body.data();
  return view;
}

void sealFrame(std::span<std::byte> bytes, const FrameHeader& header) {
  KH_ASSERT(bytes.size() >= kFrameHeaderBytes);
  FrameHeader sealed = header;
  sealed.bodyChecksum = checksum(header.checksumKind, bytes.subspan(kFrameHeaderBytes));
  sealHeader(bytes, sealed);
}

void sealHeader(std::span<std::byte> bytes, const FrameHeader& header) {
  KH_ASSERT(bytes.size() >= kFrameHeaderBytes &&
            bytes.size() - kFrameHeaderBytes == header.bodyBytes);
  std::byte* at = bytes.data();
  storeLe(at + kAtMagic, kFrameMagic);
  storeLe(at + kAtVersion, kFrameVersion);
  storeLe(at + kAtKind, static_cast<uint8_t>(header.checksumKind));
  storeLe(at + kAtFlags, header.flags);
  storeLe(at + kAtZero, uint8_t{0});
  storeLe(at + kAtCount, header.entryCount);
  storeLe(at + kAtBody, header.bodyBytes);
  storeLe(at + kAtSequence, header.sequence);
  storeLe(at + kAtBodyCrc, header.bodyChecksum);
  storeLe(at + kAtHeaderCrc, crc32c(bytes.first(kAtHeaderCrc)));
}

FrameWriter::FrameWriter(std::span<std::byte> out, uint32_t entryCount)
    : out_(out),
      entryCount_(entryCount),
      cursor_(kFrameHeaderBytes + uint64_t{entryCount} * kFrameEntryBytes) {
  KH_ASSERT(cursor_ <= out.size());
}

bool FrameWriter::put(std::string_view key, std::string_view value) {
  if (value.size() >= kDeletedValue) return false;
  return add(key, value, static_cast<uint32_t>(value.size()));
}

bool FrameWriter::del(std::string_view key) { return add(key, {}, kDeletedValue); }

bool FrameWriter::add(std::string_view key, std::string_view value, uint32_t valueBytes) {
  const uint64_t dataBytes = uint64_t{key.size()} + value.size();
  if (added_ == entryCount_ || dataBytes > out_.size() - cursor_) return false;
  std::byte* row = out_.data() + kFrameHeaderBytes + uint64_t{added_} * kFrameEntryBytes;
  storeLe(row, static_cast<uint32_t>(key.size()));
  storeLe(row + 4, valueBytes);
  if (!key.empty()) std::memcpy(out_.data() + cursor_, key.data(), key.size());
  if (!value.empty()) std::memcpy(out_.data() + cursor_ + key.size(), value.data(), value.size());
  cursor_ += dataBytes;
  ++added_;
  return true;
}

uint32_t FrameWriter::finish(ChecksumKind kind, uint8_t flags, uint64_t sequence) {
  KH_ASSERT(added_ == entryCount_);
  FrameHeader header;
  header.checksumKind = kind;
  header.flags = flags;
  header.entryCount = entryCount_;
  header.bodyBytes = static_cast<uint32_t>(cursor_ - kFrameHeaderBytes);
  header.sequence = sequence;
  sealFrame(out_.first(static_cast<size_t>(cursor_)), header);
  return static_cast<uint32_t>(cursor_);
}

}  // namespace keyhaul
