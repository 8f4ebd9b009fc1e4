// Bounded encoding of numbers and byte strings: LEB128 in its shortest form, and
// byte strings with their length in front. The reader never passes its end; the
// first thing wrong makes every later read fail.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace keyhaul {

void putVarint(std::string& out, uint64_t value);
void putBytes(std::string& out, std::string_view bytes);

// Not inline: dozens of calls each would make the codec several times larger.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  uint64_t varint();
  // Fails above `most`.
  uint64_t varint(uint64_t most);
  bool boolean() { return varint(1) == 1; }
  // A length and so many bytes; fails above `most`.
  std::string_view bytes(uint64_t most);
  std::string_view raw(uint64_t length);

  uint64_t fail();
  bool failed() const { return failed_; }
  // Everything was read and nothing was wrong.
  bool finished() const { return !failed_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace keyhaul
