// Base64 as a module travels in, for the modules that unpack one.
#pragma once
#include <cstdint>

// The six bits of a character; what is not one of the 64 gives some.
inline uint32_t sixBits(uint8_t character) {
  if (character >= 'a') return character - 'a' + 26U;
  if (character >= 'A') return character - 'A';
  if (character >= '0') return character - '0' + 52U;
  return character == '+' ? 62 : 63;
}

// The bytes that text stands for, up to `end` (a multiple of four characters); where they end.
inline uint8_t* bytesOf(const uint8_t* text, const uint8_t* end, uint8_t* out) {
  for (; text < end; text += 4) {
    uint32_t three = 0;
    for (int i = 0; i < 4; ++i) three = three << 6 | sixBits(text[i]);
    for (int shift = 16; shift >= 0; shift -= 8) *out++ = static_cast<uint8_t>(three >> shift);
  }
  return out;
}
