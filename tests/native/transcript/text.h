// The words of transcripts: bytes, times and entries as people write them. The same
// rules stand in tests/js/parity/text.ts; tests/golden/transcripts/README.md says them.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "keyhaul/frame.h"
#include "keyhaul/key_range.h"
#include "keyhaul/time.h"

namespace keyhaul::transcript {

// Printable ASCII stands for itself, a zero byte is \0, everything else \xNN.
std::string escaped(std::string_view bytes);
std::string unescaped(std::string_view text);

// "x*1000" is a thousand x; runs of more than 16 bytes are written so.
std::string valueText(std::string_view value);
std::string parseValue(std::string_view text);

// "0s", "50ms", "31s", "1050us": the largest unit that gives a whole number.
std::string timeText(uint64_t us);
uint64_t parseTime(std::string_view text);

uint64_t parseNumber(std::string_view text);
// "1 entry", "2 entries"; "1 byte", "2 bytes".
std::string counted(uint64_t n, std::string_view noun);
std::vector<std::string> words(std::string_view line);

// One write: what is put, or deleted where `deleted`.
struct Write {
  std::string key, value;
  bool deleted = false;
};
// "k=v", or "-k" for a delete.
Write parseWrite(std::string_view text);
std::string writeText(const EntryView& entry);

// "all keys", "from a", "below m", "from a below m": half open, as the core has them.
std::string rangeText(const KeyRange& range);
// "a..m": both ends belong to it; either may be missing.
KeyRange parseRange(std::string_view text);

// The script itself is wrong.
struct ScriptError : std::runtime_error {
  using std::runtime_error::runtime_error;
};
[[noreturn]] void scriptError(const std::string& what);

}  // namespace keyhaul::transcript
