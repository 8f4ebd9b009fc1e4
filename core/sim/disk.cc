#include "disk.h"

#include <algorithm>
#include <utility>

namespace keyhaul::sim {
namespace {
constexpr uint64_t kSyncUs = 400;
constexpr uint64_t kBytesPerUs = 200;
}  // namespace

Disk::Written Disk::write(uint64_t nowUs, uint64_t bytes, uint32_t slowFactor,
                          std::optional<AnswerTime> takes) {
  Written written;
  written.delayUs = (kSyncUs + prng_.below(kSyncUs) + bytes / kBytesPerUs) * slowFactor;
  if (!takes) takes = sync_;
  if (takes) written.delayUs = takes->draw(prng_) * slowFactor;
  if (prng_.chance(faults_.rate(FaultKind::kDiskSlow))) {
    written.slow = true;
    written.delayUs += prng_.between(1'000, 300'000);
  }
  if (nowUs < fullUntilUs_) {
    written.error = ErrorCode::kDiskFull;
  } else if (prng_.chance(faults_.rate(FaultKind::kDiskError))) {
    written.error = ErrorCode::kStoreFailed;
  } else if (tearForUs_ != 0) {
    written.tornForUs = std::exchange(tearForUs_, 0);
    torn_ = true;
  }
  return written;
}

uint64_t Disk::surviving(uint64_t pendingBytes) {
  // Only the crash that tore it: what is pending at a later one is another write.
  if (std::exchange(torn_, false) && pendingBytes > 1) return pendingBytes / 2;
  switch (prng_.below(4)) {
    case 0: return pendingBytes;
    case 1: return prng_.below(pendingBytes + 1);
  }
  return 0;
}

void Disk::heal() {
  tearForUs_ = 0;
  torn_ = false;
}

}  // namespace keyhaul::sim
