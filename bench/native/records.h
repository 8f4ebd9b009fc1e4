// The records that are measured: keys of 16 bytes with values of 100 or 1,000, as in the
// tables of bench/README.md.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace keyhaul::bench {

constexpr uint32_t kKeyBytes = 16;

inline std::string keyOf(uint64_t number) {
  std::string key(kKeyBytes, '0');
  for (size_t at = kKeyBytes; number > 0; number /= 10) key[--at] = static_cast<char>('0' + number % 10);
  return key;
}

// Strictly increasing keys; bytes of a fixed sequence as values.
inline std::vector<std::pair<std::string, std::string>> records(uint32_t count, size_t valueBytes) {
  std::vector<std::pair<std::string, std::string>> all;
  uint32_t state = 1;
  for (uint32_t i = 0; i < count; ++i) {
    std::string value(valueBytes, '\0');
    for (char& c : value) {
      state = state * 1'664'525U + 1'013'904'223U;
      c = static_cast<char>(state >> 24);
    }
    all.emplace_back(keyOf(uint64_t{i} * 10), std::move(value));
  }
  return all;
}

}  // namespace keyhaul::bench
