// Checksums over linear memory, and plain memory for the host to stage bytes in.
#include <emscripten/bind.h>
#include <emscripten/em_macros.h>

#include <cstdlib>

#include "handles.h"
#include "keyhaul/checksum.h"

namespace keyhaul {
namespace {

using boundary::memory;

uint32_t combine(uint32_t castagnoli, uint32_t a, uint32_t b, double lengthB) {
  const auto length = static_cast<uint64_t>(lengthB);
  return castagnoli != 0 ? crc32cCombine(a, b, length) : crc32Combine(a, b, length);
}
uint32_t allocate(uint32_t bytes) {
  return boundary::addressOf(std::malloc(bytes));
}
void deallocate(uint32_t address) {
  std::free(reinterpret_cast<void*>(static_cast<uintptr_t>(address)));
}

}  // namespace

// Not by Embind: without generated code its call costs more than the CRC of a kilobyte.
extern "C" {
EMSCRIPTEN_KEEPALIVE uint32_t keyhaulCrc32(uint32_t address, uint32_t bytes, uint32_t initial) {
  return crc32(memory(address, bytes), initial);
}
EMSCRIPTEN_KEEPALIVE uint32_t keyhaulCrc32c(uint32_t address, uint32_t bytes, uint32_t initial) {
  return crc32c(memory(address, bytes), initial);
}
}

EMSCRIPTEN_BINDINGS(keyhaul_checksum) {
  emscripten::function("combine", &combine);
  emscripten::function("allocate", &allocate);
  emscripten::function("deallocate", &deallocate);
}

}  // namespace keyhaul
