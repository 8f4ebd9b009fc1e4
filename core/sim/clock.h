// The clock of a mover: it may jump, and go too fast or too slow. What it hands out never goes
// back while a process lives, as that of a host; a jump back makes it stand until it is passed.
#pragma once

#include <algorithm>
#include <cstdint>

namespace keyhaul::sim {

class Clock {
 public:
  // Where it would be, at the world's time.
  uint64_t rawUs(uint64_t worldUs) const {
    return baseUs_ + (worldUs - sinceUs_) * rate() / kMillion;
  }
  uint64_t nowUs(uint64_t worldUs) const { return std::max(rawUs(worldUs), shownUs_); }
  // The world's time at which it will show this, or has; as it goes now.
  uint64_t whenUs(uint64_t us) const {
    if (us <= baseUs_) return sinceUs_;
    return sinceUs_ + ((us - baseUs_) * kMillion + rate() - 1) / rate();
  }
  // Somebody has looked at it.
  void show(uint64_t worldUs) { shownUs_ = nowUs(worldUs); }
  void jump(uint64_t us) {
    baseUs_ += us;
    jumpedUs_ += us;
  }
  // All jumps ahead.
  uint64_t jumpedUs() const { return jumpedUs_; }
  void jumpBack(uint64_t worldUs, uint64_t us) {
    rebase(worldUs);
    baseUs_ -= std::min(us, baseUs_);
    measures_ = false;
  }
  // So many millionths too fast, or below zero too slow.
  void drift(uint64_t worldUs, int32_t perMillion) {
    rebase(worldUs);
    drift_ = perMillion;
    measures_ = false;
  }
  // Is what it measures as long as it was, or longer? Not once it went back or drifted.
  bool measures() const { return measures_; }
  // A new process has not looked at it yet.
  void restart() { shownUs_ = 0; }

 private:
  static constexpr uint64_t kMillion = 1'000'000;
  uint64_t rate() const { return static_cast<uint64_t>(int64_t{1'000'000} + drift_); }
  void rebase(uint64_t worldUs) {
    baseUs_ = rawUs(worldUs);
    sinceUs_ = worldUs;
  }

  uint64_t baseUs_ = 1'000'000;
  uint64_t sinceUs_ = 0;  // the world's time at which it showed that
  uint64_t shownUs_ = 0, jumpedUs_ = 0;
  int32_t drift_ = 0;
  bool measures_ = true;
};

}  // namespace keyhaul::sim
