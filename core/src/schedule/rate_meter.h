// How fast something goes, smoothed: a sample at most every quarter second, each
// new one counts for three tenths. Integers only, so every build agrees.
#pragma once

#include <cstdint>

#include "base/number.h"
#include "keyhaul/time.h"

namespace keyhaul {

class RateMeter {
 public:
  void reset(Instant now, uint64_t total) {
    sampledAt_ = now;
    sampled_ = total;
    perSecond_ = 0;
    known_ = false;
  }

  void update(Instant now, uint64_t total) {
    const uint64_t us = (now - sampledAt_).us;
    if (us < kSampleUs || total < sampled_) return;
    const auto fresh = static_cast<uint64_t>(
        divide(static_cast<unsigned __int128>(total - sampled_) * 1'000'000, us));
    perSecond_ = known_ ? (perSecond_ / 10 * 7 + fresh / 10 * 3) : fresh;
    known_ = true;
    sampledAt_ = now;
    sampled_ = total;
  }

  // So long nothing was meant to be done: it does not make it slower.
  void pass(uint64_t us) { sampledAt_ = sampledAt_ + Duration{us}; }

  uint64_t perSecond() const { return perSecond_; }

  // Until `remaining` more are done; UINT64_MAX us when it does not move.
  Duration eta(uint64_t remaining) const {
    if (perSecond_ == 0) return {UINT64_MAX};
    const auto us = divide(static_cast<unsigned __int128>(remaining) * 1'000'000, perSecond_);
    return {us > UINT64_MAX / 2 ? UINT64_MAX : static_cast<uint64_t>(us)};
  }

 private:
  static constexpr uint64_t kSampleUs = 250'000;
  Instant sampledAt_{0};
  uint64_t sampled_ = 0;
  uint64_t perSecond_ = 0;
  bool known_ = false;
};

}  // namespace keyhaul
