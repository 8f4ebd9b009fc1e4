#include "keyhaul/digest.h"

#include "base/assert.h"
#include "base/bytes.h"

namespace keyhaul {

Digest& Digest::operator+=(const Digest& other) {
  lo += other.lo;
  hi += other.hi + (lo < other.lo ? 1U : 0U);
  entries += other.entries;
  bytes += other.bytes;
  return *this;
}

Digest& Digest::operator-=(const Digest& other) {
  KH_ASSERT(entries >= other.entries && bytes >= other.bytes);
  hi -= other.hi + (lo < other.lo ? 1U : 0U);
  lo -= other.lo;
  entries -= other.entries;
  bytes -= other.bytes;
  return *this;
}

std::array<std::byte, kDigestBytes> toBytes(const Digest& digest) {
  std::array<std::byte, kDigestBytes> out{};
  storeLe(out.data(), digest.lo);
  storeLe(out.data() + 8, digest.hi);
  storeLe(out.data() + 16, digest.entries);
  storeLe(out.data() + 24, digest.bytes);
  return out;
}

Digest digestFromBytes(std::span<const std::byte, kDigestBytes> bytes) {
  return {loadLe<uint64_t>(bytes.data()), loadLe<uint64_t>(bytes.data() + 8),
          loadLe<uint64_t>(bytes.data() + 16), loadLe<uint64_t>(bytes.data() + 24)};
}

}  // namespace keyhaul
