// Arithmetic, digits and order by small loops: what the libraries have for the same is over a
// kilobyte of the WASM module each, and faster where nobody waits.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace keyhaul {

// Precondition: by > 0. Rounds down.
unsigned __int128 divide(unsigned __int128 value, uint64_t by);

void putDecimal(std::string& out, uint64_t value);
std::string toDecimal(uint64_t value);

// The lowest first. Not std::sort, which is four times the code.
void sortNumbers(std::vector<uint64_t>& numbers);

}  // namespace keyhaul
