#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace keyhaul {

void assertFailed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "keyhaul: broken invariant: %s (%s:%d)\n", condition, file, line);
  std::abort();
}

}  // namespace keyhaul
