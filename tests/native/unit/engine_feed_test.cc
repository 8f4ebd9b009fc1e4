// A feed costs its source a log. It is trimmed while it is followed, and closed when nobody
// can go on with it.
#include <gtest/gtest.h>

#include <algorithm>

#include "support/memory_host.h"

namespace keyhaul::test {
namespace {

Plan withFeed(bool follow) {
  Plan plan = copyPlan();
  plan.sourceCapabilities.bits |= static_cast<uint32_t>(Capability::kFeed);
  plan.follow = follow;
  return plan;
}

MigrationId begin(MemoryHost& host, Plan plan, bool journal = true) {
  return host.engine
      .start(host.now, validatePlan(std::move(plan)).value(), host.source, host.target, journal)
      .value();
}

// Merging pages and changes in order rests on it: a later page shows what the feed has given.
TEST(EngineFeed, AFeedThatIsAheadOfItsScansNeedsVersions) {
  constexpr auto early = static_cast<uint32_t>(Capability::kFeedEarly);
  constexpr auto version = static_cast<uint32_t>(Capability::kVersion);
  for (const bool ofTarget : {false, true}) {
    Plan plan = withFeed(false);
    (ofTarget ? plan.targetCapabilities : plan.sourceCapabilities).bits |= early;
    PlanProblem problem;
    for (const bool onSource : {false, true}) {
      (onSource ? plan.sourceCapabilities : plan.targetCapabilities).bits |= version;
      EXPECT_EQ(validatePlan(plan, &problem).code(), ErrorCode::kUnsupported);
      EXPECT_EQ(problem.missing, version);
      (onSource ? plan.sourceCapabilities : plan.targetCapabilities).bits &= ~version;
    }
    plan.sourceCapabilities.bits |= version;
    plan.targetCapabilities.bits |= version;
    EXPECT_TRUE(validatePlan(plan).ok());
    plan.verify = VerifyDepth::kNone;
    EXPECT_EQ(validatePlan(plan, &problem).code(), ErrorCode::kInvalidArgument);
    EXPECT_EQ(problem.field, "verify");
    plan.verify = VerifyDepth::kTarget;
    // What old journals have besides means nothing.
    plan.sourceCapabilities.bits |= 1U << 3 | 1U << 6 | 1U << 12;
    EXPECT_TRUE(validatePlan(plan).ok());
  }
}

MigrationId goOn(MemoryHost& host, std::string journal) {
  auto image = readJournal(std::as_bytes(std::span(journal)));
  EXPECT_TRUE(image.ok()) << errorName(image.code());
  host.journal = std::move(journal);
  return host.engine.resume(host.now, std::move(image).value(), host.source, host.target).value();
}

MigrationView look(MemoryHost& host, MigrationId id) { return *host.engine.inspect(host.now, id); }

TEST(EngineFeed, TheLogOfAFollowedSourceStaysSmall) {
  for (const bool journal : {true, false}) {
    MemoryHost host;
    fill(host.sourceStore, 50);
    size_t held = 0;
    uint32_t written = 0;
    MigrationId id;
    host.onStep = [&] {
      if (look(host, id).state != MigrationState::kCatchingUp) return true;
      held = std::max<size_t>(held, host.sourceStore.log.size() - host.sourceStore.trimmed);
      if (written < 6'000) {
        host.sourceStore.put("k" + std::to_string(written % 70), std::to_string(written));
        ++written;
        if (written == 6'000) { EXPECT_TRUE(host.engine.finish(id).ok()); }
      }
      return true;
    };
    id = begin(host, withFeed(true), journal);
    ASSERT_TRUE(host.run());
    EXPECT_EQ(look(host, id).state, MigrationState::kDone);
    EXPECT_EQ(host.targetStore.entries, host.sourceStore.entries);
    EXPECT_EQ(host.sourceStore.log.size(), 6'000U);
    EXPECT_LT(held, 200U);  // what comes in a second, and not all of it
    EXPECT_FALSE(host.sourceStore.recording);
  }
}

// What is trimmed cannot be read again: the journal has to know first that it was applied.
TEST(EngineFeed, TrimsOnlyWhatTheJournalHoldsAsApplied) {
  MemoryHost host;
  fill(host.sourceStore, 50);
  uint32_t written = 0, trims = 0;
  MigrationId id;
  host.onAction = [&](const Action& action) {
    if (action.kind != ActionKind::kTrimFeed) return;
    ++trims;
    const auto image = readJournal(std::as_bytes(std::span(host.journal)));
    ASSERT_TRUE(image.ok());
    const auto upto = host.engine.bytes(action.payload);
    EXPECT_EQ(image->appliedPosition,
              std::string(reinterpret_cast<const char*>(upto.data()), upto.size()));
  };
  host.onStep = [&] {
    if (look(host, id).state != MigrationState::kCatchingUp || written == 2'000) return true;
    host.sourceStore.put("k" + std::to_string(written % 70), std::to_string(written));
    ++written;
    if (written == 2'000) { EXPECT_TRUE(host.engine.finish(id).ok()); }
    return true;
  };
  id = begin(host, withFeed(true));
  ASSERT_TRUE(host.run());
  EXPECT_EQ(look(host, id).state, MigrationState::kDone);
  EXPECT_GT(trims, 5U);
}

TEST(EngineFeed, ResumesAfterTrims) {
  for (const uint32_t crashAfter : {200U, 555U, 1'200U}) {
    MemoryHost first;
    fill(first.sourceStore, 50);
    uint32_t written = 0;
    MigrationId id;
    first.onStep = [&] {
      if (look(first, id).state != MigrationState::kCatchingUp) return true;
      first.sourceStore.put("k" + std::to_string(written % 70), std::to_string(written));
      return ++written < crashAfter;
    };
    id = begin(first, withFeed(true));
    ASSERT_TRUE(first.run());
    ASSERT_GT(first.sourceStore.trimmed, 0U);
    MemoryHost second;
    second.sourceStore = first.sourceStore;
    second.targetStore = first.targetStore;
    second.sourceStore.put("while nobody looked", "1");
    id = goOn(second, first.journal);
    ASSERT_TRUE(second.engine.finish(id).ok());
    ASSERT_TRUE(second.run());
    EXPECT_EQ(look(second, id).state, MigrationState::kDone);
    EXPECT_EQ(second.targetStore.entries, second.sourceStore.entries);
    EXPECT_FALSE(second.sourceStore.recording);
  }
}

TEST(EngineFeed, IsClosedWhenPreparingFails) {
  MemoryHost host;
  host.targetStore.entries["in the way"] = "1";
  const auto id = begin(host, withFeed(false));
  ASSERT_TRUE(host.run());
  EXPECT_EQ(look(host, id).error, ErrorCode::kTargetNotEmpty);
  EXPECT_FALSE(host.sourceStore.recording);
}

// At each step of a run: a stop keeps the feed exactly when the journal can go on with it.
TEST(EngineFeed, AStopKeepsItOnlyForAJournalThatGoesOn) {
  for (const bool journal : {true, false}) {
    uint32_t stops = 0, kept = 0;
    for (uint32_t steps = 1; steps < 2'000; ++steps) {
      MemoryHost host;
      fill(host.sourceStore, 60);
      const auto id = begin(host, withFeed(false), journal);
      uint32_t left = steps;
      host.onStep = [&] { return --left > 0; };
      ASSERT_TRUE(host.run());
      host.onStep = nullptr;
      if (!host.engine.stop(id).ok()) break;
      ASSERT_TRUE(host.run());
      if (look(host, id).state != MigrationState::kStopped) continue;
      ++stops;
      const auto image = readJournal(std::as_bytes(std::span(host.journal)));
      ASSERT_EQ(host.sourceStore.recording, image.ok()) << steps;
      if (!image.ok()) continue;
      ++kept;
      MemoryHost next;
      next.sourceStore = host.sourceStore;
      next.targetStore = host.targetStore;
      const auto resumed = goOn(next, host.journal);
      ASSERT_TRUE(next.run());
      ASSERT_EQ(look(next, resumed).state, MigrationState::kDone) << steps;
      ASSERT_FALSE(next.sourceStore.recording);
    }
    EXPECT_GT(stops, 10U);
    EXPECT_EQ(kept > 10, journal);
  }
}

TEST(EngineFeed, ACancelAfterAResumeClosesIt) {
  for (const bool beforeItsSlot : {true, false}) {
    MemoryHost first;
    fill(first.sourceStore, 200);
    uint32_t left = 20;
    first.onStep = [&] { return --left > 0; };
    begin(first, withFeed(false));
    ASSERT_TRUE(first.run());
    ASSERT_TRUE(first.sourceStore.recording);
    MemoryHost second;
    second.sourceStore = first.sourceStore;
    second.targetStore = first.targetStore;
    const auto id = goOn(second, first.journal);
    left = 5;
    second.onStep = [&] { return --left > 0; };
    if (!beforeItsSlot) { ASSERT_TRUE(second.run()); }
    second.onStep = nullptr;
    ASSERT_TRUE(second.engine.cancel(id).ok());
    ASSERT_TRUE(second.run());
    EXPECT_EQ(look(second, id).state, MigrationState::kCancelled);
    EXPECT_TRUE(second.targetStore.entries.empty());
    EXPECT_FALSE(second.sourceStore.recording);
  }
}

// Wherever the process dies, the next one ends it: also behind the closing of the feed.
TEST(EngineFeed, ACrashAtAnyStepIsResumed) {
  for (const VerifyDepth verify : {VerifyDepth::kNone, VerifyDepth::kBoth}) {
    uint32_t resumed = 0;
    for (uint32_t steps = 1; steps < 2'000; ++steps) {
      MemoryHost host;
      fill(host.sourceStore, 60);
      Plan plan = withFeed(false);
      plan.verify = verify;
      const auto id = begin(host, plan);
      uint32_t left = steps;
      host.onStep = [&] { return --left > 0; };
      ASSERT_TRUE(host.run());
      if (look(host, id).state == MigrationState::kDone) break;
      const auto image = readJournal(std::as_bytes(std::span(host.journal)));
      if (!image.ok() || image->receipt) continue;
      MemoryHost next;
      next.sourceStore = host.sourceStore;
      next.targetStore = host.targetStore;
      const auto again = goOn(next, host.journal);
      ASSERT_TRUE(next.run());
      ASSERT_EQ(look(next, again).state, MigrationState::kDone)
          << steps << " " << errorName(look(next, again).error);
      ASSERT_EQ(next.targetStore.entries, next.sourceStore.entries);
      ASSERT_FALSE(next.sourceStore.recording) << steps;
      ++resumed;
    }
    EXPECT_GT(resumed, 10U);
  }
}

TEST(EngineFeed, IsAskedToCloseUntilItDoes) {
  MemoryHost host;
  fill(host.sourceStore, 20);
  uint32_t asked = 0;
  host.fault = [&](const Action& action) {
    return action.kind == ActionKind::kCloseFeed && ++asked < 4 ? ErrorCode::kStoreFailed : ErrorCode::kOk;
  };
  const auto id = begin(host, withFeed(false));
  ASSERT_TRUE(host.run());
  EXPECT_EQ(look(host, id).state, MigrationState::kDone);
  EXPECT_EQ(asked, 4U);
  EXPECT_FALSE(host.sourceStore.recording);
}

// Whoever waits for the end does not wait for a feed for ever.
TEST(EngineFeed, OneThatCannotBeClosedIsLeft) {
  for (const ErrorCode error : {ErrorCode::kStoreFailed, ErrorCode::kStoreCorrupt}) {
    MemoryHost host;
    fill(host.sourceStore, 20);
    host.fault = [&](const Action& action) {
      return action.kind == ActionKind::kCloseFeed ? error : ErrorCode::kOk;
    };
    const auto id = begin(host, withFeed(false));
    ASSERT_TRUE(host.run());
    EXPECT_EQ(look(host, id).state, MigrationState::kDone);
  }
}

}  // namespace
}  // namespace keyhaul::test
