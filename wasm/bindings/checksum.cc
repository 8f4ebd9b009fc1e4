// Checksums over linear memory, and plain memory for the host to stage bytes in.
#include <emscripten/bind.h>

#include <cstdlib>

#include "handles.h"
#include "keyhaul/checksum.h"

namespace keyhaul {
namespace {

using boundary::memory;

uint32_t crc32At(uint32_t address, uint32_t bytes, uint32_t initial) {
  return crc32(memory(address, bytes), initial);
}
uint32_t crc32cAt(uint32_t address, uint32_t bytes, uint32_t initial) {
  return crc32c(memory(address, bytes), initial);
}
// Where in the function table: Embind without generated code takes longer for a call than the
// CRC of a kilobyte does, so JavaScript takes these two from there.
uint32_t checksumFunction(uint32_t castagnoli) {
  return static_cast<uint32_t>(
      reinterpret_cast<uintptr_t>(castagnoli != 0 ? &crc32cAt : &crc32At));
}
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

EMSCRIPTEN_BINDINGS(keyhaul_checksum) {
  emscripten::function("checksumFunction", &checksumFunction);
  emscripten::function("combine", &combine);
  emscripten::function("allocate", &allocate);
  emscripten::function("deallocate", &deallocate);
}

}  // namespace keyhaul
