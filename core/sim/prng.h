// Chance for the simulator: xoshiro256++ (Blackman and Vigna 2019), seeded by
// splitmix64. Every component draws from a stream of its own, split off by name, so
// that one more draw here does not shift those there. Integers only: the same numbers
// on every machine, in every build.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace keyhaul::sim {

// A good 64-bit mix; also used for the trace hash.
constexpr uint64_t mix64(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31);
}

class Prng {
 public:
  Prng(uint64_t seed, std::string_view stream);
  explicit Prng(const std::array<uint64_t, 4>& state) : state_(state) {}

  uint64_t next();
  // Uniform in [0, n), without the bias of a remainder. n >= 1.
  uint64_t below(uint64_t n);
  // Uniform in [low, high], both inclusive.
  uint64_t between(uint64_t low, uint64_t high) { return low + below(high - low + 1); }
  // True in `perMillion` of a million cases. Draws nothing for 0.
  bool chance(uint32_t perMillion) {
    return perMillion != 0 && below(1'000'000) < perMillion;
  }
  // Exponentially distributed with this mean; at most 45 times the mean.
  uint64_t exponential(uint64_t mean);

 private:
  std::array<uint64_t, 4> state_{};
};

// -log2(x / 2^64) in units of 2^-32, for x >= 1: from a table made by integers alone.
uint64_t negativeLog2(uint64_t x);

}  // namespace keyhaul::sim
