// What the last call left for its caller, until the next call that leaves something.
#pragma once

#include <cstdint>
#include <string>

namespace keyhaul::sim {

inline std::string& leftText() {
  static std::string text;
  return text;
}

inline uint32_t addressOf(const void* pointer) {
  return static_cast<uint32_t>(reinterpret_cast<uintptr_t>(pointer));
}

}  // namespace keyhaul::sim
