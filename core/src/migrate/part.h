// The parts that a migration is made of. A state has one that works in it.
#pragma once

#include <cstdint>

namespace keyhaul {

enum class Part : uint8_t {
  kNone,
  kPrepare, kCopy, kFeed, kCompare, kDiscard,  // of every migration: JobBase has them
  kLeafCheck,                                  // of one that nobody writes beside
  kRegister, kGate, kApproach,                 // of a live one
};

}  // namespace keyhaul
