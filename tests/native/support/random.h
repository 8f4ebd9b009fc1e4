// A small generator with a fixed seed, so that a failing case can be repeated
// (splitmix64, Steele, Lea and Flood 2014).
#pragma once

#include <cstdint>
#include <string>

namespace keyhaul::test {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t z = (state_ += 0x9E3779B97F4A7C15U);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
  }
  uint64_t below(uint64_t n) { return next() % n; }
  std::string bytes(size_t length) {
    std::string text;
    for (size_t i = 0; i < length; ++i) text.push_back(static_cast<char>(next()));
    return text;
  }

 private:
  uint64_t state_;
};

}  // namespace keyhaul::test
