// Objects of the core by number, and texts and memory across the boundary. Only
// numbers cross by Embind: its classes, strings and vals would be a third of the module.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "keyhaul/time.h"
#include "keyhaul/status.h"

namespace keyhaul::boundary {

inline Instant instant(double us) { return Instant{us > 0 ? static_cast<uint64_t>(us) : 0}; }

inline uint32_t addressOf(const void* pointer) {
  return static_cast<uint32_t>(reinterpret_cast<uintptr_t>(pointer));
}

inline std::span<const std::byte> memory(uint32_t address, uint32_t bytes) {
  return {reinterpret_cast<const std::byte*>(static_cast<uintptr_t>(address)), bytes};
}

// The text that a call left for its caller; valid until the next such call.
std::string& text();

// What a call gives that returns an id or, below zero, an error.
inline double failure(ErrorCode code) { return -static_cast<double>(code); }

// Numbers are given out once, so a stale one finds nothing.
template <typename T>
class Handles {
 public:
  uint32_t add(std::unique_ptr<T> object) {
    objects_.push_back(std::move(object));
    return static_cast<uint32_t>(objects_.size());
  }
  // A number that is none is a fault of our own glue: it traps.
  T& operator[](uint32_t handle) {
    if (handle == 0 || handle > objects_.size() || !objects_[handle - 1]) __builtin_trap();
    return *objects_[handle - 1];
  }
  void remove(uint32_t handle) {
    if (handle != 0 && handle <= objects_.size()) objects_[handle - 1].reset();
  }

 private:
  std::vector<std::unique_ptr<T>> objects_;
};

}  // namespace keyhaul::boundary
