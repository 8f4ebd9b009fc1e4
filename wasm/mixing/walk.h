// From one part of a module to the next, telling the model what is known there.
#pragma once
#include <cstdint>

// Writes the module to `out`, up to `end`, of which the first `head` bytes are before its functions. Packing takes the same
// steps, with the bytes that there are.
void walk(uint8_t* out, const uint8_t* end, uint32_t head);
