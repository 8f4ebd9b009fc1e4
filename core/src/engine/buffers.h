// The engine's byte buffers: size classes of powers of two, reused, never moved.
// Host and core address them by id, so a stale reference is recognised.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "keyhaul/engine.h"

namespace keyhaul {

class Buffers {
 public:
  explicit Buffers(uint64_t bytesMax) : bytesMax_(bytesMax) {}

  // Null when the limit would be passed.
  BufferId acquire(uint64_t bytes);
  // A stale id is ignored: a late completion may release what a stop released.
  void release(BufferId id);
  // Empty for a stale id or for bounds outside the buffer.
  std::span<std::byte> bytes(const BufferRef& ref);
  std::span<std::byte> whole(BufferId id);

  uint64_t heldBytes() const { return heldBytes_; }

 private:
  static constexpr uint32_t kClassMin = 12;  // 4 KiB
  static constexpr uint32_t kClassMax = 31;  // 2 GiB
  struct Slot {
    std::unique_ptr<std::byte[]> memory;
    uint32_t sizeClass = 0;
    uint32_t generation = 0;
    bool held = false;
  };
  Slot* find(BufferId id);
  // Gives cached memory back until `bytes` more fit under the limit.
  bool makeRoom(uint64_t bytes);

  std::vector<Slot> slots_;
  std::vector<uint32_t> freeByClass_[kClassMax + 1];  // memory kept for reuse
  std::vector<uint32_t> emptySlots_;                  // without memory
  uint64_t bytesMax_;
  uint64_t heldBytes_ = 0;       // in use
  uint64_t allocatedBytes_ = 0;  // in use and cached
};

}  // namespace keyhaul
