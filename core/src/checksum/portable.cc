// Slice-by-16 (after Kounavis and Berry, "A Systematic Approach to Building High
// Performance Software-based CRC Generators", 2005): sixteen bytes a turn, one
// table look-up each, no dependence between the look-ups; of what is left four.
#include "base/bytes.h"
#include "checksum/kernels.h"
#include "checksum/tables.h"

namespace keyhaul {
namespace {

#ifdef __EMSCRIPTEN__
// In a module that travels over networks 32 KiB of tables that do not compress
// are made where they are used instead; `volatile` keeps the compiler from
// making them all the same.
const SliceTables& crc32Tables() {
  static volatile uint32_t polynomial = kCrc32Polynomial;
  static const SliceTables tables = makeSliceTables(polynomial);
  return tables;
}
const SliceTables& crc32cTables() {
  static volatile uint32_t polynomial = kCrc32cPolynomial;
  static const SliceTables tables = makeSliceTables(polynomial);
  return tables;
}
#else
constexpr SliceTables kCrc32Tables = makeSliceTables(kCrc32Polynomial);
constexpr SliceTables kCrc32cTables = makeSliceTables(kCrc32cPolynomial);
const SliceTables& crc32Tables() { return kCrc32Tables; }
const SliceTables& crc32cTables() { return kCrc32cTables; }
#endif

inline uint32_t fold(const SliceTables& t, uint64_t word, uint32_t top) {
  return t[top][word & 0xFF] ^ t[top - 1][(word >> 8) & 0xFF] ^ t[top - 2][(word >> 16) & 0xFF] ^
         t[top - 3][(word >> 24) & 0xFF] ^ t[top - 4][(word >> 32) & 0xFF] ^
         t[top - 5][(word >> 40) & 0xFF] ^ t[top - 6][(word >> 48) & 0xFF] ^ t[top - 7][word >> 56];
}

inline uint32_t run(const SliceTables& t, uint32_t reg, const std::byte* data, size_t length) {
  while (length >= 16) {
    const uint64_t low = loadLe<uint64_t>(data) ^ reg;
    const uint64_t high = loadLe<uint64_t>(data + 8);
    reg = fold(t, low, 15) ^ fold(t, high, 7);
    data += 16;
    length -= 16;
  }
  while (length >= 4) {
    reg ^= loadLe<uint32_t>(data);
    reg = t[3][reg & 0xFF] ^ t[2][(reg >> 8) & 0xFF] ^ t[1][(reg >> 16) & 0xFF] ^ t[0][reg >> 24];
    data += 4;
    length -= 4;
  }
  for (; length > 0; --length, ++data) {
    reg = (reg >> 8) ^ t[0][(reg ^ static_cast<uint32_t>(*data)) & 0xFFU];
  }
  return reg;
}

inline uint32_t of19(const SliceTables& t, const std::byte* data) {
  const auto last = loadLe<uint32_t>(data + 16);
  return fold(t, loadLe<uint64_t>(data), 18) ^ fold(t, loadLe<uint64_t>(data + 8), 10) ^
         t[2][last & 0xFF] ^ t[1][(last >> 8) & 0xFF] ^ t[0][(last >> 16) & 0xFF];
}

}  // namespace

uint32_t crc32PortableOf19(const std::byte* data) { return of19(crc32Tables(), data); }
uint32_t crc32cPortableOf19(const std::byte* data) { return of19(crc32cTables(), data); }

uint32_t crc32Portable(uint32_t reg, const std::byte* data, size_t length) {
  return run(crc32Tables(), reg, data, length);
}

uint32_t crc32cPortable(uint32_t reg, const std::byte* data, size_t length) {
  return run(crc32cTables(), reg, data, length);
}

}  // namespace keyhaul
