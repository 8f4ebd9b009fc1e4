// KEYHAUL_CHECKSUM_KERNEL=portable build/.../keyhaul_unit: every test on that kernel.
#include <cstdio>
#include <cstdlib>

#include "keyhaul/checksum.h"

namespace keyhaul::test {
namespace {

[[maybe_unused]] const bool kForced = [] {
  const char* name = std::getenv("KEYHAUL_CHECKSUM_KERNEL");
  if (name == nullptr) return false;
  if (forceChecksumKernel(name).ok()) return true;
  std::fprintf(stderr, "no checksum kernel '%s' on this processor\n", name);
  std::exit(2);
}();

}  // namespace
}  // namespace keyhaul::test
