#include "prng.h"

#include <bit>

namespace keyhaul::sim {
namespace {

using Wide = unsigned __int128;

constexpr uint32_t kTableBits = 8;
constexpr uint64_t kLn2 = 0xB17217F7;  // ln 2 in units of 2^-32

// log2(1 + i / 256) in units of 2^-32, bit by bit: squaring doubles a logarithm.
constexpr uint64_t log2OfFraction(uint64_t i) {
  uint64_t x = (uint64_t{1} << 62) + (i << (62 - kTableBits));  // 1.0 is 2^62
  uint64_t log = 0;
  for (int bit = 31; bit >= 0; --bit) {
    x = static_cast<uint64_t>((Wide{x} * x) >> 62);
    if (x >= (uint64_t{1} << 63)) {
      x >>= 1;
      log |= uint64_t{1} << bit;
    }
  }
  return log;
}

constexpr auto kLog2 = [] {
  std::array<uint64_t, (1U << kTableBits) + 1> table{};
  for (size_t i = 0; i < (1U << kTableBits); ++i) table[i] = log2OfFraction(i);
  table[1U << kTableBits] = uint64_t{1} << 32;
  return table;
}();

uint64_t hashOf(std::string_view name) {
  uint64_t hash = 0xCBF29CE484222325U;  // FNV-1a
  for (const char c : name) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001B3U;
  return hash;
}

}  // namespace

uint64_t negativeLog2(uint64_t x) {
  const int zeros = std::countl_zero(x);
  const uint64_t mantissa = (x << zeros) << 1;  // without the leading one
  const auto index = static_cast<size_t>(mantissa >> (64 - kTableBits));
  const uint64_t rest = (mantissa << kTableBits) >> 32;
  const uint64_t low = kLog2[index];
  const uint64_t log = low + (((kLog2[index + 1] - low) * rest) >> 32);
  return ((static_cast<uint64_t>(zeros) + 1) << 32) - log;
}

Prng::Prng(uint64_t seed, std::string_view stream) {
  uint64_t state = mix64(seed + 0x9E3779B97F4A7C15U) ^ hashOf(stream);
  for (uint64_t& word : state_) {
    state += 0x9E3779B97F4A7C15U;
    word = mix64(state);
  }
}

uint64_t Prng::next() {
  const uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
  const uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

uint64_t Prng::below(uint64_t n) {
  Wide product = Wide{next()} * n;
  if (static_cast<uint64_t>(product) < n) {
    const uint64_t biased = (0 - n) % n;  // so many of 2^64 words are too many
    while (static_cast<uint64_t>(product) < biased) product = Wide{next()} * n;
  }
  return static_cast<uint64_t>(product >> 64);
}

uint64_t Prng::exponential(uint64_t mean) {
  const Wide nats = (Wide{negativeLog2(next() | 1)} * kLn2) >> 32;
  return static_cast<uint64_t>((nats * mean) >> 32);
}

}  // namespace keyhaul::sim
