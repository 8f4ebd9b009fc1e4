// The disk under one node: says how long a write takes, whether it fails, and how much
// of what was not synced survives a crash. The bytes themselves are kept by the node.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "answer_time.h"
#include "faults.h"
#include "keyhaul/status.h"
#include "prng.h"

namespace keyhaul::sim {

class Disk {
 public:
  Disk(uint64_t seed, std::string_view stream, const Faults& faults)
      : prng_(seed, stream), faults_(faults) {}

  struct Written {
    ErrorCode error = ErrorCode::kOk;  // DiskFull, StoreFailed
    uint64_t delayUs = 0;
    bool slow = false;
    // Not 0: in the middle of it the node has to die, for so long.
    uint64_t tornForUs = 0;
  };
  // Write and sync so many bytes; `takes`: in a rehearsal, where it is not what syncs take.
  Written write(uint64_t nowUs, uint64_t bytes, uint32_t slowFactor,
                std::optional<AnswerTime> takes = {});
  // Of so many bytes written but not synced, how many stand on the disk after a crash:
  // mostly all or none, sometimes a part.
  uint64_t surviving(uint64_t pendingBytes);
  // The next write that would succeed is torn: half of it stands after the crash.
  void tearNext(uint64_t downUs) { tearForUs_ = downUs; }
  // No write is torn any more, though one was to be.
  void heal();
  // Instead of what is assumed; the bytes are somebody else's matter.
  void syncsIn(AnswerTime time) { sync_ = time; }
  void fillUntil(uint64_t timeUs) { fullUntilUs_ = timeUs; }
  bool isFull(uint64_t nowUs) const { return nowUs < fullUntilUs_; }

 private:
  Prng prng_;
  const Faults& faults_;
  uint64_t fullUntilUs_ = 0;
  uint64_t tearForUs_ = 0;
  bool torn_ = false;
  std::optional<AnswerTime> sync_;
};

}  // namespace keyhaul::sim
