#include "text.h"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace keyhaul::transcript {
namespace {

constexpr size_t kRunBytes = 16;  // a longer run of one byte is written as "x*17"

uint8_t hexDigit(char c) {
  if (c >= '0' && c <= '9') return static_cast<uint8_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<uint8_t>(c - 'a' + 10);
  scriptError(std::string("not a hex digit: ") + c);
}

}  // namespace

void scriptError(const std::string& what) { throw ScriptError(what); }

std::string escaped(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte == 0) {
      text += "\\0";
    } else if (byte > 0x20 && byte < 0x7F && c != '\\' && c != '=') {
      text += c;
    } else {
      char hex[8];
      std::snprintf(hex, sizeof hex, "\\x%02x", byte);
      text += hex;
    }
  }
  return text;
}

std::string unescaped(std::string_view text) {
  std::string bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      bytes += text[i];
    } else if (i + 1 < text.size() && text[i + 1] == '0') {
      bytes += '\0';
      i += 1;
    } else if (i + 3 < text.size() && text[i + 1] == 'x') {
      bytes += static_cast<char>(hexDigit(text[i + 2]) * 16 + hexDigit(text[i + 3]));
      i += 3;
    } else {
      scriptError("a backslash stands before 0 or xNN: " + std::string(text));
    }
  }
  return bytes;
}

std::string valueText(std::string_view value) {
  const bool run = value.size() > kRunBytes &&
                   std::all_of(value.begin(), value.end(), [&](char c) { return c == value[0]; });
  if (!run) return escaped(value);
  return escaped(value.substr(0, 1)) + "*" + std::to_string(value.size());
}

std::string parseValue(std::string_view text) {
  const size_t star = text.rfind('*');
  if (star == std::string_view::npos) return unescaped(text);
  const std::string byte = unescaped(text.substr(0, star));
  if (byte.size() != 1) scriptError("one byte stands before the * of " + std::string(text));
  return std::string(parseNumber(text.substr(star + 1)), byte[0]);
}

std::string timeText(uint64_t us) {
  if (us % 1'000'000 == 0) return std::to_string(us / 1'000'000) + "s";
  if (us % 1'000 == 0) return std::to_string(us / 1'000) + "ms";
  return std::to_string(us) + "us";
}

uint64_t parseTime(std::string_view text) {
  const std::pair<std::string_view, uint64_t> units[] = {{"us", 1}, {"ms", 1'000}, {"s", 1'000'000}};
  for (const auto& [unit, us] : units) {
    if (text.ends_with(unit)) return parseNumber(text.substr(0, text.size() - unit.size())) * us;
  }
  scriptError("a time needs a unit, us, ms or s: " + std::string(text));
}

uint64_t parseNumber(std::string_view text) {
  uint64_t number = 0;
  if (text.empty()) scriptError("a number is missing");
  for (const char c : text) {
    if (c < '0' || c > '9') scriptError("not a number: " + std::string(text));
    number = number * 10 + static_cast<uint64_t>(c - '0');
  }
  return number;
}

std::string counted(uint64_t n, std::string_view noun) {
  std::string text = std::to_string(n) + " " + std::string(noun);
  if (n == 1) return text;
  if (!noun.ends_with('y')) return text + "s";
  text.pop_back();
  return text + "ies";
}

std::vector<std::string> words(std::string_view line) {
  std::vector<std::string> all;
  size_t at = 0;
  while (at < line.size()) {
    const size_t end = std::min(line.find(' ', at), line.size());
    if (end > at) all.emplace_back(line.substr(at, end - at));
    at = end + 1;
  }
  return all;
}

Write parseWrite(std::string_view text) {
  if (text.starts_with('-')) return {unescaped(text.substr(1)), {}, true};
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos) scriptError("neither key=value nor -key: " + std::string(text));
  return {unescaped(text.substr(0, equals)), parseValue(text.substr(equals + 1)), false};
}

std::string writeText(const EntryView& entry) {
  if (entry.deleted) return "-" + escaped(entry.key);
  return escaped(entry.key) + "=" + valueText(entry.value);
}

std::string rangeText(const KeyRange& range) {
  std::string text;
  if (!range.lo.empty()) text = "from " + escaped(range.lo);
  if (!range.hi.isInfinite()) text += (text.empty() ? "below " : " below ") + escaped(range.hi.key());
  return text.empty() ? "all keys" : text;
}

KeyRange parseRange(std::string_view text) {
  const size_t dots = text.find("..");
  if (dots == std::string_view::npos) scriptError("a range is start..end: " + std::string(text));
  KeyRange range;
  range.lo = unescaped(text.substr(0, dots));
  if (dots + 2 < text.size()) range.hi = Bound::at(successor(unescaped(text.substr(dots + 2))));
  return range;
}

}  // namespace keyhaul::transcript
