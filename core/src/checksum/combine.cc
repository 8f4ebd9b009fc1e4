// crc(a + b) from crc(a), crc(b) and |b|: appending n zero bytes multiplies the
// register by x^(8n) modulo the polynomial, and that power is found by squaring
// (the method of zlib's crc32_combine).
#include "checksum/tables.h"
#include "keyhaul/checksum.h"

namespace keyhaul {
namespace {

// a * b modulo the polynomial; bit 31 is x^0 because the CRC is reflected.
[[gnu::noinline]] uint32_t multiply(uint32_t a, uint32_t b, uint32_t polynomial) {
  uint32_t product = 0;
  KEYHAUL_ROLLED
  for (uint32_t bit = 1U << 31; bit != 0; bit >>= 1) {
    if ((a & bit) != 0) product ^= b;
    b = (b >> 1) ^ ((b & 1U) != 0 ? polynomial : 0U);
  }
  return product;
}

[[gnu::noinline]] uint32_t combine(uint32_t crcA, uint32_t crcB, uint64_t lengthB, uint32_t polynomial) {
  uint32_t power = 1U << 31;   // x^0
  uint32_t square = 1U << 23;  // x^8
  for (uint64_t n = lengthB; n != 0; n >>= 1) {
    if ((n & 1U) != 0) power = multiply(power, square, polynomial);
    square = multiply(square, square, polynomial);
  }
  return multiply(power, crcA, polynomial) ^ crcB;
}

}  // namespace

uint32_t crc32Combine(uint32_t crcA, uint32_t crcB, uint64_t lengthB) {
  return combine(crcA, crcB, lengthB, kCrc32Polynomial);
}

uint32_t crc32cCombine(uint32_t crcA, uint32_t crcB, uint64_t lengthB) {
  return combine(crcA, crcB, lengthB, kCrc32cPolynomial);
}

}  // namespace keyhaul
