// CRC-32 (ISO-HDLC, "IEEE") and CRC-32C (Castagnoli): transport checksums.
// They find accidents on the way, not tampering and not every bad repair; the
// proof that two ranges are equal is the digest (digest.h).
//
// Both chain: crc(b, crc(a)) == crc(a + b). Start with 0. Empty input gives the
// initial value back. Check values over "123456789": 0xCBF43926 and 0xE3069283.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace keyhaul {

enum class ChecksumKind : uint8_t { kNone = 0, kCrc32 = 1, kCrc32c = 2 };

uint32_t crc32(std::span<const std::byte> bytes, uint32_t initial = 0);
uint32_t crc32c(std::span<const std::byte> bytes, uint32_t initial = 0);
uint32_t crc32(std::string_view bytes, uint32_t initial = 0);
uint32_t crc32c(std::string_view bytes, uint32_t initial = 0);
// kNone gives 0.
uint32_t checksum(ChecksumKind kind, std::span<const std::byte> bytes, uint32_t initial = 0);

// The checksum of a + b from those of a and of b, without the bytes:
// combine(crc(a), crc(b), |b|) == crc(a + b). O(log lengthB).
uint32_t crc32Combine(uint32_t crcA, uint32_t crcB, uint64_t lengthB);
uint32_t crc32cCombine(uint32_t crcA, uint32_t crcB, uint64_t lengthB);

// The kernel in use: "portable", "sse42", "pclmul", "wasm-simd", …
// KEYHAUL_CHECKSUM_KERNEL in the environment forces one (native only).
std::string_view checksumKernelName(ChecksumKind kind);

}  // namespace keyhaul
