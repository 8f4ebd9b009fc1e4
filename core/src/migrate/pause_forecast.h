// For how long writers would have to wait, so that of a hundred pauses one may be longer: from the
// last rounds and the last calls of gates and register. A round says how long a store's answer takes; of
// those, a last round needs as many as the changes that wait now take, and a few to ask at all. How long
// whole rounds were is no measure of it: the first compares all that gathered while everything was
// compared, and is many times as long as the last.
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
  // A round in which so many changes were applied or compared, in so many answers of stores.
  void addRound(uint64_t us, uint64_t items, uint64_t answers) {
    rounds_[roundCount_++ % kKept] = {us, items, std::max<uint64_t>(answers, 1)};
  }
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

  // What a pause would take where nothing had changed.
  uint64_t callsUs(uint32_t calls) const { return calls * meanCallUs() + 2 * slowestCallUs(); }

  uint64_t us(uint32_t calls, uint64_t items) const {
    const uint32_t kept = std::min(roundCount_, kKept);
    uint64_t seen = 0, most = 0;
    for (uint32_t i = 0; i < kept; ++i) {
      seen += rounds_[i].answers;
      most = std::max(most, reckoned(rounds_[i], items));
    }
    // Each as long as most are, and twice one that is slow.
    const uint64_t sumUs = callsUs(calls) + most;
    // The fewer answers were seen, the more is left to chance. The rest is measured: with it one of a hundred pauses
    // is longer (tests/native/live/live_forecast_test.cc).
    return sumUs + sumUs * 3 / 8 + 2 * most / std::max<uint64_t>({kept, seen / kFew, 1});
  }

 private:
  // A page of the feed is asked for and written, and what it names is read from both sides.
  static constexpr uint64_t kFew = 4;
  // So many changes are one page, and take no longer than one.
  static constexpr uint64_t kFewItems = 16;
  struct Round {
    uint64_t us = 0, items = 0, answers = 1;
  };
  static uint64_t reckoned(const Round& round, uint64_t items) {
    const uint64_t mine = std::max(items, kFewItems), its = std::max(round.items, kFewItems);
    if (mine >= its) return round.us * mine / its;
    const uint64_t few = std::min(kFew, round.answers);
    return (few + (round.answers - few) * mine / its) * round.us / round.answers;
  }

  std::array<uint64_t, kKept> calls_{};
  std::array<Round, kKept> rounds_{};
  uint32_t callCount_ = 0, roundCount_ = 0;
};

}  // namespace keyhaul
