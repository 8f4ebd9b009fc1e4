// How often the heap was asked for memory while somebody counts. In a binary of its own,
// because it replaces operator new for all of it.
#pragma once

#include <cstdint>

namespace keyhaul::test {

void startCounting();
void stopCounting();
// Since it was asked last.
uint64_t takeAllocations();

}  // namespace keyhaul::test
