// One CRC kernel a file. A kernel works on the inverted register: the dispatch
// inverts before and after.
#pragma once

#include <cstddef>
#include <cstdint>

namespace keyhaul {

using CrcKernel = uint32_t (*)(uint32_t reg, const std::byte* data, size_t length);

uint32_t crc32Portable(uint32_t reg, const std::byte* data, size_t length);
uint32_t crc32cPortable(uint32_t reg, const std::byte* data, size_t length);
// Quick where one instruction shuffles bytes: WASM SIMD, and x86 (precondition: SSSE3).
uint32_t crc32Sparse(uint32_t reg, const std::byte* data, size_t length);
uint32_t crc32cSparse(uint32_t reg, const std::byte* data, size_t length);

#if defined(__x86_64__)
// Precondition: the processor has SSE4.2.
uint32_t crc32cSse42(uint32_t reg, const std::byte* data, size_t length);
// Precondition: the processor has SSE4.1 and PCLMULQDQ.
uint32_t crc32Pclmul(uint32_t reg, const std::byte* data, size_t length);
#endif

}  // namespace keyhaul
