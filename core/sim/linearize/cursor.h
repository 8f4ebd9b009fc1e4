// A place in a line of text, and what stands there.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace keyhaul::sim {

// Text as a person may see it: in quotes, control and non-ASCII bytes as \xNN, and of what is
// long only the end, which is where values that are appended to differ.
std::string quoted(std::string_view text, size_t shownMax = 40);

class Cursor {
 public:
  Cursor(std::string_view line, std::string_view blanks)
      : rest_(line), blanks_(blanks), ends_(std::string(blanks) + "]}") {
    skip();
  }

  bool atEnd() const { return rest_.empty(); }
  // What stands here, for an error.
  std::string here() const { return atEnd() ? "the end of the line" : quoted(word()); }

  bool take(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    skip();
    return true;
  }
  // As `take`, of a whole word.
  bool takeWord(std::string_view text) { return word() == text && take(text); }

  std::optional<int64_t> number() {
    int64_t value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc()) return std::nullopt;
    const std::string_view before = rest_;
    rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
    // The rest of a word, as in 12ab, is no end of a number.
    if (!rest_.empty() && ends_.find(rest_.front()) == std::string::npos) {
      rest_ = before;
      return std::nullopt;
    }
    skip();
    return value;
  }

  // A string in quotes with the usual escapes; none if it is not ended, or has others.
  std::optional<std::string> string();

 private:
  // At least one character, so that brackets are words.
  std::string_view word() const { return rest_.substr(0, rest_.find_first_of(ends_, 1)); }
  void skip() { rest_.remove_prefix(std::min(rest_.size(), rest_.find_first_not_of(blanks_))); }

  std::string_view rest_;
  std::string_view blanks_;
  // Where a word ends.
  std::string ends_;
};

}  // namespace keyhaul::sim
