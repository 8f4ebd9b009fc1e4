// Predicts the next byte from several contexts at once, and learns from what it was.
#pragma once
#include "coder.h"
#include "facts.h"

// How many there are of what selects weights, beside the kind.
constexpr uint32_t kSelectors = 2560;

// `packed` is read, or written when packing; `given` is what to pack then.
void beginModel(uint8_t* packed, const uint8_t* given);

// The codes of all kinds: of each but the first 256 lengths.
void codeLengths();

// The next byte; `before` is a hash of the bytes of this number so far.
uint8_t symbol(Kind kind, uint32_t before, uint32_t selector);

#ifdef KEYHAUL_PACK
// Where the packed bytes end.
uint8_t* endModel();

// From then on the bytes given are counted by their kinds, and nothing else.
void beginCounting(const uint8_t* given);
extern uint32_t counts[kKinds][256];
#endif
