// The module of `keyhaul/checksum`: nothing but checksums, without Embind or a library. Compiled
// twice: with SIMD, and without for machines that have none.
#include "checksum/kernels.h"
#include "keyhaul/checksum.h"

namespace {

// JavaScript puts bytes here and tells how many; the exports know where it is, and may write over it.
constexpr uint32_t kStageBytes = KEYHAUL_STAGE_BYTES;
alignas(64) std::byte memory[keyhaul::kSparseRoom + kStageBytes + 16];
std::byte* const stage = memory + keyhaul::kSparseRoom;

#if defined(__wasm_simd128__)
constexpr auto kCrc32 = keyhaul::crc32SparseInPlace, kCrc32c = keyhaul::crc32cSparseInPlace;
#else
constexpr auto kCrc32 = keyhaul::crc32Portable, kCrc32c = keyhaul::crc32cPortable;
#endif

}  // namespace

extern "C" {

std::byte* stageAddress() { return stage; }

// Precondition of both: bytes <= kStageBytes, as js/src/checksum/staged.ts keeps it.
uint32_t crc32(uint32_t bytes, uint32_t initial) { return ~kCrc32(~initial, stage, bytes); }
uint32_t crc32c(uint32_t bytes, uint32_t initial) { return ~kCrc32c(~initial, stage, bytes); }

// A length has 53 bits at most, in two words.
uint32_t combine(uint32_t castagnoli, uint32_t a, uint32_t b, uint32_t lengthLow,
                 uint32_t lengthHigh) {
  const uint64_t length = uint64_t{lengthHigh} << 32 | lengthLow;
  return castagnoli != 0 ? keyhaul::crc32cCombine(a, b, length)
                         : keyhaul::crc32Combine(a, b, length);
}

}  // extern "C"
