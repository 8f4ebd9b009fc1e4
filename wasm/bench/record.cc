// What the engine does with a page, part by part, for bench/node/record.mjs: the code of the core
// as the modules have it. Not shipped.
#include "keyhaul/digest.h"
#include "migrate/page_pass.h"

namespace {

using namespace keyhaul;

constexpr size_t kPageBytes = 1 << 20;
alignas(16) std::byte page[kPageBytes];
const EntryHasher hasher{DigestKey{}};
const KeyRange everything;
PageSums sums;

uint32_t walk(uint32_t entries, uint32_t bytes, ChecksumKind kind, const EntryHasher* digest) {
  const std::span<const std::byte> frame(page, bytes);
  const auto view = viewBody(frame, entries);
  if (!view.ok()) return 0;
  sums = {};
  const PageRules rules{&everything, entries, kPageBytes, kPageBytes};
  const Status status = passOver(view.value(), frame.subspan(kFrameHeaderBytes), rules, kind, digest, sums);
  return status.ok() ? 1 : 0;
}

}  // namespace

// Each gives 0 where the page is refused. `bytes`: the header's room and the body.
extern "C" {
std::byte* pageAddress() { return page; }
uint32_t parse(uint32_t entries, uint32_t bytes) { return walk(entries, bytes, ChecksumKind::kNone, nullptr); }
uint32_t parseAndChecksum(uint32_t entries, uint32_t bytes) { return walk(entries, bytes, ChecksumKind::kCrc32c, nullptr); }
uint32_t parseAndDigest(uint32_t entries, uint32_t bytes) { return walk(entries, bytes, ChecksumKind::kNone, &hasher); }
uint32_t all(uint32_t entries, uint32_t bytes) { return walk(entries, bytes, ChecksumKind::kCrc32c, &hasher); }
uint32_t checksumOfLast() { return sums.checksum; }
uint32_t digestOfLast() { return static_cast<uint32_t>(sums.digest.lo ^ sums.digest.hi >> 32); }
}
