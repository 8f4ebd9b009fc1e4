#include "base/json.h"

#include "base/number.h"

namespace keyhaul {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";

// Length of the UTF-8 sequence at the start of `bytes`; 0 when there is none.
size_t sequenceLength(std::string_view bytes) {
  const auto at = [&bytes](size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned char first = at(0);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || length > bytes.size()) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xC0U) != 0x80) return 0;
  }
  if (first == 0xE0 && at(1) < 0xA0) return 0;
  if (first == 0xED && at(1) > 0x9F) return 0;
  if (first == 0xF0 && at(1) < 0x90) return 0;
  if (first == 0xF4 && at(1) > 0x8F) return 0;
  return length;
}

}  // namespace

bool isUtf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t length = sequenceLength(bytes);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

std::string toHex(std::string_view bytes) {
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    hex.push_back(kHexDigits[static_cast<unsigned char>(c) >> 4]);
    hex.push_back(kHexDigits[static_cast<unsigned char>(c) & 15]);
  }
  return hex;
}

void putJsonString(std::string& out, std::string_view value) {
  out.push_back('"');
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (byte < 0x20 || byte == 0x7F) {
      out += "\\u00";
      out.push_back(kHexDigits[byte >> 4]);
      out.push_back(kHexDigits[byte & 15]);
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

void JsonObject::member(std::string_view name) {
  if (!first_) out_.push_back(',');
  first_ = false;
  putJsonString(out_, name);
  out_.push_back(':');
}

void JsonObject::number(std::string_view name, uint64_t value) {
  member(name);
  putDecimal(out_, value);
}

void JsonObject::boolean(std::string_view name, bool value) {
  member(name);
  out_ += value ? "true" : "false";
}

void JsonObject::text(std::string_view name, std::string_view value) {
  member(name);
  // A text that itself begins like the escape is escaped, so reading back is exact.
  if (isUtf8(value) && value.substr(0, 4) != "hex:") return putJsonString(out_, value);
  putJsonString(out_, "hex:" + toHex(value));
}

}  // namespace keyhaul
