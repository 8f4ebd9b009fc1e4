// Both stores have versions: a write to the target counts only where it is newer than what is there.
#include <gtest/gtest.h>

#include "support/memory_host.h"

namespace keyhaul::test {
namespace {

constexpr auto kVersioned = static_cast<uint32_t>(Capability::kVersion);

std::string at(uint32_t version, const std::string& text = "x") {
  char digits[8];
  std::snprintf(digits, sizeof digits, "%05u", version);
  return digits + (":" + text);
}

std::string key(uint32_t i) { return "k" + std::to_string(1'000 + i); }

Plan versioned() {
  Plan plan = copyPlan();
  plan.sourceCapabilities.bits |= kVersioned;
  plan.targetCapabilities.bits |= kVersioned;
  return plan;
}

Plan withEarlyFeed() {
  Plan plan = versioned();
  plan.sourceCapabilities.bits |= static_cast<uint32_t>(Capability::kFeed) | static_cast<uint32_t>(Capability::kFeedEarly);
  return plan;
}

void fillVersions(MemoryStore& store, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) store.entries[key(i)] = at(1);
}

MigrationId begin(MemoryHost& host, Plan plan, bool journal = true) {
  return host.engine.start(host.now, validatePlan(std::move(plan)).value(), host.source, host.target, journal).value();
}

MigrationView look(MemoryHost& host, MigrationId id) { return *host.engine.inspect(host.now, id); }

TEST(EngineVersion, LevelOneWithoutAFeedWhereSomethingIsCompared) {
  EXPECT_EQ(guaranteeLevel(versioned()), GuaranteeLevel::kL1);
  Plan plan = versioned();
  plan.verify = VerifyDepth::kNone;
  EXPECT_EQ(guaranteeLevel(plan), GuaranteeLevel::kL0);
  plan = versioned();
  plan.targetCapabilities = copyPlan().targetCapabilities;
  EXPECT_EQ(guaranteeLevel(plan), GuaranteeLevel::kL0);
  plan = versioned();
  plan.follow = true;  // until finish(): that needs to be told of changes
  PlanProblem problem;
  EXPECT_EQ(validatePlan(plan, &problem).code(), ErrorCode::kLevelNotMet);
  EXPECT_EQ(problem.missing, static_cast<uint32_t>(Capability::kFeed));
}

TEST(EngineVersion, AQuietCopyIsComparedOnce) {
  MemoryHost host;
  fillVersions(host.sourceStore, 55);
  const auto id = begin(host, versioned());
  ASSERT_TRUE(host.run());
  EXPECT_EQ(look(host, id).state, MigrationState::kDone);
  EXPECT_TRUE(look(host, id).verified);
  EXPECT_EQ(host.engine.receipt(id)->totals.verifyRounds, 1U);
  EXPECT_EQ(host.targetStore.entries, host.sourceStore.entries);
}

// Whenever the writers stop, both sides are equal: the copy missed some, and each round a few more.
TEST(EngineVersion, WhatIsWrittenMeanwhileIsBroughtOver) {
  for (uint32_t writes = 0; writes < 20; ++writes) {
    MemoryHost host;
    fillVersions(host.sourceStore, 55);
    uint32_t written = 0, version = 1;
    host.onStep = [&] {
      if (written++ < writes) host.sourceStore.put(key(written * 17 % 70), at(++version));
      return true;
    };
    const auto id = begin(host, versioned());
    ASSERT_TRUE(host.run());
    ASSERT_EQ(look(host, id).state, MigrationState::kDone) << writes;
    EXPECT_TRUE(look(host, id).verified);
    EXPECT_EQ(host.targetStore.entries, host.sourceStore.entries) << writes;
    EXPECT_TRUE(host.differences.empty());
  }
}

TEST(EngineVersion, WritersThatNeverPauseStopItResumably) {
  MemoryHost host;
  fillVersions(host.sourceStore, 55);
  uint32_t version = 1;
  bool writing = true;
  host.onStep = [&] {
    ++version;
    if (writing) host.sourceStore.put(key(version % 55), at(version));
    return true;
  };
  const auto id = begin(host, versioned());
  ASSERT_TRUE(host.run());
  EXPECT_EQ(look(host, id).state, MigrationState::kStopped);
  EXPECT_EQ(look(host, id).error, ErrorCode::kNotConverging);
  writing = false;
  auto image = readJournal(std::as_bytes(std::span(host.journal)));
  ASSERT_TRUE(image.ok());
  MemoryHost next;
  next.sourceStore = host.sourceStore;
  next.targetStore = host.targetStore;
  next.journal = host.journal;
  const auto again = next.engine.resume(next.now, std::move(image).value(), next.source, next.target).value();
  ASSERT_TRUE(next.run());
  EXPECT_EQ(look(next, again).state, MigrationState::kDone);
  EXPECT_EQ(next.targetStore.entries, next.sourceStore.entries);
}

Receipt receiptOf(MemoryHost& host, MigrationId id) { return *host.engine.receipt(id); }

// Before, during and after the copy: newer on the target stands, and nothing goes on for ever.
TEST(EngineVersion, WhatIsNewerOnTheTargetStands) {
  for (uint32_t step = 1; step < 60; step += 2) {
    MemoryHost host;
    fillVersions(host.sourceStore, 55);
    host.targetStore.entries[key(3)] = at(7, "before");
    host.targetStore.entries[key(4)] = at(0, "older");
    uint32_t steps = 0;
    host.onStep = [&] {
      if (++steps == step) host.targetStore.put(key(50), at(8, "during"));
      return true;
    };
    Plan plan = versioned();
    plan.intoNonempty = true;
    const auto id = begin(host, plan);
    ASSERT_TRUE(host.run());
    auto expected = host.sourceStore.entries;
    expected[key(3)] = at(7, "before");
    if (steps >= step) expected[key(50)] = at(8, "during");
    ASSERT_EQ(look(host, id).state, MigrationState::kDone) << step;
    EXPECT_EQ(host.targetStore.entries, expected) << step;
    EXPECT_TRUE(look(host, id).verified);
    const Receipt receipt = receiptOf(host, id);
    EXPECT_EQ(receipt.totals.missing + receipt.totals.extra, 0U);
    EXPECT_GE(receipt.totals.changed, 1U);
    EXPECT_LE(receipt.totals.changed, 2U);
  }
}

// Nobody can tell what was deleted here from what was written there: it is named, and never deleted.
TEST(EngineVersion, WhatTheSourceHasNotIsNamedAndKept) {
  for (const bool repair : {false, true}) {
    MemoryHost host;
    fillVersions(host.sourceStore, 55);
    uint32_t steps = 0;
    host.onStep = [&] {
      if (++steps == 8) host.sourceStore.del(key(2));
      if (steps == 8) host.sourceStore.put(key(3), at(2));
      return true;
    };
    Plan plan = versioned();
    plan.repair = repair;
    const auto id = begin(host, plan);
    ASSERT_TRUE(host.run());
    EXPECT_EQ(look(host, id).state, MigrationState::kMismatch);
    EXPECT_EQ(host.targetStore.entries[key(2)], at(1));
    EXPECT_EQ(host.targetStore.entries[key(3)], at(2));
    ASSERT_EQ(host.differences.size(), 1U);
    EXPECT_EQ(host.differences[0].second, key(2));
    EXPECT_EQ(host.differences[0].first, DifferenceKind::kExtra);
    EXPECT_EQ(receiptOf(host, id).totals.differences(), 1U);
  }
}

// Of one version there are two values: one of them is wrong, and which nobody knows.
TEST(EngineVersion, OneVersionWithTwoValuesIsNamed) {
  MemoryHost host;
  fillVersions(host.sourceStore, 55);
  host.targetStore.entries[key(9)] = at(1, "other");
  host.targetStore.entries[key(10)] = at(2, "newer");
  Plan plan = versioned();
  plan.intoNonempty = true;
  const auto id = begin(host, plan);
  ASSERT_TRUE(host.run());
  EXPECT_EQ(look(host, id).state, MigrationState::kMismatch);
  EXPECT_FALSE(look(host, id).verified);
  EXPECT_EQ(host.targetStore.entries[key(9)], at(1, "other"));
  EXPECT_EQ(host.differences.size(), 2U);
  EXPECT_LE(receiptOf(host, id).totals.verifyRounds, 4U);
}

// It may hold what others wrote.
TEST(EngineVersion, ACancelLeavesTheTarget) {
  MemoryHost host;
  fillVersions(host.sourceStore, 55);
  MigrationId id;
  uint32_t steps = 0;
  host.onStep = [&] {
    if (++steps == 6) { EXPECT_TRUE(host.engine.cancel(id).ok()); }
    return true;
  };
  id = begin(host, versioned());
  ASSERT_TRUE(host.run());
  EXPECT_EQ(look(host, id).state, MigrationState::kCancelled);
  EXPECT_GT(host.targetStore.entries.size(), 0U);
}

TEST(EngineVersion, ARepairTakesOnlyWhatIsNewer) {
  MemoryHost host;
  fillVersions(host.sourceStore, 55);
  host.targetStore.entries = host.sourceStore.entries;
  host.targetStore.entries.erase(key(1));
  host.targetStore.entries[key(2)] = at(0);
  host.targetStore.entries[key(3)] = at(9);
  Plan plan = versioned();
  plan.mode = MigrationMode::kVerify;
  plan.repair = true;
  const auto id = begin(host, plan);
  ASSERT_TRUE(host.run());
  EXPECT_EQ(look(host, id).state, MigrationState::kDone);
  EXPECT_EQ(receiptOf(host, id).totals.repairs, 2U);
  EXPECT_EQ(receiptOf(host, id).totals.changed, 1U);
  auto expected = host.sourceStore.entries;
  expected[key(3)] = at(9);
  EXPECT_EQ(host.targetStore.entries, expected);
}

// A move deletes what both hold equally; the source keeps what the target has in a newer version.
TEST(EngineVersion, AMoveLeavesWhatIsNewerOnTheTarget) {
  MemoryHost host;
  fillVersions(host.sourceStore, 55);
  host.targetStore.entries[key(3)] = at(9);
  Plan plan = versioned();
  plan.mode = MigrationMode::kMove;
  plan.intoNonempty = true;
  const auto id = begin(host, plan);
  ASSERT_TRUE(host.run());
  EXPECT_EQ(look(host, id).state, MigrationState::kDone);
  EXPECT_EQ(receiptOf(host, id).totals.leftOnSource, 1U);
  ASSERT_EQ(host.sourceStore.entries.size(), 1U);
  EXPECT_EQ(host.sourceStore.entries.begin()->first, key(3));
}

// The feed tells of a change, the copy applies it, and the page that is read then does not show it.
TEST(EngineVersion, AFeedThatIsAheadOfItsScansUndoesNothing) {
  for (uint32_t seed = 1; seed < 40; ++seed) {
    MemoryHost host;
    fillVersions(host.sourceStore, 80);
    uint32_t state = seed, steps = 0, version = 1;
    MigrationId id;
    const auto below = [&state](uint32_t limit) { return (state = state * 1'664'525U + 1'013'904'223U) / 65'536U % limit; };
    host.onStep = [&] {
      if (++steps < 60 && below(2) == 0) host.sourceStore.putEarly(key(below(90)), at(++version));
      if (below(9) == 0 || steps == 60) host.sourceStore.show();
      if (steps == 60) { EXPECT_TRUE(host.engine.finish(id).ok()); }
      return true;
    };
    Plan plan = withEarlyFeed();
    plan.follow = true;  // until the writers have stopped
    id = begin(host, plan);
    ASSERT_TRUE(host.run());
    ASSERT_EQ(look(host, id).state, MigrationState::kDone) << seed;
    EXPECT_EQ(host.targetStore.entries, host.sourceStore.entries) << seed;
    EXPECT_FALSE(host.sourceStore.recording);
  }
}

TEST(EngineVersion, ACrashAtAnyStepIsResumed) {
  uint32_t resumed = 0;
  for (uint32_t steps = 1; steps < 2'000; ++steps) {
    MemoryHost host;
    fillVersions(host.sourceStore, 60);
    uint32_t left = steps, version = 1;
    host.onStep = [&] {
      if (left % 3 == 0) host.sourceStore.put(key(left % 61), at(++version));
      return --left > 0;
    };
    const auto id = begin(host, versioned());
    ASSERT_TRUE(host.run());
    if (isFinal(look(host, id).state) || look(host, id).state == MigrationState::kStopped) break;
    auto image = readJournal(std::as_bytes(std::span(host.journal)));
    if (!image.ok() || image->receipt) continue;
    MemoryHost next;
    next.sourceStore = host.sourceStore;
    next.targetStore = host.targetStore;
    next.journal = host.journal;
    const auto again = next.engine.resume(next.now, std::move(image).value(), next.source, next.target).value();
    ASSERT_TRUE(next.run());
    ASSERT_EQ(look(next, again).state, MigrationState::kDone) << steps;
    ASSERT_EQ(next.targetStore.entries, next.sourceStore.entries) << steps;
    ++resumed;
  }
  EXPECT_GT(resumed, 10U);
}

}  // namespace
}  // namespace keyhaul::test
