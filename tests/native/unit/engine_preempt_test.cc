// Whoever waits with a higher priority gets the slot of one that copies, at its next page.
#include <gtest/gtest.h>

#include "support/memory_host.h"

namespace keyhaul::test {
namespace {

Config oneSlot() {
  Config config;
  config.slots = 1;
  return config;
}

Plan planOf(std::string_view prefix, uint8_t priority) {
  Plan plan = copyPlan(KeyRange::prefix(std::string(prefix)));
  plan.priority = priority;
  plan.intoNonempty = true;
  plan.source = "source";
  return plan;
}

MigrationId begin(MemoryHost& host, Plan plan) {
  return host.engine.start(host.now, validatePlan(std::move(plan)).value(), host.source, host.target, false).value();
}

void put(MemoryStore& store, const std::string& prefix, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) store.entries[prefix + std::to_string(100'000 + i)] = std::string(20, 'v');
}

MigrationView look(MemoryHost& host, MigrationId id) { return *host.engine.inspect(host.now, id); }

struct Two {
  explicit Two(uint8_t second) : priority(second) {
    put(host.sourceStore, "a", 1'000);
    put(host.sourceStore, "b", 200);
    host.delay = [](const Action& action) { return action.kind == ActionKind::kScan ? 3U : 2U; };
    host.onAction = [this](const Action& action) {
      if (action.kind == ActionKind::kScan) ++(action.migration == low ? lowScans : highScans);
      if (action.kind != ActionKind::kApply && action.kind != ActionKind::kScan) return;
      if (high && action.migration == low && look(host, high).state != MigrationState::kPending &&
          !isFinal(look(host, high).state)) {
        overlaps = true;
      }
    };
    low = begin(host, planOf("a", 100));
    host.onStep = [this] {
      const MigrationView view = look(host, low);
      if (!high && view.state == MigrationState::kCopying && view.entries >= 300) {
        high = begin(host, planOf("b", priority));
        entriesBefore = view.entries;
        scansBefore = lowScans;
      }
      if (!high) return true;
      if (view.waits && view.state == MigrationState::kCopying && waited == 0) waited = view.entries;
      if (isFinal(look(host, high).state) && lowWhenHighEnded == 0) lowWhenHighEnded = view.entries;
      if (each) each();
      return true;
    };
  }
  uint8_t priority;
  MemoryHost host{oneSlot()};
  MigrationId low, high;
  uint64_t lowScans = 0, highScans = 0, scansBefore = 0, entriesBefore = 0, waited = 0, lowWhenHighEnded = 0;
  bool overlaps = false;
  std::function<void()> each;
};

TEST(Preempt, AHigherOneRunsAtTheNextPageAndTheOtherGoesOnWhereItStood) {
  Two two(101);
  ASSERT_TRUE(two.host.run());
  EXPECT_EQ(look(two.host, two.high).state, MigrationState::kDone);
  EXPECT_EQ(look(two.host, two.low).state, MigrationState::kDone);
  EXPECT_FALSE(two.overlaps) << "two at work with one slot";
  EXPECT_GE(two.waited, two.entriesBefore);
  EXPECT_LE(two.waited, two.entriesBefore + 20) << "a page under way, and one that was asked for";
  EXPECT_EQ(two.lowWhenHighEnded, two.waited);
  // No page of 10 was read twice: 100, the end, and what verification reads.
  MemoryHost alone(oneSlot());
  uint64_t scans = 0;
  put(alone.sourceStore, "a", 1'000);
  alone.onAction = [&](const Action& action) { scans += action.kind == ActionKind::kScan ? 1U : 0U; };
  begin(alone, planOf("a", 100));
  ASSERT_TRUE(alone.run());
  EXPECT_EQ(two.lowScans, scans);
  EXPECT_EQ(two.host.targetStore.entries, two.host.sourceStore.entries);
}

TEST(Preempt, AnEqualOneWaits) {
  Two two(100);
  ASSERT_TRUE(two.host.run());
  EXPECT_EQ(two.waited, 0U);
  EXPECT_EQ(look(two.host, two.high).state, MigrationState::kDone);
  EXPECT_EQ(look(two.host, two.low).state, MigrationState::kDone);
}

TEST(Preempt, OneThatHasMadeRoomCanBeCancelledAndStopped) {
  for (const bool cancel : {true, false}) {
    Two two(101);
    bool asked = false;
    two.each = [&] {
      if (asked || !look(two.host, two.low).waits) return;
      asked = true;
      EXPECT_TRUE(look(two.host, two.low).paused);
      EXPECT_TRUE((cancel ? two.host.engine.cancel(two.low) : two.host.engine.stop(two.low)).ok());
    };
    ASSERT_TRUE(two.host.run());
    EXPECT_TRUE(asked);
    EXPECT_EQ(look(two.host, two.high).state, MigrationState::kDone);
    EXPECT_EQ(look(two.host, two.low).state, cancel ? MigrationState::kCancelled : MigrationState::kStopped);
  }
}

// It takes off what it had copied at once, beside whom it has made room for; but nobody else is let in meanwhile.
TEST(Preempt, OneThatIsUndoneWithoutASlotCounts) {
  Two two(101);
  put(two.host.sourceStore, "c", 200);
  MigrationId third;
  bool asked = false, beside = false;
  two.each = [&] {
    const auto works = [&](MigrationId id) {
      const MigrationView view = look(two.host, id);
      return view.state != MigrationState::kPending && !view.waits && !isFinal(view.state);
    };
    beside = beside || (asked && works(third) && (works(two.low) || works(two.high)));
    if (asked || !look(two.host, two.low).waits || look(two.host, two.high).entries < 150) return;
    asked = true;
    // As slow as it gets, so that it is at it when the other one has ended.
    two.host.delay = [&](const Action& action) { return action.migration == two.low ? 40U : 2U; };
    EXPECT_TRUE(two.host.engine.cancel(two.low).ok());
    third = begin(two.host, planOf("c", 101));
  };
  ASSERT_TRUE(two.host.run());
  ASSERT_TRUE(asked);
  EXPECT_FALSE(beside) << "two at work with one slot";
  EXPECT_EQ(look(two.host, two.low).state, MigrationState::kCancelled);
  EXPECT_EQ(look(two.host, two.high).state, MigrationState::kDone);
  EXPECT_EQ(look(two.host, third).state, MigrationState::kDone);
  EXPECT_EQ(two.host.targetStore.entries.size(), 400U);
}

// A page that never comes does not keep the slot: it is given up as ever.
TEST(Preempt, AStoreThatHangsDoesNotKeepTheSlot) {
  Two two(101);
  bool hung = false;
  two.host.hang = [&](const Action& action) {
    if (hung || !two.high || action.migration != two.low || action.kind != ActionKind::kScan) return false;
    return hung = true;
  };
  ASSERT_TRUE(two.host.run());
  EXPECT_EQ(look(two.host, two.high).state, MigrationState::kDone);
  EXPECT_EQ(look(two.host, two.low).state, MigrationState::kDone);
  EXPECT_EQ(two.host.targetStore.entries, two.host.sourceStore.entries);
}

// Nor does one that is paused while a page of it waits to be written once more.
TEST(Preempt, OneThatIsPausedInTheMiddleOfAPageDoesNotKeepTheSlot) {
  Two two(101);
  bool failed = false;
  two.host.fault = [&](const Action& action) {
    if (failed || action.kind != ActionKind::kApply || look(two.host, two.low).entries < 100) return ErrorCode::kOk;
    failed = true;
    EXPECT_TRUE(two.host.engine.pause(two.low).ok());
    two.high = begin(two.host, planOf("b", two.priority));
    return ErrorCode::kStoreFailed;
  };
  ASSERT_TRUE(two.host.run());
  ASSERT_TRUE(failed);
  EXPECT_EQ(look(two.host, two.high).state, MigrationState::kDone);
  EXPECT_EQ(look(two.host, two.low).state, MigrationState::kCopying);
  EXPECT_FALSE(two.overlaps);
  ASSERT_TRUE(two.host.engine.unpause(two.low).ok());
  ASSERT_TRUE(two.host.run());
  EXPECT_EQ(look(two.host, two.low).state, MigrationState::kDone);
  EXPECT_EQ(two.host.targetStore.entries, two.host.sourceStore.entries);
}

// One that goes on from a journal that has all pages, but not that the copy is over: it has given its slot back before it
// looks whether anything is left, and does not go on without one.
TEST(Preempt, OneThatHadCopiedAllWaitsForItsTurnLikeOthers) {
  MemoryHost before(oneSlot());
  put(before.sourceStore, "a", 50);
  const MigrationId first =
      before.engine.start(before.now, validatePlan(planOf("a", 100)).value(), before.source, before.target, true).value();
  ASSERT_TRUE(before.run());
  ASSERT_EQ(look(before, first).state, MigrationState::kDone);
  // A crash in the middle of an append leaves a beginning of it.
  std::optional<JournalImage> image;
  for (size_t bytes = before.journal.size(); bytes > 0 && !image; --bytes) {
    Result<JournalImage> read = readJournal(std::as_bytes(std::span(before.journal).first(bytes)));
    if (read.ok() && read->state == MigrationState::kCopying && read->ranges[0].copied) image = std::move(read).value();
  }
  ASSERT_TRUE(image);
  MemoryHost host(oneSlot());
  host.sourceStore.entries = host.targetStore.entries = before.sourceStore.entries;
  put(host.sourceStore, "b", 200);
  host.delay = [](const Action&) { return 2U; };
  const MigrationId low = host.engine.resume(host.now, std::move(*image), host.source, host.target).value();
  MigrationId high;
  bool madeRoom = false, beside = false;
  host.onAction = [&](const Action& action) {
    const bool works = action.kind == ActionKind::kScan || action.kind == ActionKind::kApply;
    const bool other = high && look(host, high).state != MigrationState::kPending && !isFinal(look(host, high).state);
    beside = beside || (works && action.migration == low && other);
  };
  host.onStep = [&] {
    const MigrationView view = look(host, low);
    if (!high && view.state == MigrationState::kCopying) high = begin(host, planOf("b", 101));
    madeRoom = madeRoom || (high && view.waits);
    return true;
  };
  ASSERT_TRUE(host.run());
  EXPECT_TRUE(madeRoom);
  EXPECT_FALSE(beside) << "two at work with one slot";
  EXPECT_EQ(look(host, low).state, MigrationState::kDone);
  EXPECT_EQ(look(host, high).state, MigrationState::kDone);
  EXPECT_EQ(host.targetStore.entries, host.sourceStore.entries);
}

// What a receipt says of the copy, and what an ETA goes by, is time in which it copied.
TEST(Preempt, RestingIsNoTimeOfCopying) {
  Two two(101);
  uint64_t restedUs = 0;
  Instant last{0};
  two.each = [&] {
    if (look(two.host, two.low).waits && last.us != 0) restedUs += (two.host.now - last).us;
    last = two.host.now;
  };
  ASSERT_TRUE(two.host.run());
  const auto totals = [](Two& of) { return of.host.engine.receipt(of.low)->totals; };
  Two alone(101);
  alone.high = alone.low;  // nobody else comes
  ASSERT_TRUE(alone.host.run());
  ASSERT_GT(restedUs, 500U);
  EXPECT_LT(totals(two).copyUs, totals(alone).copyUs + 100);
  EXPECT_GT(totals(two).copyUs, totals(alone).copyUs - 100);
  EXPECT_GT(totals(two).activeUs, totals(alone).activeUs + restedUs - 100);
}

TEST(Preempt, APauseIsNoTimeOfCopyingNorMakesItSlow) {
  MemoryHost host(oneSlot());
  put(host.sourceStore, "a", 1'000);
  const MigrationId id = begin(host, planOf("a", 100));
  bool paused = false;
  uint64_t bytesPerSecond = 0;
  host.onStep = [&] {
    host.now = host.now + milliseconds(20);
    const MigrationView view = look(host, id);
    if (!paused && view.entries >= 500) {
      paused = true;
      bytesPerSecond = view.bytesPerSecond;
      EXPECT_TRUE(host.engine.pause(id).ok());
    }
    if (paused && view.state == MigrationState::kCopying) {
      EXPECT_GE(view.bytesPerSecond, bytesPerSecond / 10 * 9) << "at " << view.entries;
    }
    return true;
  };
  ASSERT_TRUE(host.run());
  ASSERT_EQ(look(host, id).state, MigrationState::kCopying);
  ASSERT_GT(bytesPerSecond, 0U);
  host.now = host.now + seconds(600);
  ASSERT_TRUE(host.engine.unpause(id).ok());
  ASSERT_TRUE(host.run());
  ASSERT_EQ(look(host, id).state, MigrationState::kDone);
  const Totals totals = host.engine.receipt(id)->totals;
  EXPECT_GT(totals.copyUs, 1'000'000U);
  EXPECT_LT(totals.copyUs, 60'000'000U);
  EXPECT_GT(totals.activeUs, 600'000'000U) << "from its beginning to its end, but for the time between processes";
}

// A stream of higher ones: each takes the slot, and still the lower one comes to its end, by waiting.
TEST(Preempt, NobodyIsKeptFromItsEnd) {
  Config config = oneSlot();
  config.ageing = milliseconds(5);
  MemoryHost host(config);
  put(host.sourceStore, "a", 1'000);
  put(host.sourceStore, "b", 100);
  host.delay = [](const Action&) { return 2U; };
  const MigrationId low = begin(host, planOf("a", 100));
  MigrationId high;
  uint32_t begun = 0, turns = 0;
  bool waited = false;
  host.onStep = [&] {
    host.now = host.now + Duration{200};
    const MigrationView view = look(host, low);
    if (view.state == MigrationState::kDone) return false;
    turns += waited && !view.waits ? 1U : 0U;
    waited = view.waits;
    const bool ended = high && isFinal(look(host, high).state);
    if (ended) {
      EXPECT_TRUE(host.engine.forget(high).ok());
    }
    if (view.state == MigrationState::kCopying && view.entries > 0 && (ended || !high)) {
      high = begin(host, planOf("b", 104));
      ++begun;
    }
    return true;
  };
  ASSERT_TRUE(host.run());
  EXPECT_EQ(look(host, low).state, MigrationState::kDone);
  EXPECT_GE(begun, 2U);
  EXPECT_GE(turns, 1U);
  EXPECT_LE(turns, begun) << "it was sent back more often than somebody came";
}

}  // namespace
}  // namespace keyhaul::test
