// A CRC as its definition goes: what kernels and peers are held to, and what a slow program does.
#pragma once

#include <cstdint>
#include <string_view>

namespace keyhaul::bench {

// `polynomial` with its bits reflected; `initial` is the sum of what goes before.
inline uint32_t crcBitByBit(uint32_t polynomial, std::string_view bytes, uint32_t initial = 0) {
  uint32_t crc = ~initial;
  for (const char byte : bytes) {
    crc ^= static_cast<uint8_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (polynomial & (0U - (crc & 1U)));
  }
  return ~crc;
}

}  // namespace keyhaul::bench
