// Picks the kernels once, by what the processor can do, and lets tests and hosts
// force one so that every kernel runs on every test.
#include "base/bytes.h"
#include "checksum/kernels.h"
#include "keyhaul/checksum.h"

namespace keyhaul {
namespace {

struct Kernel {
  std::string_view name;
  CrcKernel crc32;   // nullptr: not of this checksum
  CrcKernel crc32c;
  bool (*runsHere)();
  bool isFast;  // as fast as those before it or faster, wherever it runs
};

bool always() { return true; }

#if defined(__x86_64__)
bool hasSsse3() { return __builtin_cpu_supports("ssse3"); }
bool hasSse42() { return __builtin_cpu_supports("sse4.2"); }
bool hasPclmul() { return hasSse42() && __builtin_cpu_supports("pclmul"); }
bool hasVpclmul256() {
  return hasPclmul() && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("vpclmulqdq");
}
bool hasVpclmul512() { return hasVpclmul256() && __builtin_cpu_supports("avx512f"); }
#endif

// Each but the first is compiled for more than the baseline, or slow on some.
constexpr Kernel kKernels[] = {
    {"portable", crc32Portable, crc32cPortable, always, true},
#if defined(__wasm_simd128__)
    {"sparse", crc32Sparse, crc32cSparse, always, true},
#elif defined(__x86_64__)
    {"sparse", crc32Sparse, crc32cSparse, hasSsse3, true},
    {"sse42", nullptr, crc32cSse42, hasSse42, true},
    {"pclmul", crc32Pclmul, crc32cPclmul, hasPclmul, true},
    {"vpclmul256", crc32Vpclmul256, crc32cVpclmul256, hasVpclmul256, true},
    {"vpclmul512", crc32Vpclmul512, crc32cVpclmul512, hasVpclmul512, true},
#else
    {"sparse", crc32Sparse, crc32cSparse, always, false},
#endif
#if defined(KEYHAUL_HAS_ARMV8)
    {"armv8", crc32Armv8, crc32cArmv8, always, true},
#endif
};

struct Choice {
  CrcKernel crc32 = crc32Portable;
  CrcKernel crc32c = crc32cPortable;
  std::string_view crc32Name = kKernels[0].name;
  std::string_view crc32cName = kKernels[0].name;

  void take(const Kernel& kernel) {
    if (kernel.crc32 != nullptr) {
      crc32 = kernel.crc32;
      crc32Name = kernel.name;
    }
    if (kernel.crc32c != nullptr) {
      crc32c = kernel.crc32c;
      crc32cName = kernel.name;
    }
  }
};

Choice best() {
  Choice choice;
  for (const Kernel& kernel : kKernels) {
    if (kernel.isFast && kernel.runsHere()) choice.take(kernel);
  }
  return choice;
}

Choice& chosen() {
  static Choice choice = best();
  return choice;
}

}  // namespace

Status forceChecksumKernel(std::string_view name) {
  if (name == "auto") {
    chosen() = best();
    return {};
  }
  for (const Kernel& kernel : kKernels) {
    if (kernel.name != name || !kernel.runsHere()) continue;
    chosen() = Choice{};
    chosen().take(kernel);
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
