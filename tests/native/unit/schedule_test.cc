// Rate limits and admission, to the microsecond: a limit that is
// off by one rounding is never seen in a run, only in a bill.
#include <gtest/gtest.h>

#include <initializer_list>
#include <vector>

#include "schedule/scheduler.h"
#include "schedule/token_bucket.h"

namespace keyhaul::test {
namespace {

constexpr uint64_t kHuge = UINT64_MAX;
constexpr Instant at(uint64_t us) { return {us}; }

// --- TokenBucket: 1 MB/s is one byte a microsecond, so bytes read as time. ---
constexpr uint64_t kByteAUs = 1'000'000;

TEST(TokenBucket, WithoutALimitIsAlwaysReady) {
  TokenBucket bucket;
  EXPECT_EQ(bucket.rate(), 0U);
  for (const uint64_t us : {uint64_t{0}, uint64_t{5}, kHuge}) {
    EXPECT_EQ(bucket.readyAt(at(us)), at(us));
    bucket.take(kHuge, at(us));
    EXPECT_EQ(bucket.readyAt(at(us)), at(us));
  }
}

TEST(TokenBucket, StartsEmptyAndLetsOneGoIntoDebt) {
  TokenBucket bucket(kByteAUs);
  EXPECT_EQ(bucket.readyAt(at(1'000)), at(1'000));
  bucket.take(250, at(1'000));
  EXPECT_EQ(bucket.readyAt(at(1'000)), at(1'250));
  EXPECT_EQ(bucket.readyAt(at(1'249)), at(1'250));
  EXPECT_EQ(bucket.readyAt(at(1'250)), at(1'250));
}

// The clock has any origin: what lies before the first look was not waited for.
TEST(TokenBucket, SavesNothingBeforeItsFirstUse) {
  TokenBucket bucket(kByteAUs);
  bucket.take(7, at(seconds(3'600).us));
  EXPECT_EQ(bucket.readyAt(at(seconds(3'600).us)), at(seconds(3'600).us + 7));
}

TEST(TokenBucket, TakingNothingCostsNothing) {
  TokenBucket bucket(1);
  bucket.take(0, at(10));
  EXPECT_EQ(bucket.readyAt(at(10)), at(10));
}

TEST(TokenBucket, DebtsAddUp) {
  TokenBucket bucket(kByteAUs);
  bucket.take(100, at(0));
  bucket.take(100, at(50));
  EXPECT_EQ(bucket.readyAt(at(50)), at(200));
}

TEST(TokenBucket, WaitsAreRoundedUpNeverDown) {
  TokenBucket thirds(3 * kByteAUs);
  thirds.take(1, at(0));
  EXPECT_EQ(thirds.readyAt(at(0)), at(1));  // a third of a microsecond
  thirds.take(3, at(0));
  EXPECT_EQ(thirds.readyAt(at(0)), at(2));  // four thirds
  TokenBucket odd(7);
  odd.take(1, at(0));
  EXPECT_EQ(odd.readyAt(at(0)), at(142'858));  // 142857.14...
  EXPECT_EQ(odd.readyAt(at(142'857)), at(142'858));
}

TEST(TokenBucket, SavesATenthOfASecondAndNoMore) {
  for (const uint64_t idle : {uint64_t{100'000}, uint64_t{100'001}, seconds(9'999).us}) {
    TokenBucket bucket(kByteAUs);
    EXPECT_EQ(bucket.readyAt(at(0)), at(0));
    bucket.take(100'000, at(idle));
    EXPECT_EQ(bucket.readyAt(at(idle)), at(idle)) << idle;
    bucket.take(1, at(idle));
    EXPECT_EQ(bucket.readyAt(at(idle)), at(idle + 1)) << idle;
  }
  TokenBucket early(kByteAUs);
  EXPECT_EQ(early.readyAt(at(0)), at(0));
  early.take(100'000, at(99'999));
  EXPECT_EQ(early.readyAt(at(99'999)), at(100'000));
}

TEST(TokenBucket, TellsWhenSoMuchIsSaved) {
  TokenBucket bucket(kByteAUs);
  EXPECT_EQ(bucket.readyAt(at(0), milliseconds(50)), at(50'000));
  bucket.take(10, at(0));
  EXPECT_EQ(bucket.readyAt(at(0), milliseconds(50)), at(50'010));
  EXPECT_EQ(bucket.readyAt(at(50'009), milliseconds(50)), at(50'010));
  EXPECT_EQ(bucket.readyAt(at(50'010), milliseconds(50)), at(50'010));
  EXPECT_EQ(bucket.readyAt(at(60'000)), at(60'000));
}

// Below ten bytes a second a tenth of a second is less than one byte.
TEST(TokenBucket, TheSlowestRatesSaveNothing) {
  TokenBucket bucket(9);
  EXPECT_EQ(bucket.readyAt(at(0)), at(0));
  bucket.take(9, at(seconds(50).us));
  EXPECT_EQ(bucket.readyAt(at(seconds(50).us)), at(seconds(51).us));
}

TEST(TokenBucket, StandingTimeGivesNothing) {
  TokenBucket bucket(kByteAUs);
  bucket.take(10, at(5));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(bucket.readyAt(at(5)), at(15));
}

TEST(TokenBucket, TimeGoingBackGivesNothingTwice) {
  TokenBucket bucket(kByteAUs);
  bucket.take(1'000, at(10'000));
  EXPECT_EQ(bucket.readyAt(at(10'400)), at(11'000));
  bucket.take(0, at(10'100));  // the 400 are not paid again on the way back up
  EXPECT_EQ(bucket.readyAt(at(10'500)), at(11'000));
}

TEST(TokenBucket, ANewRateHoldsFromNowOn) {
  TokenBucket bucket(kByteAUs);
  bucket.take(1'000, at(0));
  bucket.setRate(2 * kByteAUs, at(500));  // 500 are paid, 500 owed
  EXPECT_EQ(bucket.rate(), 2 * kByteAUs);
  EXPECT_EQ(bucket.readyAt(at(500)), at(750));
  bucket.setRate(kByteAUs / 10, at(700));  // 100 owed, ten times slower
  EXPECT_EQ(bucket.readyAt(at(700)), at(1'700));
}

TEST(TokenBucket, LiftingTheLimitForgivesWhatIsOwed) {
  TokenBucket bucket(1);
  bucket.take(1'000'000, at(0));
  bucket.setRate(0, at(10));
  EXPECT_EQ(bucket.readyAt(at(10)), at(10));
  bucket.take(kHuge, at(20));  // free
  bucket.setRate(kByteAUs, at(30));
  EXPECT_EQ(bucket.readyAt(at(30)), at(30));
  bucket.take(1, at(30));
  EXPECT_EQ(bucket.readyAt(at(30)), at(31));
}

// The time without a limit is not saved up for the limit that comes after it.
TEST(TokenBucket, TimeWithoutALimitSavesNothing) {
  TokenBucket bucket;
  bucket.take(1, at(0));
  bucket.setRate(kByteAUs, at(seconds(60).us));
  bucket.take(5, at(seconds(60).us));
  EXPECT_EQ(bucket.readyAt(at(seconds(60).us)), at(seconds(60).us + 5));
}

TEST(TokenBucket, ADebtThatOutlastsTheClockIsNever) {
  TokenBucket bucket(1);
  bucket.take(kHuge, at(0));
  EXPECT_EQ(bucket.readyAt(at(0)), kNever);
  TokenBucket late(kByteAUs);
  late.take(10, at(kHuge - 5));
  EXPECT_EQ(late.readyAt(at(kHuge - 5)), kNever);
}

TEST(TokenBucket, TheLargestRateStillCounts) {
  TokenBucket bucket(kHuge);
  bucket.take(kHuge, at(0));  // a second's worth
  EXPECT_EQ(bucket.readyAt(at(0)), at(1'000'000));
}

// --- Scheduler -----------------------------------------------------------------

constexpr NodeId node(uint32_t slot) { return NodeId::make(slot, 1); }
constexpr MigrationId id(uint32_t slot) { return MigrationId::make(slot, 1); }

Config limits(uint32_t slots, uint32_t sourceSlots, uint32_t targetSlots) {
  Config config;
  config.slots = slots;
  config.sourceSlots = sourceSlots;
  config.targetSlots = targetSlots;
  config.ageing = seconds(10);
  return config;
}

// Everything that may run now, by slot of the id, in the order of admission.
std::vector<uint32_t> admitAll(Scheduler& scheduler, Instant now) {
  std::vector<uint32_t> order;
  while (const auto next = scheduler.admit(now)) order.push_back(next->slot());
  return order;
}
using Order = std::vector<uint32_t>;

TEST(Scheduler, NothingWaitsNothingRuns) {
  Scheduler scheduler(limits(0, 0, 0));
  EXPECT_EQ(scheduler.admit(at(0)), std::nullopt);
  scheduler.remove(id(3));  // unknown: no effect
  EXPECT_EQ(scheduler.running(), 0U);
}

TEST(Scheduler, WithoutLimitsAllRunHighestFirstThenFirstCome) {
  Scheduler scheduler(limits(0, 0, 0));
  const uint8_t priorities[] = {5, 255, 5, 0, 255};
  for (uint32_t i = 0; i < 5; ++i) {
    scheduler.enqueue(id(i), priorities[i], node(0), node(1), at(0));
  }
  EXPECT_EQ(admitAll(scheduler, at(0)), (Order{1, 4, 0, 2, 3}));
  EXPECT_EQ(scheduler.running(), 5U);
}

TEST(Scheduler, SlotsLimitAllTogetherAndComeBack) {
  Scheduler scheduler(limits(2, 0, 0));
  for (uint32_t i = 0; i < 4; ++i) scheduler.enqueue(id(i), 1, node(i), node(9), at(0));
  EXPECT_EQ(admitAll(scheduler, at(0)), (Order{0, 1}));
  scheduler.remove(id(0));
  EXPECT_EQ(scheduler.running(), 1U);
  EXPECT_EQ(admitAll(scheduler, at(0)), (Order{2}));
  scheduler.remove(id(3));  // while it waits: it never runs
  scheduler.remove(id(1));
  scheduler.remove(id(2));
  EXPECT_EQ(admitAll(scheduler, at(0)), Order{});
  EXPECT_EQ(scheduler.running(), 0U);
}

TEST(Scheduler, NodesAreLimitedAsSourceAndAsTargetSeparately) {
  Scheduler scheduler(limits(0, 1, 2));
  scheduler.enqueue(id(0), 1, node(0), node(1), at(0));
  scheduler.enqueue(id(1), 9, node(0), node(2), at(0));  // the same source
  scheduler.enqueue(id(2), 1, node(1), node(0), at(0));  // 1 and 0 the other way round
  scheduler.enqueue(id(3), 1, node(2), node(1), at(0));  // second to target 1
  scheduler.enqueue(id(4), 1, node(3), node(1), at(0));  // third to target 1
  EXPECT_EQ(admitAll(scheduler, at(0)), (Order{1, 2, 3, 4}));
  scheduler.remove(id(1));  // frees source 0, but target 1 has two
  EXPECT_EQ(admitAll(scheduler, at(0)), Order{});
  scheduler.remove(id(3));
  EXPECT_EQ(admitAll(scheduler, at(0)), (Order{0}));
}

TEST(Scheduler, AFullNodeHoldsNobodyElseUp) {
  Scheduler scheduler(limits(0, 1, 0));
  scheduler.enqueue(id(0), 200, node(0), node(5), at(0));
  scheduler.enqueue(id(1), 200, node(0), node(5), at(0));
  scheduler.enqueue(id(2), 1, node(65'535), node(5), at(0));  // the last slot there is
  EXPECT_EQ(admitAll(scheduler, at(0)), (Order{0, 2}));
}

const auto anybody = [](MigrationId) { return true; };

TEST(Scheduler, TheLowestAndOfThoseTheLastMakesRoom) {
  Scheduler scheduler(limits(3, 0, 0));
  for (const auto& [who, priority] : {std::pair{0U, uint8_t{50}}, {1U, uint8_t{20}}, {2U, uint8_t{20}}}) {
    scheduler.enqueue(id(who), priority, node(0), node(1), at(0));
  }
  EXPECT_EQ(admitAll(scheduler, at(0)).size(), 3U);
  EXPECT_EQ(scheduler.toPreempt(at(0), anybody), std::nullopt);
  scheduler.enqueue(id(3), 20, node(0), node(1), at(0));
  EXPECT_EQ(scheduler.toPreempt(at(0), anybody), std::nullopt) << "an equal one waits";
  scheduler.enqueue(id(4), 21, node(0), node(1), at(0));
  EXPECT_EQ(scheduler.toPreempt(at(0), anybody), id(2));
  EXPECT_EQ(scheduler.toPreempt(at(0), [](MigrationId who) { return who != id(2); }), id(1));
  EXPECT_EQ(scheduler.toPreempt(at(0), [](MigrationId who) { return who == id(0); }), std::nullopt);
  scheduler.remove(id(2));
  EXPECT_EQ(admitAll(scheduler, at(0)), (Order{4}));
}

// A place that is no use to it is nobody's to lose.
TEST(Scheduler, OnlyWhoStandsInTheWayMakesRoom) {
  Scheduler scheduler(limits(0, 1, 1));
  scheduler.enqueue(id(0), 5, node(0), node(1), at(0));
  scheduler.enqueue(id(1), 1, node(2), node(3), at(0));
  EXPECT_EQ(admitAll(scheduler, at(0)), (Order{0, 1}));
  scheduler.enqueue(id(2), 9, node(0), node(4), at(0));
  EXPECT_EQ(scheduler.toPreempt(at(0), anybody), id(0));
  scheduler.enqueue(id(3), 10, node(0), node(3), at(0));
  EXPECT_EQ(scheduler.toPreempt(at(0), anybody), std::nullopt) << "one would not do";
}

// Nor does a higher one, whom nobody could help now, keep it from those whom somebody can.
TEST(Scheduler, WhoCannotBeHelpedKeepsNobodyElseWaiting) {
  Scheduler scheduler(limits(0, 0, 1));
  scheduler.enqueue(id(0), 5, node(0), node(1), at(0));
  scheduler.enqueue(id(1), 1, node(0), node(2), at(0));
  scheduler.enqueue(id(2), 3, node(0), node(3), at(0));
  EXPECT_EQ(admitAll(scheduler, at(0)), (Order{0, 2, 1}));
  scheduler.enqueue(id(3), 9, node(0), node(1), at(0));
  scheduler.enqueue(id(4), 2, node(0), node(2), at(0));
  scheduler.enqueue(id(5), 4, node(0), node(3), at(0));
  const auto butTheFirst = [](MigrationId who) { return who != id(0); };
  EXPECT_EQ(scheduler.toPreempt(at(0), butTheFirst), id(2)) << "for 5, the higher of two whom it helps";
  EXPECT_EQ(scheduler.toPreempt(at(0), [](MigrationId who) { return who == id(1); }), id(1));
  EXPECT_EQ(scheduler.toPreempt(at(0), anybody), id(0)) << "the highest comes first where it can be helped";
}

// Whom waiting has brought to a slot is not sent back by those whom it has passed, and whoever has
// waited so long that a slot is kept for it gets the next one.
TEST(Scheduler, WaitingPreemptsNobodyAndIsNotLost) {
  Scheduler scheduler(limits(1, 1, 1));
  scheduler.enqueue(id(0), 10, node(0), node(1), at(0));
  const Instant later = at(seconds(50).us);
  EXPECT_EQ(admitAll(scheduler, later), (Order{0}));
  scheduler.enqueue(id(1), 15, node(0), node(1), later);
  EXPECT_EQ(scheduler.toPreempt(later, anybody), std::nullopt);
  scheduler.enqueue(id(2), 16, node(0), node(1), later);
  EXPECT_EQ(scheduler.toPreempt(later, anybody), id(0));
  scheduler.enqueue(id(3), 1, node(0), node(5), at(0));
  EXPECT_EQ(scheduler.toPreempt(at(seconds(60).us), anybody), std::nullopt);
}

TEST(Scheduler, RemovingTwiceFreesOnce) {
  Scheduler scheduler(limits(1, 1, 1));
  for (uint32_t i = 0; i < 3; ++i) scheduler.enqueue(id(i), 1, node(0), node(1), at(0));
  EXPECT_EQ(admitAll(scheduler, at(0)), (Order{0}));
  scheduler.remove(id(0));
  scheduler.remove(id(0));
  EXPECT_EQ(admitAll(scheduler, at(0)), (Order{1}));
}

// Order by waiting is exact: one more after a whole `ageing`, not before.
TEST(Scheduler, WaitingRaisesAPriorityByOneEachAgeing) {
  for (const auto& [now, first] : {std::pair{seconds(30).us - 1, 1U}, {seconds(30).us, 0U}}) {
    Scheduler scheduler(limits(1, 0, 0));
    scheduler.enqueue(id(0), 10, node(0), node(1), at(0));
    scheduler.enqueue(id(1), 13, node(0), node(1), at(now));
    EXPECT_EQ(admitAll(scheduler, at(now)), (Order{first})) << now;
  }
}

TEST(Scheduler, WithoutAgeingOnlyPriorityCounts) {
  Config config = limits(1, 0, 0);
  config.ageing = {0};
  Scheduler scheduler(config);
  scheduler.enqueue(id(0), 10, node(0), node(1), at(0));
  scheduler.enqueue(id(1), 11, node(0), node(1), kNever);
  EXPECT_EQ(admitAll(scheduler, kNever), (Order{1}));
}

// Two streams keep a source and a target busy in turn, so that both are never free at once;
// whoever needs both gets them after a minute and what runs then.
TEST(Scheduler, NobodyIsPassedByForEver) {
  Scheduler scheduler(limits(0, 1, 1));
  uint32_t next = 1;
  std::vector<std::pair<uint64_t, uint32_t>> ends;  // when, who
  uint64_t begun = 0;
  for (uint64_t s = 0; s < 200 && begun == 0; ++s) {
    const Instant now = at(seconds(s).us);
    for (const auto& [end, who] : ends) {
      if (end == s) scheduler.remove(id(who));
    }
    // Newcomers of the same priority, all the time: even ones hold the source, odd the target.
    if (s == 0 || s % 10 == 9) {
      const bool odd = s != 0 && s % 20 == 9;
      scheduler.enqueue(id(next), 10, odd ? node(2) : node(0), odd ? node(1) : node(3), now);
      ++next;
    }
    if (s == 1) scheduler.enqueue(id(0), 10, node(0), node(1), now);
    while (const auto admitted = scheduler.admit(now)) {
      if (*admitted == id(0)) begun = s;
      ends.emplace_back(s + 20, admitted->slot());
    }
    if (s == 0) { ASSERT_EQ(ends.size(), 1U); }
  }
  EXPECT_GE(begun, 61U);
  EXPECT_LE(begun, 61U + 20U);
}

TEST(Scheduler, AReservationHoldsAgainstLowerRanksOnly) {
  Scheduler scheduler(limits(0, 1, 1));
  scheduler.enqueue(id(0), 10, node(0), node(1), at(0));  // runs
  EXPECT_EQ(admitAll(scheduler, at(0)), (Order{0}));
  scheduler.enqueue(id(1), 10, node(2), node(1), at(0));  // waits for target 1
  const Instant late = at(seconds(60).us);
  scheduler.enqueue(id(2), 10, node(2), node(3), late);
  EXPECT_EQ(admitAll(scheduler, at(late.us - 1)), (Order{2}));  // one short of a minute
  scheduler.remove(id(2));
  scheduler.enqueue(id(3), 10, node(2), node(3), late);
  EXPECT_EQ(admitAll(scheduler, late), Order{});                // source 2 is kept
  scheduler.enqueue(id(4), 17, node(2), node(3), late);         // ranks above 10 + 6
  EXPECT_EQ(admitAll(scheduler, late), (Order{4}));
  scheduler.remove(id(4));
  scheduler.remove(id(0));
  EXPECT_EQ(admitAll(scheduler, late), (Order{1}));
}

TEST(Scheduler, TimeGoingBackTakesNoPriorityAway) {
  Scheduler scheduler(limits(1, 0, 0));
  scheduler.enqueue(id(0), 0, node(0), node(1), at(seconds(100).us));
  scheduler.enqueue(id(1), 1, node(0), node(1), at(seconds(100).us));
  EXPECT_EQ(admitAll(scheduler, at(0)), (Order{1}));
}

}  // namespace
}  // namespace keyhaul::test
