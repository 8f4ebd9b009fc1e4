#include "base/varint.h"

namespace keyhaul {

void putVarint(std::string& out, uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

void putBytes(std::string& out, std::string_view bytes) {
  putVarint(out, bytes.size());
  out.append(bytes);
}

uint64_t ByteReader::varint() {
  uint64_t value = 0;
  for (uint32_t shift = 0; shift < 64; shift += 7) {
    if (rest_.empty()) return fail();
    const auto byte = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    if (shift == 63 && byte > 1) return fail();
    value |= uint64_t{byte & 0x7FU} << shift;
    if (byte < 0x80) {
      if (byte == 0 && shift > 0) return fail();  // not the shortest form
      return value;
    }
  }
  return fail();
}

uint64_t ByteReader::varint(uint64_t most) {
  const uint64_t value = varint();
  return value <= most ? value : fail();
}

std::string_view ByteReader::bytes(uint64_t most) {
  const uint64_t length = varint();
  if (failed_ || length > most || length > rest_.size()) {
    fail();
    return {};
  }
  return raw(length);
}

std::string_view ByteReader::raw(uint64_t length) {
  if (length > rest_.size()) {
    fail();
    return {};
  }
  const std::string_view taken = rest_.substr(0, static_cast<size_t>(length));
  rest_.remove_prefix(static_cast<size_t>(length));
  return taken;
}

uint64_t ByteReader::fail() {
  failed_ = true;
  rest_ = {};
  return 0;
}

}  // namespace keyhaul
