// A running 64-bit hash over everything that happened: two runs with the same hash
// did the same. Logging, drawing and checking do not touch it.
#pragma once

#include <cstdint>

#include "prng.h"

namespace keyhaul::sim {

class TraceHash {
 public:
  void add(uint64_t word) { hash_ = mix64((hash_ ^ word) + 0x9E3779B97F4A7C15U); }
  void addEvent(uint64_t timeUs, uint8_t kind, uint16_t node, uint64_t payload) {
    add(timeUs);
    add((uint64_t{kind} << 16) | node);
    add(payload);
  }
  uint64_t value() const { return hash_; }

 private:
  uint64_t hash_ = 0;
};

}  // namespace keyhaul::sim
