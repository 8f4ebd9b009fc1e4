// CRC-32C by the processor's own instruction, eight bytes a turn.
#include "checksum/kernels.h"

#if defined(__x86_64__)
#include <nmmintrin.h>

#include "base/bytes.h"

namespace keyhaul {

uint32_t crc32cSse42(uint32_t reg, const std::byte* data, size_t length) {
  uint64_t wide = reg;
  for (; length >= 8; length -= 8, data += 8) wide = _mm_crc32_u64(wide, loadLe<uint64_t>(data));
  reg = static_cast<uint32_t>(wide);
  for (; length > 0; --length, ++data) reg = _mm_crc32_u8(reg, static_cast<uint8_t>(*data));
  return reg;
}

}  // namespace keyhaul
#endif
