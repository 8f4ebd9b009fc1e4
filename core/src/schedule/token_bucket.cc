#include "schedule/token_bucket.h"

#include "base/number.h"

namespace keyhaul {
namespace {
constexpr uint64_t kMillionths = 1'000'000;
}

void TokenBucket::refill(Instant now) {
  if (!started_) {
    started_ = true;
    last_ = now;
    return;
  }
  if (now <= last_) return;
  level_ += static_cast<__int128>(rate_) * static_cast<__int128>(now.us - last_.us);
  const __int128 burst = static_cast<__int128>(rate_ / kBurstDivisor) * kMillionths;
  if (level_ > burst) level_ = burst;
  last_ = now;
}

void TokenBucket::setRate(uint64_t bytesPerSecond, Instant now) {
  refill(now);
  rate_ = bytesPerSecond;
  if (rate_ == 0) level_ = 0;
}

Instant TokenBucket::readyAt(Instant now, Duration saved) {
  if (rate_ == 0) return now;
  refill(now);
  const __int128 missing = static_cast<__int128>(rate_) * static_cast<__int128>(saved.us) - level_;
  if (missing <= 0) return now;
  const auto waitUs = divide(static_cast<unsigned __int128>(missing + rate_ - 1), rate_);
  if (waitUs > UINT64_MAX / 2) return kNever;
  return now + Duration{static_cast<uint64_t>(waitUs)};
}

void TokenBucket::take(uint64_t bytes, Instant now) {
  if (rate_ == 0) return;
  refill(now);
  level_ -= static_cast<__int128>(bytes) * kMillionths;
}

}  // namespace keyhaul
