// Ids are a slot and a generation in one u32: slot in the low 16 bits,
// generation (1..65535) in the high 16, so that a stale id is recognised and an
// id crosses to JavaScript as a plain number. Zero is "none".
#pragma once

#include <cstdint>

namespace keyhaul {

template <typename Tag>
struct Id {
  uint32_t value = 0;

  static constexpr Id make(uint32_t slot, uint32_t generation) {
    return Id{(generation << 16) | (slot & 0xFFFFU)};
  }
  constexpr uint32_t slot() const { return value & 0xFFFFU; }
  constexpr uint32_t generation() const { return value >> 16; }
  constexpr explicit operator bool() const { return value != 0; }
  friend constexpr bool operator==(Id a, Id b) { return a.value == b.value; }
  friend constexpr bool operator!=(Id a, Id b) { return a.value != b.value; }
};

using NodeId = Id<struct NodeTag>;
using MigrationId = Id<struct MigrationTag>;
using OpId = Id<struct OpTag>;
using BufferId = Id<struct BufferTag>;

}  // namespace keyhaul
