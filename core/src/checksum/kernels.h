// One CRC kernel a file. A kernel works on the inverted register: the dispatch
// inverts before and after.
#pragma once

#include <cstddef>
#include <cstdint>

namespace keyhaul {

using CrcKernel = uint32_t (*)(uint32_t reg, const std::byte* data, size_t length);

uint32_t crc32Portable(uint32_t reg, const std::byte* data, size_t length);
uint32_t crc32cPortable(uint32_t reg, const std::byte* data, size_t length);
// Of 19 bytes in 32 and the register 0: one look-up each, and none of them waits for another.
uint32_t crc32PortableOf19(const std::byte* data);
uint32_t crc32cPortableOf19(const std::byte* data);
// Quick where one instruction shuffles bytes: WASM SIMD, and x86 (precondition: SSSE3).
uint32_t crc32Sparse(uint32_t reg, const std::byte* data, size_t length);
uint32_t crc32cSparse(uint32_t reg, const std::byte* data, size_t length);
// The same, quicker for long messages because it writes over them. Precondition: kSparseRoom bytes
// in front are zero, and stay so; 16 behind may be written over too.
inline constexpr size_t kSparseRoom = 5'952;
uint32_t crc32SparseInPlace(uint32_t reg, std::byte* data, size_t length);
uint32_t crc32cSparseInPlace(uint32_t reg, std::byte* data, size_t length);

#if defined(__x86_64__)
// Precondition: the processor has SSE4.2.
uint32_t crc32cSse42(uint32_t reg, const std::byte* data, size_t length);
// Precondition: SSE4.2 and PCLMULQDQ.
uint32_t crc32Pclmul(uint32_t reg, const std::byte* data, size_t length);
uint32_t crc32cPclmul(uint32_t reg, const std::byte* data, size_t length);
// Precondition: the above, AVX2 and VPCLMULQDQ.
uint32_t crc32Vpclmul256(uint32_t reg, const std::byte* data, size_t length);
uint32_t crc32cVpclmul256(uint32_t reg, const std::byte* data, size_t length);
// Precondition: the above and AVX-512 (F).
uint32_t crc32Vpclmul512(uint32_t reg, const std::byte* data, size_t length);
uint32_t crc32cVpclmul512(uint32_t reg, const std::byte* data, size_t length);
#endif

#if defined(__aarch64__) && defined(__ARM_FEATURE_CRC32) && \
    (defined(__ARM_FEATURE_AES) || defined(__ARM_FEATURE_CRYPTO))
#define KEYHAUL_HAS_ARMV8
uint32_t crc32Armv8(uint32_t reg, const std::byte* data, size_t length);
uint32_t crc32cArmv8(uint32_t reg, const std::byte* data, size_t length);
#endif

}  // namespace keyhaul
