// Time as the host tells it: microseconds of a monotonic clock with any origin.
// The core never reads a clock.
#pragma once

#include <cstdint>

namespace keyhaul {

struct Duration {
  uint64_t us = 0;
  friend constexpr bool operator==(Duration a, Duration b) { return a.us == b.us; }
  friend constexpr bool operator<(Duration a, Duration b) { return a.us < b.us; }
};

struct Instant {
  uint64_t us = 0;
  friend constexpr bool operator==(Instant a, Instant b) { return a.us == b.us; }
  friend constexpr bool operator<(Instant a, Instant b) { return a.us < b.us; }
  friend constexpr bool operator<=(Instant a, Instant b) { return a.us <= b.us; }
};

inline constexpr Instant kNever{UINT64_MAX};
constexpr Duration milliseconds(uint64_t n) { return {n * 1000}; }
constexpr Duration seconds(uint64_t n) { return {n * 1'000'000}; }
// Saturates at kNever.
constexpr Instant operator+(Instant t, Duration d) {
  return t.us > UINT64_MAX - d.us ? kNever : Instant{t.us + d.us};
}
// Zero when b is later than a.
constexpr Duration operator-(Instant a, Instant b) {
  return {a.us > b.us ? a.us - b.us : 0};
}

}  // namespace keyhaul
