// KEYHAUL_CHECKSUM_KERNEL=portable build/.../keyhaul_unit: every test on that kernel.
#include <cstdio>
#include <cstdlib>

#include "keyhaul/checksum.h"

namespace keyhaul::test {
namespace {

[[maybe_unused]] const bool kForced = [] {
  const char* name = std::getenv("KEYHAUL_CHECKSUM_KERNEL");
  if (name == nullptr) return false;
  if (!forceChecksumKernel(name).ok()) {
    std::fprintf(stderr, "no checksum kernel '%s' on this processor\n", name);
    std::exit(2);
  }
  if (checksumKernelName(ChecksumKind::kCrc32c) == name) return true;
  std::fprintf(stderr, "'%s' was forced and is not the kernel\n", name);
  std::exit(3);
}();

}  // namespace
}  // namespace keyhaul::test
