// What the code of a module consists of, kind by kind, as scripts/pack.mjs took it apart.
#pragma once
#include <cstdint>

// Puts the module together again at `out`, of `packed`: the table of how many bytes each kind
// has, then the kinds themselves.
void merge(const uint8_t* packed, uint8_t* out);
