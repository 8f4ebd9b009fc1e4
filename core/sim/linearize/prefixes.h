// The states of a string that is put and appended to, as far as anybody looks.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

namespace keyhaul::sim {

// A string that is no prefix of anything that was read can never be read before it is
// replaced, so all of those are one state. That leaves as many states as the values read have
// prefixes, however many orders of appends there are, and no string has to be built.
class Prefixes {
 public:
  // The last value of all states: nobody can see this string.
  static constexpr uint64_t kUnseen = std::numeric_limits<uint64_t>::max();

  // Every value that a read returned; they must outlive this.
  explicit Prefixes(std::vector<std::string_view> read);

  uint64_t of(std::string_view text) const { return find(0, {}, text); }
  uint64_t appended(uint64_t state, std::string_view text) const;

 private:
  uint64_t find(size_t from, std::string_view head, std::string_view tail) const;

  std::vector<std::string_view> sorted_;
};

}  // namespace keyhaul::sim
