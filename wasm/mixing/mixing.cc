// Unpacks the module of the page, which travels in base64 inside the JavaScript: a module of its own, because one that
// is compiled ahead is fast at once, where the same loops in JavaScript would first have to become hot.
// Built with KEYHAUL_PACK it packs, for scripts/mix.mjs: the same model, the same walk.
#include <cstdint>

#include "model.h"
#include "../unpack/base64.h"
#include "walk.h"

#ifdef KEYHAUL_PACK

// Both take what scripts/mix.mjs lists, and write the module again as they go, up to a few bytes behind its end.

// How often each byte of each kind comes, but of the first; `given` has no lengths of codes yet. Once an instance, and nothing after it.
extern "C" const uint32_t* count(const uint8_t* given, uint8_t* module, uint32_t moduleBytes, uint32_t head) {
  beginCounting(given);
  walk(module, module + moduleBytes, head);
  return counts[1];
}

// Where the packed bytes end.
extern "C" uint8_t* mix(const uint8_t* given, uint8_t* packed, uint8_t* module, uint32_t moduleBytes, uint32_t head) {
  packed[0] = static_cast<uint8_t>(head);
  packed[1] = static_cast<uint8_t>(head >> 8);
  beginModel(packed + 2, given);
  codeLengths();
  walk(module, module + moduleBytes, head);
  return endModel();
}

#else

// The module of `characters` (a multiple of four) of text at `text`, and where it is. Once an
// instance: it begins with what is zero in a fresh one. Above the text there has to be room for what the text stands for and the module.
extern "C" uint8_t* unpack(const uint8_t* text, uint32_t characters, uint32_t moduleBytes) {
  const uint8_t* const end = text + characters;
  uint8_t* const packed = const_cast<uint8_t*>(end);
  uint8_t* out = bytesOf(text, end, packed);
  out += 8;  // zeros, for a coder that reads ahead
  beginModel(packed + 2, nullptr);
  codeLengths();
  walk(out, out + moduleBytes, packed[0] | static_cast<uint32_t>(packed[1]) << 8);
  return out;
}

#endif
