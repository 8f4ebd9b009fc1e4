#include "value.h"

#include <charconv>
#include <utility>

namespace keyhaul::sim {
namespace {
char padding(uint64_t sequence, uint64_t at) {
  return static_cast<char>('a' + (sequence * 7 + at) % 26);
}
}  // namespace

std::string makeValue(std::string_view key, uint32_t client, uint64_t sequence,
                      uint64_t paddingBytes) {
  std::string value(key);
  value += '|' + std::to_string(client) + '|' + std::to_string(sequence) + '|';
  for (uint64_t i = 0; i < paddingBytes; ++i) value += padding(sequence, i);
  return value;
}

uint64_t sequenceOf(std::string_view value) {
  const size_t client = value.find('|'), at = client == value.npos ? client : value.find('|', client + 1);
  uint64_t sequence = 0;
  if (at != value.npos) std::from_chars(value.data() + at + 1, value.data() + value.size(), sequence);
  return sequence;
}

std::string withEnd(std::string value, uint64_t atUs) { return std::move(value) + '~' + std::to_string(atUs); }

// Behind the last '~', which is in no padding.
uint64_t endOf(std::string_view value) {
  const size_t at = value.rfind('~');
  if (at == value.npos) return kNoEnd;
  uint64_t end = kNoEnd;
  const auto number = std::from_chars(value.data() + at + 1, value.data() + value.size(), end);
  return number.ec == std::errc() && number.ptr == value.data() + value.size() ? end : kNoEnd;
}

std::string numberedKey(std::string_view prefix, uint64_t number) {
  const std::string digits = std::to_string(number);
  return std::string(prefix) + std::string(5 - digits.size(), '0') + digits;
}

bool isValueOf(std::string_view key, std::string_view value) {
  if (value.substr(0, key.size()) != key) return false;
  const char* at = value.data() + key.size();
  const char* end = value.data() + value.size();
  uint64_t sequence = 0;
  for (int field = 0; field < 2; ++field) {
    if (at == end || *at++ != '|') return false;
    const auto number = std::from_chars(at, end, sequence);
    if (number.ec != std::errc()) return false;
    at = number.ptr;
  }
  if (at == end || *at++ != '|') return false;
  if (endOf(value) != kNoEnd) end = value.data() + value.rfind('~');
  for (uint64_t i = 0; at != end; ++i, ++at) {
    if (*at != padding(sequence, i)) return false;
  }
  return true;
}

}  // namespace keyhaul::sim
