#include "linearize/cursor.h"

namespace keyhaul::sim {

std::string quoted(std::string_view text, size_t shownMax) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const bool whole = text.size() <= shownMax;
  std::string out = whole ? "\"" : "\"…";
  for (const char c : whole ? text : text.substr(text.size() - shownMax)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') out.push_back('\\');
    if (byte >= 0x20 && byte < 0x7F) {
      out.push_back(c);
    } else {
      out += {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  out.push_back('"');
  if (!whole) out += " (" + std::to_string(text.size()) + " bytes)";
  return out;
}

std::optional<std::string> Cursor::string() {
  if (!rest_.starts_with('"')) return std::nullopt;
  std::string value;
  for (size_t i = 1; i < rest_.size(); ++i) {
    char c = rest_[i];
    if (c == '"') {
      rest_.remove_prefix(i + 1);
      skip();
      return value;
    }
    if (c == '\\') {
      constexpr std::string_view kNames = "\"\\ntr";
      constexpr std::string_view kMeant = "\"\\\n\t\r";
      const size_t which = ++i < rest_.size() ? kNames.find(rest_[i]) : std::string_view::npos;
      if (which == std::string_view::npos) return std::nullopt;
      c = kMeant[which];
    }
    value.push_back(c);
  }
  return std::nullopt;
}

}  // namespace keyhaul::sim
