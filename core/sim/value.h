// Values say what they are: (key, client, sequence), then padding that follows from
// them. So a value in the wrong place, or with one wrong byte, gives itself away.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace keyhaul::sim {

std::string makeValue(std::string_view key, uint32_t client, uint64_t sequence,
                      uint64_t paddingBytes);
// The sequence of a value, which grows with each write of a key that one client writes; 0 of what is none.
uint64_t sequenceOf(std::string_view value);
// "k" and 7 give "k00007": in the order of the numbers, up to 99,999.
std::string numberedKey(std::string_view prefix, uint64_t number);
// The same value, which ends at this time. Clocks of stores may be so much ahead of it, or behind.
std::string withEnd(std::string value, uint64_t atUs);
inline constexpr uint64_t kNoEnd = UINT64_MAX, kEndSkewUs = 200'000;
uint64_t endOf(std::string_view value);  // kNoEnd: it does not end
// Was it made by makeValue for this key?
bool isValueOf(std::string_view key, std::string_view value);

}  // namespace keyhaul::sim
