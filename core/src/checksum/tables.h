// Slice-by-16 tables of a reflected CRC polynomial, computed by the compiler; three more are for
// the 19 bytes that sparse.cc ends with.
#pragma once

#include <array>
#include <cstdint>

#include "base/rolled.h"

namespace keyhaul {

inline constexpr uint32_t kCrc32Polynomial = 0xEDB88320;   // ISO-HDLC, reflected
inline constexpr uint32_t kCrc32cPolynomial = 0x82F63B78;  // Castagnoli, reflected

// tables[k][b]: the register after byte b and k zero bytes.
using SliceTables = std::array<std::array<uint32_t, 256>, 19>;

constexpr SliceTables makeSliceTables(uint32_t polynomial) {
  SliceTables tables{};
  KEYHAUL_ROLLED
  for (uint32_t b = 0; b < 256; ++b) {
    uint32_t crc = b;
    KEYHAUL_ROLLED
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? polynomial : 0U);
    tables[0][b] = crc;
  }
  KEYHAUL_ROLLED
  for (uint32_t k = 1; k < tables.size(); ++k) {
    KEYHAUL_ROLLED
    for (uint32_t b = 0; b < 256; ++b) {
      const uint32_t previous = tables[k - 1][b];
      tables[k][b] = (previous >> 8) ^ tables[0][previous & 0xFFU];
    }
  }
  return tables;
}

}  // namespace keyhaul
