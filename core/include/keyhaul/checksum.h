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

#include "keyhaul/status.h"

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

// The kernel in use: "portable", "sparse", "sse42" (CRC-32C only), "pclmul", "vpclmul256", "vpclmul512", "armv8".
std::string_view checksumKernelName(ChecksumKind kind);

// Uses this kernel where it applies and the portable one elsewhere; "auto" goes
// back to the fastest. Unsupported: this build or this processor has no such
// kernel. For tests and hosts; not to be called while a checksum is computed.
Status forceChecksumKernel(std::string_view name);

}  // namespace keyhaul
