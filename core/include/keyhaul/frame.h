// A frame is one page of entries on its way: core/src/wire/FORMAT.md has the
// grammar and an example in bytes.
//
//   header 32 bytes | table: entryCount x {u32 keyBytes, u32 valueBytes} | key0 value0 key1 value1 …
//
// All integers are little endian. valueBytes = kDeletedValue marks a delete.
// The host writes table and bytes straight into a buffer of the engine's; the
// core seals the header over them, and checks every frame before it believes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "keyhaul/checksum.h"
#include "keyhaul/status.h"

namespace keyhaul {

inline constexpr uint32_t kFrameHeaderBytes = 32;
inline constexpr uint32_t kFrameEntryBytes = 8;       // one row of the table
inline constexpr uint32_t kFrameMagic = 0x3146484B;   // "KHF1"
inline constexpr uint8_t kFrameVersion = 1;
inline constexpr uint32_t kDeletedValue = 0xFFFFFFFF;
inline constexpr uint32_t kFrameBytesMax = 1U << 30;  // 1 GiB
inline constexpr uint8_t kFrameFlagEnd = 1;           // no entry follows in this scan

struct FrameHeader {
  ChecksumKind checksumKind = ChecksumKind::kCrc32;
  uint8_t flags = 0;
  uint32_t entryCount = 0;
  uint32_t bodyBytes = 0;  // table + keys + values
  uint64_t sequence = 0;
  uint32_t bodyChecksum = 0;
};

struct EntryView {
  std::string_view key;
  std::string_view value;   // empty for a delete
  bool deleted = false;
};

// A checked frame; borrows the bytes it was read from. Iterating is forward only
// and cheap; all bounds were checked by readFrame.
class FrameView {
 public:
  class Iterator {
   public:
    EntryView operator*() const;
    Iterator& operator++();
    friend bool operator!=(const Iterator& a, const Iterator& b) { return a.row_ != b.row_; }

   private:
    friend class FrameView;
    const std::byte* row_ = nullptr;   // in the table
    const std::byte* data_ = nullptr;  // key bytes of this row
  };

  const FrameHeader& header() const { return header_; }
  uint32_t size() const { return header_.entryCount; }
  bool isEnd() const { return (header_.flags & kFrameFlagEnd) != 0; }
  // Key bytes + value bytes, table and header not counted.
  uint64_t dataBytes() const {
    return header_.bodyBytes - uint64_t{header_.entryCount} * kFrameEntryBytes;
  }
  Iterator begin() const;
  Iterator end() const;

 private:
  friend Result<FrameView> readFrame(std::span<const std::byte>);
  friend Result<FrameView> viewBody(std::span<const std::byte>, uint32_t);
  FrameHeader header_;
  const std::byte* body_ = nullptr;
};

// Checks header, bounds and checksum. `bytes` may be longer than the frame.
// FrameTruncated, FrameCorrupt, FrameVersion, FrameLimit.
Result<FrameView> readFrame(std::span<const std::byte> bytes);

// Checks the bounds of a body that was just packed by the host (no header yet,
// `bytes` = header space + body exactly). FrameCorrupt, FrameLimit.
Result<FrameView> viewBody(std::span<const std::byte> bytes, uint32_t entryCount);

// Writes the 32 header bytes in front of a body that passed viewBody.
// `bytes` spans header + body. Computes both checksums.
void sealFrame(std::span<std::byte> bytes, const FrameHeader& header);

// The same where `header` has the checksum of the body already.
void sealHeader(std::span<std::byte> bytes, const FrameHeader& header);

// How many bytes a frame with these totals takes.
constexpr uint64_t frameBytes(uint64_t entryCount, uint64_t dataBytes) {
  return kFrameHeaderBytes + entryCount * kFrameEntryBytes + dataBytes;
}

// Builds a frame entry by entry (tests, repairs, deletes); the host's fast path
// packs in place instead. Bounded by the span it was given.
class FrameWriter {
 public:
  // `out` must hold frameBytes(entriesMax, …); the table is laid out for exactly
  // `entryCount` rows, which must all be added before finish().
  FrameWriter(std::span<std::byte> out, uint32_t entryCount);
  // False when the entry does not fit; nothing was written.
  bool put(std::string_view key, std::string_view value);
  bool del(std::string_view key);
  // Seals and returns the frame's total length in bytes.
  uint32_t finish(ChecksumKind kind, uint8_t flags, uint64_t sequence);

 private:
  bool add(std::string_view key, std::string_view value, uint32_t valueBytes);
  std::span<std::byte> out_;
  uint32_t entryCount_ = 0;
  uint32_t added_ = 0;
  uint64_t cursor_ = 0;
};

}  // namespace keyhaul
