// Writes one flat or nested JSON object into a string. Byte strings that are not
// UTF-8 are written as "hex:…", so every output is valid JSON.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace keyhaul {

// Valid UTF-8 by RFC 3629: no overlong forms, no surrogates, at most U+10FFFF.
bool isUtf8(std::string_view bytes);
std::string toHex(std::string_view bytes);

class JsonObject {
 public:
  explicit JsonObject(std::string& out) : out_(out) { out_.push_back('{'); }
  JsonObject(const JsonObject&) = delete;
  JsonObject& operator=(const JsonObject&) = delete;

  void number(std::string_view name, uint64_t value);
  void boolean(std::string_view name, bool value);
  // Text, or bytes that people read as text where they can.
  void text(std::string_view name, std::string_view value);
  // The member's value is what the caller appends to the string next.
  void member(std::string_view name);
  void close() { out_.push_back('}'); }

 private:
  std::string& out_;
  bool first_ = true;
};

void putJsonString(std::string& out, std::string_view value);

}  // namespace keyhaul
