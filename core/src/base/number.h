// Arithmetic and digits by small loops: what the libraries have for the same is over a
// kilobyte of the WASM module, and faster where nobody waits.
#pragma once

#include <cstdint>
#include <string>

namespace keyhaul {

// Precondition: by > 0. Rounds down.
unsigned __int128 divide(unsigned __int128 value, uint64_t by);

void putDecimal(std::string& out, uint64_t value);

}  // namespace keyhaul
