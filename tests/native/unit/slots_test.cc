// Slots that somebody lowers and raises while migrations run: nobody is let in before fewer run than may, those that
// copy and are too many make room at their next page, and whoever does not copy finishes.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "schedule/scheduler.h"
#include "support/memory_host.h"

namespace keyhaul::test {
namespace {

constexpr NodeId node(uint32_t slot) { return NodeId::make(slot, 1); }
constexpr MigrationId id(uint32_t slot) { return MigrationId::make(slot, 1); }
const auto anybody = [](MigrationId) { return true; };
const auto nobody = [](MigrationId) { return false; };

// Those that have to make room, in their order: whoever is asked leaves.
std::vector<uint32_t> thinOut(Scheduler& scheduler, const std::vector<uint32_t>& fixed = {}) {
  std::vector<uint32_t> order;
  bool any = true;
  const auto leaves = [&](MigrationId who) { return std::count(order.begin(), order.end(), who.slot()) != 0; };
  const auto yields = [&](MigrationId who) {
    return !leaves(who) && std::count(fixed.begin(), fixed.end(), who.slot()) == 0;
  };
  while (const auto next = scheduler.toThinOut(any, yields, leaves)) order.push_back(next->slot());
  return order;
}
using Order = std::vector<uint32_t>;

// Five between two pairs of stores: 0, 1, 2 from 0 to 1, and 3, 4 from 2 to 3.
Scheduler five() {
  Scheduler scheduler{Config{}};
  const uint8_t priorities[] = {50, 20, 20, 30, 10};
  for (uint32_t i = 0; i < 5; ++i) {
    scheduler.enqueue(id(i), priorities[i], i < 3 ? node(0) : node(2), i < 3 ? node(1) : node(3), {0});
  }
  while (scheduler.admit({0})) {
  }
  return scheduler;
}

TEST(Slots, NobodyMakesRoomBeforeTheyAreLowered) {
  Scheduler scheduler = five();
  EXPECT_EQ(thinOut(scheduler), Order{});
  scheduler.setSlots(5, 3, 3);
  EXPECT_EQ(thinOut(scheduler), Order{});
}

TEST(Slots, TheLowestMakeRoomAndOfThemTheLastThatCame) {
  Scheduler scheduler = five();
  scheduler.setSlots(2, 0, 0);
  EXPECT_EQ(thinOut(scheduler), (Order{4, 2, 1}));
}

TEST(Slots, OnlyWhoIsAtANodeWithTooManyMakesRoom) {
  for (const bool source : {true, false}) {
    Scheduler scheduler = five();
    scheduler.setSlots(0, source ? 2 : 0, source ? 0 : 2);
    EXPECT_EQ(thinOut(scheduler), (Order{2})) << "of the three that share a node; 4 is lower and stands in nobody's way";
  }
}

TEST(Slots, WhoCannotMakeRoomFinishesAndOthersDoInItsPlace) {
  Scheduler scheduler = five();
  scheduler.setSlots(2, 0, 0);
  EXPECT_EQ(thinOut(scheduler, {4, 2}), (Order{1, 3, 0}));
  EXPECT_EQ(thinOut(scheduler, {0, 1, 2, 3, 4}), Order{});
  // They count until they have ended: nobody is let in.
  scheduler.enqueue(id(7), 255, node(5), node(6), {0});
  EXPECT_EQ(scheduler.admit({0}), std::nullopt);
  for (const uint32_t ended : {4U, 2U, 1U}) scheduler.remove(id(ended));
  EXPECT_EQ(scheduler.admit({0}), std::nullopt) << "two run, and two may";
  scheduler.remove(id(3));
  EXPECT_EQ(scheduler.admit({0}), id(7));
}

TEST(Slots, RaisedTheyLetOthersIn) {
  Scheduler scheduler = five();
  scheduler.setSlots(1, 0, 0);
  scheduler.enqueue(id(7), 1, node(0), node(1), {0});
  EXPECT_EQ(scheduler.admit({0}), std::nullopt);
  scheduler.setSlots(6, 0, 0);
  EXPECT_EQ(thinOut(scheduler), Order{});
  EXPECT_EQ(scheduler.admit({0}), id(7));
}

// Once no more run than may, it is over: who then runs beyond them does so because it may.
TEST(Slots, WhoRunsAnywayLaterIsNoReason) {
  Scheduler scheduler = five();
  scheduler.setSlots(4, 0, 0);
  bool any = true;
  EXPECT_EQ(scheduler.toThinOut(any, anybody, nobody), id(4));
  EXPECT_TRUE(any) << "it still runs";
  scheduler.remove(id(4));
  scheduler.enqueue(id(4), 10, node(2), node(3), {0});
  EXPECT_EQ(scheduler.toThinOut(any, anybody, nobody), std::nullopt);
  EXPECT_FALSE(any);
  scheduler.runAnyway(id(4), {0});
  EXPECT_EQ(scheduler.running(), 5U);
  EXPECT_EQ(scheduler.toThinOut(any, anybody, nobody), std::nullopt);
}

// --- The engine ----------------------------------------------------------------

constexpr uint32_t kMigrations = 4, kEntries = 600, kPageEntries = 10;

struct Four {
  Four() {
    host.delay = [](const Action& action) { return action.kind == ActionKind::kScan ? 3U : 2U; };
    host.onAction = [this](const Action& action) {
      const bool scans = action.kind == ActionKind::kScan;
      if (scans && look(action.migration).state == MigrationState::kCopying) ++scans_[action.migration.slot()];
    };
    for (uint32_t i = 0; i < kMigrations; ++i) {
      const std::string prefix(1, static_cast<char>('a' + i));
      for (uint32_t n = 0; n < kEntries; ++n) host.sourceStore.entries[prefix + std::to_string(100'000 + n)] = "value";
      Plan plan = copyPlan(KeyRange::prefix(prefix));
      plan.priority = static_cast<uint8_t>(100 + i);
      plan.intoNonempty = true;
      plan.pageEntries = kPageEntries;
      plan.source = "source";
      ids.push_back(host.engine.start(host.now, validatePlan(std::move(plan)).value(), host.source, host.target, false).value());
    }
  }
  MigrationView look(MigrationId which) { return *host.engine.inspect(host.now, which); }
  // At work: begun, not ended, and not made room.
  uint32_t working() {
    return static_cast<uint32_t>(std::count_if(ids.begin(), ids.end(), [this](MigrationId which) {
      const MigrationView view = look(which);
      return view.state != MigrationState::kPending && !view.waits && !isFinal(view.state);
    }));
  }
  bool allDone() {
    return std::all_of(ids.begin(), ids.end(), [this](MigrationId which) { return look(which).state == MigrationState::kDone; });
  }
  MemoryHost host;
  std::vector<MigrationId> ids;
  uint64_t scans_[kMigrations] = {};
};

TEST(Slots, LoweredWhileFourCopyThreeMakeRoomAtTheirNextPage) {
  Four four;
  uint32_t stepsSince = 0, most = 0;
  uint64_t atLowering[kMigrations] = {};
  four.host.onStep = [&] {
    const bool lowers = stepsSince == 0 && four.look(four.ids[0]).entries >= 200;
    if (lowers) {
      EXPECT_EQ(four.working(), 4U);
      four.host.engine.setSlots(1, 0, 0);
      std::copy_n(four.scans_, kMigrations, atLowering);
    }
    if (lowers || stepsSince > 0) ++stepsSince;
    // A page that is under way comes, and is written.
    if (stepsSince > 20) most = std::max(most, four.working());
    if (stepsSince == 20) {
      for (uint32_t i = 0; i < 3; ++i) {
        EXPECT_TRUE(four.look(four.ids[i]).waits) << i;
        EXPECT_EQ(four.scans_[i], atLowering[i]) << "it asked for another page";
      }
      EXPECT_FALSE(four.look(four.ids[3]).waits) << "the highest goes on";
    }
    return true;
  };
  ASSERT_TRUE(four.host.run());
  EXPECT_GT(stepsSince, 100U);
  EXPECT_EQ(most, 1U);
  EXPECT_TRUE(four.allDone());
  EXPECT_EQ(four.host.targetStore.entries, four.host.sourceStore.entries);
  // Nothing was read twice: a page for each ten, and perhaps one that says END.
  for (const uint64_t scans : four.scans_) EXPECT_LE(scans, kEntries / kPageEntries + 1);
}

TEST(Slots, LoweredBetweenTwoStoresAndRaisedAgain) {
  for (const bool asSource : {true, false}) {
    Four four;
    uint32_t steps = 0, least = kMigrations, after = 0;
    four.host.onStep = [&] {
      if (++steps == 40) four.host.engine.setSlots(0, asSource ? 2 : 0, asSource ? 0 : 2);
      if (steps == 80) least = four.working();
      if (steps == 80) four.host.engine.setSlots(0, 0, 0);
      if (steps == 82) after = four.working();
      return true;
    };
    ASSERT_TRUE(four.host.run());
    EXPECT_EQ(least, 2U);
    EXPECT_EQ(after, 4U) << "there is room for all again";
    EXPECT_TRUE(four.allDone());
  }
}

// Lowered and raised at every step at which it may be: each ends, and nothing is left out.
TEST(Slots, AtAnyStep) {
  for (uint32_t at = 1; at < 200; at += 7) {
    Four four;
    uint32_t steps = 0;
    four.host.onStep = [&] {
      ++steps;
      if (steps % at == 0) four.host.engine.setSlots(steps / at % 3, steps / at % 2, 0);
      return true;
    };
    ASSERT_TRUE(four.host.run()) << at;
    EXPECT_TRUE(four.allDone()) << at;
    EXPECT_EQ(four.host.targetStore.entries, four.host.sourceStore.entries) << at;
  }
}

}  // namespace
}  // namespace keyhaul::test
