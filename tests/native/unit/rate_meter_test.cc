// Rates and times to go, from samples of a total.
#include <gtest/gtest.h>

#include "schedule/rate_meter.h"

namespace keyhaul::test {
namespace {

constexpr uint64_t kHuge = UINT64_MAX;
constexpr Instant at(uint64_t us) { return {us}; }

RateMeter meterFrom(uint64_t us, uint64_t total) {
  RateMeter meter;
  meter.reset(at(us), total);
  return meter;
}

TEST(RateMeter, KnowsNothingBeforeAQuarterSecond) {
  RateMeter meter = meterFrom(1'000, 0);
  meter.update(at(250'999), 1'000'000);
  EXPECT_EQ(meter.perSecond(), 0U);
  EXPECT_EQ(meter.eta(1), Duration{kHuge});
  meter.update(at(251'000), 1'000'000);
  EXPECT_EQ(meter.perSecond(), 4'000'000U);
}

TEST(RateMeter, EachSampleCountsForThreeTenths) {
  RateMeter meter = meterFrom(0, 0);
  meter.update(at(1'000'000), 1'000);
  meter.update(at(2'000'000), 3'000);
  EXPECT_EQ(meter.perSecond(), 1'300U);  // 700 + 600
  meter.update(at(3'000'000), 3'000);
  EXPECT_EQ(meter.perSecond(), 910U);
}

TEST(RateMeter, StandingOrReturningTimeAndAShrunkTotalChangeNothing) {
  RateMeter meter = meterFrom(1'000'000, 0);
  meter.update(at(2'000'000), 500);
  meter.update(at(2'000'000), 900);
  meter.update(at(0), 900);
  meter.update(at(3'000'000), 499);
  EXPECT_EQ(meter.perSecond(), 500U);
  meter.update(at(3'000'000), 1'000);  // and the sample is still that of second 2
  EXPECT_EQ(meter.perSecond(), 500U);
}

TEST(RateMeter, AStopIsSeenAsNoEnd) {
  RateMeter meter = meterFrom(0, 0);
  meter.update(at(1'000'000), 100);
  for (uint64_t s = 2; s < 30; ++s) meter.update(at(seconds(s).us), 100);
  EXPECT_EQ(meter.perSecond(), 0U);
  EXPECT_EQ(meter.eta(0), Duration{kHuge});
}

TEST(RateMeter, ResetForgets) {
  RateMeter meter = meterFrom(0, 0);
  meter.update(at(1'000'000), 100);
  meter.reset(at(5'000'000), 70);
  EXPECT_EQ(meter.perSecond(), 0U);
  meter.update(at(6'000'000), 80);
  EXPECT_EQ(meter.perSecond(), 10U);  // the first is taken whole
}

TEST(RateMeter, EtaIsTimeForWhatRemains) {
  RateMeter meter = meterFrom(0, 0);
  meter.update(at(1'000'000), 300);
  EXPECT_EQ(meter.eta(0), Duration{0});
  EXPECT_EQ(meter.eta(100), Duration{333'333});
  EXPECT_EQ(meter.eta(900), seconds(3));
  EXPECT_EQ(meter.eta(kHuge), Duration{kHuge});  // 1,949 million years
}

}  // namespace
}  // namespace keyhaul::test
