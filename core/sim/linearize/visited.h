// The configurations a search has left without success, so that none is entered twice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace keyhaul::sim {

// A configuration is a place in the history, a state, which of the operations that must take
// effect have, and which of those that may. One that differs from a failed one only in having
// used up more of the latter has no more to hope for, and counts as failed too.
class Visited {
 public:
  // The words of bits that must be equal, followed by those that are compared as subsets.
  void reset(size_t requiredWords, size_t optionalWords);
  // False if it, or a better one, is there already.
  bool insert(uint64_t place, uint64_t state, const uint64_t* bits);

 private:
  uint64_t hashOf(const uint64_t* entry) const;
  bool covers(const uint64_t* entry, uint64_t place, uint64_t state, const uint64_t* bits) const;
  void grow();

  size_t requiredWords_ = 0;
  size_t words_ = 0;
  // Entries one after the other: place, state, bits.
  std::vector<uint64_t> entries_;
  size_t count_ = 0;
  // Open addressing: generation in the upper half, entry in the lower. An old generation is
  // an empty slot, so a reset costs nothing.
  std::vector<uint64_t> slots_;
  uint32_t generation_ = 0;
};

}  // namespace keyhaul::sim
