// Picks the kernels once, by what the processor can do, and lets tests and hosts
// force one so that every kernel runs on every test.
#include "base/bytes.h"
#include "checksum/kernels.h"
#include "keyhaul/checksum.h"

namespace keyhaul {
namespace {

struct Choice {
  CrcKernel crc32 = crc32Portable;
  CrcKernel crc32c = crc32cPortable;
  std::string_view crc32Name = "portable";
  std::string_view crc32cName = "portable";
};

constexpr Choice kSparse{crc32Sparse, crc32cSparse, "sparse", "sparse"};

// On x86 its file is compiled for SSSE3. Elsewhere it runs, but only WASM's is quick.
bool hasSparse() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("ssse3");
#else
  return true;
#endif
}

Choice best() {
#if defined(__wasm_simd128__)
  return kSparse;
#elif defined(__x86_64__)
  Choice choice = hasSparse() ? kSparse : Choice{};
  if (__builtin_cpu_supports("sse4.2")) {
    choice.crc32c = crc32cSse42;
    choice.crc32cName = "sse42";
  }
  if (__builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1")) {
    choice.crc32 = crc32Pclmul;
    choice.crc32Name = "pclmul";
  }
  return choice;
#else
  return {};
#endif
}

Choice& chosen() {
  static Choice choice = best();
  return choice;
}

}  // namespace

Status forceChecksumKernel(std::string_view name) {
  const Choice fastest = best();
  if (name == "auto") {
    chosen() = fastest;
    return {};
  }
  if (name == "portable") {
    chosen() = Choice{};
    return {};
  }
  if (name == "sparse" && hasSparse()) {
    chosen() = kSparse;
    return {};
  }
  if (name == fastest.crc32Name || name == fastest.crc32cName) {
    chosen() = Choice{};
    if (name == fastest.crc32Name) {
      chosen().crc32 = fastest.crc32;
      chosen().crc32Name = name;
    }
    if (name == fastest.crc32cName) {
      chosen().crc32c = fastest.crc32c;
      chosen().crc32cName = name;
    }
    return {};
  }
  return ErrorCode::kUnsupported;
}

std::string_view checksumKernelName(ChecksumKind kind) {
  switch (kind) {
    case ChecksumKind::kNone: return "none";
    case ChecksumKind::kCrc32: return chosen().crc32Name;
    case ChecksumKind::kCrc32c: return chosen().crc32cName;
  }
  return "none";
}

uint32_t crc32(std::span<const std::byte> bytes, uint32_t initial) {
  return ~chosen().crc32(~initial, bytes.data(), bytes.size());
}

uint32_t crc32c(std::span<const std::byte> bytes, uint32_t initial) {
  return ~chosen().crc32c(~initial, bytes.data(), bytes.size());
}

uint32_t crc32(std::string_view bytes, uint32_t initial) { return crc32(asBytes(bytes), initial); }
uint32_t crc32c(std::string_view bytes, uint32_t initial) {
  return crc32c(asBytes(bytes), initial);
}

uint32_t checksum(ChecksumKind kind, std::span<const std::byte> bytes, uint32_t initial) {
  switch (kind) {
    case ChecksumKind::kNone: return 0;
    case ChecksumKind::kCrc32: return crc32(bytes, initial);
    case ChecksumKind::kCrc32c: return crc32c(bytes, initial);
  }
  return 0;
}

}  // namespace keyhaul
