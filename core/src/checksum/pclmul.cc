// Both checksums by PCLMULQDQ; the method is in fold.h.
#include "checksum/kernels.h"

#if defined(__x86_64__)
#include "checksum/fold_sse.h"

namespace keyhaul {

uint32_t crc32Pclmul(uint32_t reg, const std::byte* data, size_t length) {
  if (length < 16) return crc32Portable(reg, data, length);
  return Folding<Sse, kCrc32Polynomial>::run(reg, data, length);
}

// Below so many bytes, and from so many on, the processor's own instruction is faster (bench/native/checksum_bench.cc):
// three of its sums at once are as fast as products on Intel's, and nearly twice as fast on AMD's.
constexpr size_t kShortCrc32c = 88, kLongCrc32c = 6'144;
static_assert(kShortCrc32c >= 16);

uint32_t crc32cPclmul(uint32_t reg, const std::byte* data, size_t length) {
  if (length < kShortCrc32c || length >= kLongCrc32c) return crc32cSse42(reg, data, length);
  return Folding<Sse, kCrc32cPolynomial>::run(reg, data, length);
}

}  // namespace keyhaul
#endif
