// For how long writers would have to wait, so that of a hundred pauses one may be longer: from the
// last rounds and the last calls of gates and register. A round says what a last one would take: it
// does the same work, for as many changes as there were. What it took is reckoned down to the changes that
// wait now, but not below the quickest round: so long it takes to ask at all.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

namespace keyhaul {

class PauseForecast {
 public:
  static constexpr uint32_t kKept = 20;

  // A gate or the register was asked, and answered after so long.
  void addCall(uint64_t us) { calls_[callCount_++ % kKept] = us; }
  // A round in which so many changes were applied or compared.
  void addRound(uint64_t us, uint64_t items) { rounds_[roundCount_++ % kKept] = {us, items}; }
  // Of other times, when what is asked now was slow or quick for reasons of its own.
  void ageCalls() {
    for (uint64_t& us : calls_) us /= 2;
  }
  void forgetRounds() { roundCount_ = 0; }

  uint64_t meanCallUs() const {
    uint64_t sum = 0;
    for (const uint64_t us : calls_) sum += us;
    return sum / std::max(std::min(callCount_, kKept), 1U);
  }
  uint64_t slowestCallUs() const { return *std::max_element(calls_.begin(), calls_.end()); }

  uint64_t us(uint32_t calls, uint64_t items) const {
    const uint32_t kept = std::min(roundCount_, kKept);
    uint64_t least = UINT64_MAX, most = 0;
    for (uint32_t i = 0; i < kept; ++i) least = std::min(least, rounds_[i].us);
    for (uint32_t i = 0; i < kept; ++i) {
      const Round& round = rounds_[i];
      most = std::max({most, least, reckoned(round, items)});
    }
    // Each as long as most are, and twice one that is slow.
    const uint64_t callsUs = calls * meanCallUs() + 2 * slowestCallUs();
    const uint64_t sumUs = callsUs + most;
    // The fewer rounds were seen, the more is left to chance. The rest is measured: with it one of a hundred pauses
    // is longer (tests/native/live/live_forecast_test.cc).
    return sumUs + sumUs * 3 / 8 + 2 * most / std::max(kept, 1U);
  }

 private:
  // So few are asked for at once, and take no longer than one.
  static constexpr uint64_t kFew = 16;
  struct Round {
    uint64_t us = 0, items = 0;
  };
  static uint64_t reckoned(const Round& round, uint64_t items) {
    return round.us * std::max(items, kFew) / std::max(round.items, kFew);
  }

  std::array<uint64_t, kKept> calls_{};
  std::array<Round, kKept> rounds_{};
  uint32_t callCount_ = 0, roundCount_ = 0;
};

}  // namespace keyhaul
