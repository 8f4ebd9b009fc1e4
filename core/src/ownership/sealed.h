// Small documents that live outside the journal: four bytes of magic, a version, a body, and
// the CRC-32C of all that.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/varint.h"
#include "keyhaul/checksum.h"
#include "range/codec.h"

namespace keyhaul {

inline constexpr uint64_t kSealedVersion = 1;

inline std::string beginSealed(std::string_view magic) {
  std::string out(magic);
  putVarint(out, kSealedVersion);
  return out;
}

inline std::string seal(std::string out) {
  char tail[sizeof(uint32_t)];
  storeLe(tail, crc32c(out));
  return out.append(tail, sizeof tail);
}

// The body; nothing where the bytes are not whole, or of another kind or version.
inline std::optional<ByteReader> openSealed(std::span<const std::byte> bytes,
                                            std::string_view magic) {
  if (bytes.size() < magic.size() + sizeof(uint32_t)) return std::nullopt;
  const std::span<const std::byte> body = bytes.first(bytes.size() - sizeof(uint32_t));
  if (crc32c(body) != loadLe<uint32_t>(bytes.data() + body.size())) return std::nullopt;
  ByteReader in(asView(body));
  if (in.raw(magic.size()) != magic || in.varint() != kSealedVersion) return std::nullopt;
  return in;
}

// Fails on an empty one.
inline KeyRange readKeys(ByteReader& in) {
  KeyRange range = readRange(in);
  if (range.empty()) in.fail();
  return range;
}

}  // namespace keyhaul
