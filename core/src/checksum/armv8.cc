// Both checksums by ARMv8's CRC instructions for short messages and by PMULL (fold.h) for others.
// Only where the compiler was told that the processor has both (Apple's by default, else
// -march=armv8-a+crc+crypto): asking at run time takes the operating system, which the core has none of.
#include "checksum/kernels.h"

#if defined(KEYHAUL_HAS_ARMV8)
#include <arm_acle.h>
#include <arm_neon.h>

#include "base/bytes.h"
#include "checksum/fold.h"

namespace keyhaul {
namespace {

struct Neon {
  using Lane = uint8x16_t;
  static Lane load(const std::byte* from) {
    return vld1q_u8(reinterpret_cast<const uint8_t*>(from));
  }
  static Lane pair(uint64_t low, uint64_t high) {
    return vreinterpretq_u8_u64(vcombine_u64(vcreate_u64(low), vcreate_u64(high)));
  }
  static Lane sum(Lane a, Lane b) { return veorq_u8(a, b); }
  template <int kA, int kB>
  static Lane multiply(Lane a, Lane b) {
    return vreinterpretq_u8_p128(vmull_p64(vgetq_lane_u64(vreinterpretq_u64_u8(a), kA),
                                           vgetq_lane_u64(vreinterpretq_u64_u8(b), kB)));
  }
  template <int kBytes>
  static Lane drop(Lane a) {
    return vextq_u8(a, vdupq_n_u8(0), kBytes);
  }
  static Lane shuffle(Lane bytes, Lane indexes) { return vqtbl1q_u8(bytes, indexes); }
  static uint32_t thirdWord(Lane a) { return vgetq_lane_u32(vreinterpretq_u32_u8(a), 2); }
  // Both polynomials have one.
  template <uint32_t kPolynomial>
  static constexpr bool kHasInstruction = true;
  template <uint32_t kPolynomial>
  static uint32_t take(Lane a) {
    const uint64_t low = vgetq_lane_u64(vreinterpretq_u64_u8(a), 0);
    const uint64_t high = vgetq_lane_u64(vreinterpretq_u64_u8(a), 1);
    return kPolynomial == kCrc32Polynomial ? __crc32d(__crc32d(0, low), high)
                                           : __crc32cd(__crc32cd(0, low), high);
  }
};

// Below this many bytes one stream of the CRC instruction. Not measured: no such machine was there.
constexpr size_t kShort = 256;

}  // namespace

uint32_t crc32Armv8(uint32_t reg, const std::byte* data, size_t length) {
  if (length >= kShort) return Folding<Neon, kCrc32Polynomial>::run(reg, data, length);
  for (; length >= 8; length -= 8, data += 8) reg = __crc32d(reg, loadLe<uint64_t>(data));
  for (; length > 0; --length, ++data) reg = __crc32b(reg, static_cast<uint8_t>(*data));
  return reg;
}

uint32_t crc32cArmv8(uint32_t reg, const std::byte* data, size_t length) {
  if (length >= kShort) return Folding<Neon, kCrc32cPolynomial>::run(reg, data, length);
  for (; length >= 8; length -= 8, data += 8) reg = __crc32cd(reg, loadLe<uint64_t>(data));
  for (; length > 0; --length, ++data) reg = __crc32cb(reg, static_cast<uint8_t>(*data));
  return reg;
}

}  // namespace keyhaul
#endif
