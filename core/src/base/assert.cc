#include "base/assert.h"

#include <cstdlib>

#ifdef __EMSCRIPTEN__
#include <emscripten/console.h>
#else
#include <cstdio>
#endif

namespace keyhaul {

void assertFailed(const char* condition, const char* file, int line) {
#ifdef __EMSCRIPTEN__
  // stdio would add a third to the size of the module.
  emscripten_console_error(file);
  emscripten_console_error(condition);
  static_cast<void>(line);
#else
  std::fprintf(stderr, "keyhaul: broken invariant: %s (%s:%d)\n", condition, file, line);
#endif
  std::abort();
}

}  // namespace keyhaul
