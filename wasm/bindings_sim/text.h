// What the last call left for its caller, until the next call that leaves something.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace keyhaul::sim {

// Defined by each module that has it: on the page it is the engine's (bindings_page/).
std::string& leftText();

inline uint32_t addressOf(const void* pointer) {
  return static_cast<uint32_t>(reinterpret_cast<uintptr_t>(pointer));
}

// Arguments of the command, each with a zero byte at its end; they stay where they are.
inline std::vector<char*> argumentsAt(uint32_t address, uint32_t bytes) {
  auto* from = reinterpret_cast<char*>(static_cast<uintptr_t>(address));
  std::vector<char*> arguments;
  for (uint32_t at = 0; at < bytes; at += static_cast<uint32_t>(std::strlen(from + at)) + 1) {
    arguments.push_back(from + at);
  }
  return arguments;
}

}  // namespace keyhaul::sim
