// Pieces of JSON.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace keyhaul::sim {

inline std::string hex(uint64_t value) {
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4) text += "0123456789abcdef"[(value >> shift) & 15];
  return text;
}

// Keys and values may be any bytes: those beyond ASCII become the characters of their numbers,
// but for the dots that we write ourselves.
inline std::string quoted(std::string_view text) {
  constexpr std::string_view kDots = "…";
  std::string json = "\"";
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<uint8_t>(text[i]);
    if (text.substr(i, kDots.size()) == kDots) {
      json += kDots;
      i += kDots.size() - 1;
    } else if (byte == '"' || byte == '\\') {
      json += '\\';
      json += text[i];
    } else if (byte < 0x20 || byte >= 0x7F) {
      json += "\\u00";
      json += "0123456789abcdef"[byte >> 4];
      json += "0123456789abcdef"[byte & 15];
    } else {
      json += text[i];
    }
  }
  return json + '"';
}

}  // namespace keyhaul::sim
