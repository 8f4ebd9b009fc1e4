// What is asked of a page that a store gave, and what is computed of it, in one walk: order,
// bounds and sizes, the digest of its entries and the checksum of its bytes. Bytes are used
// while they are in the first cache.
#pragma once

#include <string_view>

#include "keyhaul/digest.h"
#include "keyhaul/frame.h"
#include "keyhaul/key_range.h"

namespace keyhaul {

struct PageRules {
  const KeyRange* range = nullptr;  // keys lie in it
  uint32_t entriesMax = 0;
  uint64_t bytesMax = 0;       // a page may pass twice of this by the entry that filled it
  uint64_t entryBytesMax = 0;  // key + value
};

struct PageSums {
  std::string_view lastKey;  // in the page; empty for an empty one
  Digest digest;             // without a hasher: nothing
  uint32_t checksum = 0;     // of the body
};

// `body`: the bytes that `view` is of, table included. ScanOversize, FrameCorrupt (a delete),
// EntryTooLarge, ScanUnordered, ScanOutOfRange; `sums` is not to be used then.
Status passOver(const FrameView& view, std::span<const std::byte> body, const PageRules& rules,
                ChecksumKind kind, const EntryHasher* hasher, PageSums& sums);

}  // namespace keyhaul
