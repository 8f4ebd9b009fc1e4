#include "engine/buffers.h"

#include "base/assert.h"

namespace keyhaul {
namespace {

constexpr uint32_t kSlotsMax = 65'535;

uint32_t nextGeneration(uint32_t generation) {
  return generation >= 0xFFFF ? 1 : generation + 1;  // 0 would make a null id
}

}  // namespace

BufferId Buffers::acquire(uint64_t bytes) {
  if (bytes > uint64_t{1} << kClassMax) return {};
  uint32_t sizeClass = kClassMin;
  while ((uint64_t{1} << sizeClass) < bytes) ++sizeClass;
  const uint64_t classBytes = uint64_t{1} << sizeClass;

  uint32_t slot = 0;
  if (!freeByClass_[sizeClass].empty()) {
    slot = freeByClass_[sizeClass].back();
    freeByClass_[sizeClass].pop_back();
  } else {
    if (!makeRoom(classBytes)) return {};
    if (!emptySlots_.empty()) {
      slot = emptySlots_.back();
      emptySlots_.pop_back();
    } else {
      if (slots_.size() >= kSlotsMax) return {};
      slot = static_cast<uint32_t>(slots_.size());
      slots_.emplace_back();
    }
    slots_[slot].memory.reset(new std::byte[static_cast<size_t>(classBytes)]);
    slots_[slot].sizeClass = sizeClass;
    allocatedBytes_ += classBytes;
  }
  Slot& taken = slots_[slot];
  KH_ASSERT(!taken.held);
  taken.held = true;
  taken.generation = nextGeneration(taken.generation);
  heldBytes_ += classBytes;
  return BufferId::make(slot, taken.generation);
}

bool Buffers::makeRoom(uint64_t bytes) {
  for (uint32_t c = kClassMax; allocatedBytes_ + bytes > bytesMax_ && c >= kClassMin; --c) {
    while (allocatedBytes_ + bytes > bytesMax_ && !freeByClass_[c].empty()) {
      const uint32_t slot = freeByClass_[c].back();
      freeByClass_[c].pop_back();
      slots_[slot].memory.reset();
      emptySlots_.push_back(slot);
      allocatedBytes_ -= uint64_t{1} << c;
    }
  }
  return allocatedBytes_ + bytes <= bytesMax_;
}

Buffers::Slot* Buffers::find(BufferId id) {
  if (!id || id.slot() >= slots_.size()) return nullptr;
  Slot& slot = slots_[id.slot()];
  return slot.held && slot.generation == id.generation() ? &slot : nullptr;
}

void Buffers::release(BufferId id) {
  Slot* slot = find(id);
  if (slot == nullptr) return;
  slot->held = false;
  heldBytes_ -= uint64_t{1} << slot->sizeClass;
  freeByClass_[slot->sizeClass].push_back(id.slot());
}

std::span<std::byte> Buffers::whole(BufferId id) {
  Slot* slot = find(id);
  if (slot == nullptr) return {};
  return {slot->memory.get(), size_t{1} << slot->sizeClass};
}

std::span<std::byte> Buffers::bytes(const BufferRef& ref) {
  const std::span<std::byte> all = whole(ref.buffer);
  if (uint64_t{ref.offset} + ref.bytes > all.size()) return {};
  return all.subspan(ref.offset, ref.bytes);
}

}  // namespace keyhaul
