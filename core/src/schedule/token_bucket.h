// Limits bytes a second. Pages differ in size and are known only when they have
// come, so a taker may go into debt and the next one waits until it is paid.
#pragma once

#include <cstdint>

#include "keyhaul/time.h"

namespace keyhaul {

class TokenBucket {
 public:
  // 0 = no limit.
  explicit TokenBucket(uint64_t bytesPerSecond = 0) : rate_(bytesPerSecond) {}

  // From `now` on; what was saved or owed is kept.
  void setRate(uint64_t bytesPerSecond, Instant now);
  uint64_t rate() const { return rate_; }

  // When something may be taken: now or earlier when nothing is owed, and as much is saved as comes
  // in `saved`, of less than a tenth of a second.
  Instant readyAt(Instant now, Duration saved = Duration{0});
  void take(uint64_t bytes, Instant now);

 private:
  // A tenth of a second's worth may be saved up: enough to hide timer slack.
  static constexpr uint64_t kBurstDivisor = 10;
  void refill(Instant now);

  uint64_t rate_ = 0;
  // In millionths of a byte, so that refilling by microseconds is exact.
  __int128 level_ = 0;
  Instant last_{0};
  bool started_ = false;
};

}  // namespace keyhaul
