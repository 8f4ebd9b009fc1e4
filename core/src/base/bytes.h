// Little-endian loads and stores at any alignment, and views between the two
// ways the core names bytes (std::byte spans at the edge, string_views for keys).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace keyhaul {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "loads below assume little endian");

template <typename T>
inline T loadLe(const void* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <typename T>
inline void storeLe(void* to, T value) {
  std::memcpy(to, &value, sizeof value);
}

inline std::string_view asView(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline std::span<const std::byte> asBytes(std::string_view view) {
  return {reinterpret_cast<const std::byte*>(view.data()), view.size()};
}

}  // namespace keyhaul
