// Whether catching up will ever end: looks at how many changes wait in the feed, window by
// window. A long copy leaves a long feed, so only a lag that does not fall is without hope.
#pragma once

#include <string>

#include "base/number.h"
#include "keyhaul/time.h"

namespace keyhaul {

class LagTrend {
 public:
  static constexpr Duration kWindow = seconds(5);
  static constexpr uint32_t kWindowsMax = 6;  // in a row, without the lag falling

  // A feed that does not say how much waits is judged by how long it takes to see its end: what
  // gathered for a time is applied in some multiple of it, or the writers are too fast.
  static constexpr uint64_t kLateFactor = 4;
  static constexpr Duration kLateLeast = Duration{kWindow.us * kWindowsMax};

  void reset() {
    known_ = false;
    late_ = false;
    since_ = {0};
  }
  // The end was not seen. `gatheredUs`: for how long changes had gathered when this began.
  void updateUnknown(Instant now, uint64_t applied, uint64_t gatheredUs) {
    if (since_.us == 0) {
      since_ = now;
      appliedBefore_ = applied;
    }
    lateUs_ = (now - since_).us;
    lateApplied_ = applied - appliedBefore_;
    late_ = lateUs_ > kLateLeast.us && lateUs_ / kLateFactor > gatheredUs;
  }
  // What the target takes up; 0: not measured.
  uint64_t appliedPerSecond() const {
    const uint64_t us = late_ ? lateUs_ : (last_.at - first_.at).us;
    const uint64_t applied = late_ ? lateApplied_ : last_.applied - first_.applied;
    return us == 0 ? 0 : applied * 1'000'000 / us;
  }

  // `applied`: changes so far, only growing; `waiting`: beyond them, 0 = none or unknown.
  void update(Instant now, uint64_t applied, uint64_t waiting) {
    if (waiting == 0) {
      known_ = false;
      return;
    }
    if (!known_) {
      known_ = true;
      windows_ = 0;
      first_ = window_ = last_ = {now, applied, waiting};
      return;
    }
    last_ = {now, applied, waiting};
    if (now < window_.at + kWindow) return;
    if (waiting < window_.waiting) {
      windows_ = 0;
      first_ = last_;
    } else {
      ++windows_;
    }
    window_ = last_;
  }

  bool hopeless() const { return late_ || (known_ && windows_ >= kWindowsMax); }

  // For people: what is written and applied since the lag has not fallen.
  std::string rates() const {
    if (late_) {
      return toDecimal(appliedPerSecond()) + " changes/s are applied, and for " +
             toDecimal(lateUs_ / 1'000'000) + " s that was not all that came";
    }
    const uint64_t us = (last_.at - first_.at).us;
    const uint64_t applied = last_.applied - first_.applied;
    return ratesText(applied + last_.waiting - first_.waiting, applied, us, us) + ", " +
           toDecimal(last_.waiting) + " changes wait";
  }

  static std::string ratesText(uint64_t written, uint64_t applied, uint64_t writtenUs,
                               uint64_t appliedUs) {
    const auto aSecond = [](uint64_t count, uint64_t us) {
      return toDecimal(us == 0 ? count : count * 1'000'000 / us);
    };
    return aSecond(written, writtenUs) + " changes/s are written, " +
           aSecond(applied, appliedUs) + "/s are applied";
  }

 private:
  struct Sample {
    Instant at{0};
    uint64_t applied = 0, waiting = 0;
  };
  bool known_ = false, late_ = false;
  Instant since_{0};
  uint64_t appliedBefore_ = 0, lateApplied_ = 0, lateUs_ = 0;
  uint32_t windows_ = 0;
  Sample first_, window_, last_;
};

}  // namespace keyhaul
