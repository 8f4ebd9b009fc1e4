#include "base/assert.h"

#include <cstdlib>

#ifdef __EMSCRIPTEN__
#include <emscripten/console.h>

#include <string>

#include "base/number.h"
#else
#include <cstdio>
#endif

namespace keyhaul {

void assertFailed(const char* condition, const char* file, int line) {
#ifdef __EMSCRIPTEN__
  // stdio would add a third to the size of the module.
  std::string place = "keyhaul: broken invariant in ";
  place.append(file).push_back(':');
  putDecimal(place, static_cast<uint64_t>(line));
  emscripten_console_error(place.c_str());
  static_cast<void>(condition);
#else
  std::fprintf(stderr, "keyhaul: broken invariant: %s (%s:%d)\n", condition, file, line);
#endif
  std::abort();
}

}  // namespace keyhaul
