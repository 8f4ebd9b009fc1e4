#include <gtest/gtest.h>

#include "support/memory_host.h"

namespace keyhaul::test {
namespace {

MigrationId begin(MemoryHost& host, Plan plan, bool journal = true) {
  auto valid = validatePlan(std::move(plan));
  EXPECT_TRUE(valid.ok()) << errorName(valid.code());
  auto id = host.engine.start(host.now, std::move(valid).value(), host.source, host.target, journal);
  EXPECT_TRUE(id.ok());
  return id.value();
}

MigrationState stateOf(MemoryHost& host, MigrationId id) {
  return host.engine.inspect(host.now, id)->state;
}

TEST(Engine, CopiesAndVerifies) {
  MemoryHost host;
  fill(host.sourceStore, 1'000);
  const auto id = begin(host, copyPlan());
  ASSERT_TRUE(host.run());
  EXPECT_EQ(stateOf(host, id), MigrationState::kDone);
  EXPECT_EQ(host.targetStore.entries, host.sourceStore.entries);
  const Receipt receipt = *host.engine.receipt(id);
  EXPECT_TRUE(receipt.verified);
  EXPECT_EQ(receipt.source, receipt.target);
  EXPECT_EQ(receipt.source.entries, 1'000U);
  EXPECT_EQ(receipt.totals.copiedEntries, 1'000U);
  EXPECT_TRUE(readJournal(std::as_bytes(std::span(host.journal)))->receipt.has_value());
  EXPECT_EQ(host.engine.bufferBytes(), 0U);
}

TEST(Engine, AnEmptyRangeIsDoneAndVerified) {
  MemoryHost host;
  const auto id = begin(host, copyPlan());
  ASSERT_TRUE(host.run());
  EXPECT_EQ(stateOf(host, id), MigrationState::kDone);
  EXPECT_TRUE(host.engine.receipt(id)->verified);
}

TEST(Engine, ManyRangesEmptyOrNotAreCopied) {
  for (const bool journal : {true, false}) {
    for (const uint32_t lanes : {1U, 3U}) {
      MemoryHost host;
      fill(host.sourceStore, 1'000);
      Plan plan = copyPlan();
      plan.ranges.clear();
      for (uint32_t i = 0; i < 2'000; ++i) {
        plan.ranges.push_back(KeyRange::prefix("k0" + std::to_string(10'000 + i * 5).substr(1)));
      }
      plan.lanes = lanes;
      std::map<std::string, std::string> expected;
      for (const auto& [key, value] : host.sourceStore.entries) {
        for (const KeyRange& range : plan.ranges) {
          if (range.contains(key)) expected.emplace(key, value);
        }
      }
      const auto id = begin(host, plan, journal);
      ASSERT_TRUE(host.run());
      ASSERT_EQ(stateOf(host, id), MigrationState::kDone);
      EXPECT_GT(expected.size(), 100U);
      EXPECT_EQ(host.targetStore.entries, expected);
    }
  }
}

// How many pages are read while the first one is being written.
uint64_t readAhead(uint32_t windowPages, size_t valueBytes) {
  MemoryHost host;
  for (uint32_t i = 10; i < 50; ++i) host.sourceStore.put(std::to_string(i), std::string(valueBytes, 'v'));
  Plan plan = copyPlan();
  plan.pageBytes = static_cast<uint32_t>(2 * valueBytes + 4);
  plan.windowPages = windowPages;
  begin(host, plan);
  host.hang = [](const Action& action) { return action.kind == ActionKind::kApply; };
  host.onStep = [steps = 0]() mutable { return ++steps < 100; };
  host.run();
  return host.sourceStore.scans;
}

TEST(Engine, OfLargePagesThreeAreHeld) {
  EXPECT_EQ(readAhead(6, 1'000), 6U);
  EXPECT_EQ(readAhead(6, 900'000), 6U);
  EXPECT_EQ(readAhead(6, 1'000'000), 3U);
  EXPECT_EQ(readAhead(2, 1'000'000), 2U);
  EXPECT_EQ(readAhead(1, 1'000), 2U);  // the last of a range is known by the one behind it
}

TEST(Engine, CopiesOnlyTheRange) {
  MemoryHost host;
  for (const char* key : {"a", "b", "c", "d"}) host.sourceStore.entries[key] = key;
  const auto id = begin(host, copyPlan(KeyRange::inclusive("b", "c").value()));
  ASSERT_TRUE(host.run());
  EXPECT_EQ(stateOf(host, id), MigrationState::kDone);
  EXPECT_EQ(host.targetStore.entries, (std::map<std::string, std::string>{{"b", "b"}, {"c", "c"}}));
}

TEST(Engine, RefusesATargetThatIsNotEmpty) {
  MemoryHost host;
  fill(host.sourceStore, 10);
  host.targetStore.entries["x"] = "1";
  const auto id = begin(host, copyPlan());
  ASSERT_TRUE(host.run());
  EXPECT_EQ(stateOf(host, id), MigrationState::kFailed);
  EXPECT_EQ(host.engine.inspect(host.now, id)->error, ErrorCode::kTargetNotEmpty);
  EXPECT_TRUE(host.journal.empty());
  EXPECT_EQ(host.targetStore.entries.size(), 1U);
}

TEST(Engine, MovesAndDeletesTheSourceAfterwards) {
  MemoryHost host;
  fill(host.sourceStore, 500);
  const auto before = host.sourceStore.entries;
  Plan plan = copyPlan();
  plan.mode = MigrationMode::kMove;
  const auto id = begin(host, plan);
  ASSERT_TRUE(host.run());
  EXPECT_EQ(stateOf(host, id), MigrationState::kDone);
  EXPECT_TRUE(host.sourceStore.entries.empty());
  EXPECT_EQ(host.targetStore.entries, before);
  EXPECT_EQ(host.engine.receipt(id)->totals.deletedEntries, 500U);
}

TEST(Engine, NamesAWrongTargetAndRepairsIt) {
  MemoryHost host;
  fill(host.sourceStore, 300);
  host.targetStore.entries = host.sourceStore.entries;
  auto& target = host.targetStore.entries;
  const std::string gone = std::next(target.begin(), 17)->first;
  const std::string changed = std::next(target.begin(), 99)->first;
  target.erase(gone);
  target[changed] += "!";
  target["k9999999"] = "extra";
  Plan plan = copyPlan();
  plan.mode = MigrationMode::kVerify;
  auto id = begin(host, plan);
  ASSERT_TRUE(host.run());
  EXPECT_EQ(stateOf(host, id), MigrationState::kMismatch);
  EXPECT_EQ(host.differences,
            (std::vector<std::pair<DifferenceKind, std::string>>{
                {DifferenceKind::kMissing, gone},
                {DifferenceKind::kChanged, changed},
                {DifferenceKind::kExtra, "k9999999"}}));
  plan.repair = true;
  id = begin(host, plan);
  ASSERT_TRUE(host.run());
  EXPECT_EQ(stateOf(host, id), MigrationState::kDone);
  EXPECT_EQ(host.targetStore.entries, host.sourceStore.entries);
  EXPECT_EQ(host.engine.receipt(id)->totals.repairs, 3U);
  EXPECT_EQ(host.engine.receipt(id)->totals.verifyRounds, 2U);
}

TEST(Engine, FindsWhatTheTargetLostAfterTheCopy) {
  MemoryHost host;
  fill(host.sourceStore, 400);
  bool spoiled = false;
  host.onAction = [&](const Action& action) {
    // Spoil the target once everything is written.
    if (!spoiled && action.kind == ActionKind::kScan && action.node == host.target &&
        host.targetStore.entries.size() == 400) {
      spoiled = true;
      host.targetStore.entries.erase(std::next(host.targetStore.entries.begin(), 200));
    }
  };
  const auto id = begin(host, copyPlan());
  ASSERT_TRUE(host.run());
  EXPECT_TRUE(spoiled);
  EXPECT_EQ(stateOf(host, id), MigrationState::kMismatch);
  ASSERT_EQ(host.differences.size(), 1U);
  EXPECT_EQ(host.differences[0].first, DifferenceKind::kMissing);
}

TEST(Engine, CancelLeavesTheTargetAsItWas) {
  MemoryHost host;
  fill(host.sourceStore, 400);
  const MigrationId id = begin(host, copyPlan());
  bool cancelled = false;
  host.onStep = [&] {
    if (!cancelled && host.targetStore.entries.size() >= 200) {
      cancelled = host.engine.cancel(id).ok();
    }
    return true;
  };
  ASSERT_TRUE(host.run());
  EXPECT_EQ(stateOf(host, id), MigrationState::kCancelled);
  EXPECT_TRUE(host.targetStore.entries.empty());
}

TEST(Engine, RetriesWhatMayPass) {
  MemoryHost host;
  fill(host.sourceStore, 200);
  uint32_t calls = 0;
  host.fault = [&](const Action& action) {
    if (action.kind == ActionKind::kJournal) return ErrorCode::kOk;
    return ++calls % 3 == 0 ? ErrorCode::kStoreFailed : ErrorCode::kOk;
  };
  const auto id = begin(host, copyPlan());
  ASSERT_TRUE(host.run());
  EXPECT_EQ(stateOf(host, id), MigrationState::kDone);
  EXPECT_EQ(host.targetStore.entries, host.sourceStore.entries);
  EXPECT_GT(host.engine.receipt(id)->totals.retries, 10U);
}

TEST(Engine, FollowsWritesMadeMeanwhile) {
  MemoryHost host;
  fill(host.sourceStore, 400);
  Plan plan = copyPlan();
  plan.sourceCapabilities.bits |= static_cast<uint32_t>(Capability::kFeed);
  uint32_t writes = 0;
  host.onStep = [&] {
    if (writes < 60) {
      const std::string key = "k" + std::to_string(writes * 37 % 90);
      if (writes % 3 == 0) {
        host.sourceStore.del(std::next(host.sourceStore.entries.begin(),
                                       writes % host.sourceStore.entries.size())->first);
      } else {
        host.sourceStore.put(key, std::to_string(writes));
      }
      ++writes;
    }
    return true;
  };
  const auto id = begin(host, plan);
  ASSERT_TRUE(host.run());
  EXPECT_EQ(host.engine.inspect(host.now, id)->level, GuaranteeLevel::kL1);
  EXPECT_EQ(stateOf(host, id), MigrationState::kDone);
  EXPECT_EQ(host.targetStore.entries, host.sourceStore.entries);
  EXPECT_GT(host.engine.receipt(id)->totals.feedChanges, 0U);
  EXPECT_FALSE(host.sourceStore.recording);
}

// An id is used again once it is forgotten: nothing runs out.
TEST(Engine, AHundredThousandMigrationsOneAfterAnother) {
  MemoryHost host;
  host.sourceStore.entries["k"] = "v";
  Plan plan = copyPlan();
  plan.verify = VerifyDepth::kNone;
  const ValidPlan valid = validatePlan(plan).value();
  for (uint32_t i = 0; i < 100'000; ++i) {
    host.targetStore.entries.clear();
    host.notices.clear();
    host.states.clear();
    ASSERT_TRUE(host.engine.removeNode(host.source).ok());
    const NodeId stale = host.source;
    host.source = host.engine.addNode("source").value();
    ASSERT_NE(host.source, stale);
    ASSERT_EQ(host.engine.removeNode(stale).code(), ErrorCode::kNotFound);
    const auto id = host.engine.start(host.now, valid, host.source, host.target, false).value();
    ASSERT_EQ(host.engine.removeNode(host.source).code(), ErrorCode::kUnsupported);
    ASSERT_TRUE(host.run());
    ASSERT_EQ(stateOf(host, id), MigrationState::kDone);
    ASSERT_TRUE(host.engine.forget(id).ok());
    ASSERT_FALSE(host.engine.inspect(host.now, id).has_value());
  }
  EXPECT_EQ(host.engine.bufferBytes(), 0U);
}

// Crashes after every possible number of steps; what the journal claims is in
// the target, and a resume ends with equal sides.
class Crash : public testing::TestWithParam<std::pair<MigrationMode, bool>> {};

TEST_P(Crash, AtEveryStepResumes) {
  const auto [mode, feed] = GetParam();
  Plan plan = copyPlan();
  plan.mode = mode;
  if (feed) plan.sourceCapabilities.bits |= static_cast<uint32_t>(Capability::kFeed);
  uint32_t crashes = 0;
  for (uint32_t steps = 1; steps < 2'000; ++steps) {
    MemoryHost first;
    fill(first.sourceStore, 150);
    const auto all = first.sourceStore.entries;
    const auto firstId = begin(first, plan);
    uint32_t left = steps;
    first.onStep = [&] { return --left > 0; };
    ASSERT_TRUE(first.run());
    if (isFinal(stateOf(first, firstId))) break;
    ++crashes;
    MemoryHost second;
    second.sourceStore = first.sourceStore;
    second.targetStore = first.targetStore;
    auto image = readJournal(std::as_bytes(std::span(first.journal)));
    MigrationId id;
    if (first.journal.empty()) {
      id = begin(second, plan);
    } else {
      ASSERT_TRUE(image.ok()) << errorName(image.code());
      if (image->receipt) continue;
      second.journal = first.journal;
      for (const auto& range : image->ranges) {
        for (const auto& [key, value] : all) {
          if (range.copied || key < range.leaves.lastUpto()) {
            ASSERT_EQ(second.targetStore.entries.count(key), 1U);
          }
        }
      }
      auto resumed = second.engine.resume(second.now, std::move(image).value(), second.source,
                                          second.target);
      ASSERT_TRUE(resumed.ok());
      id = resumed.value();
    }
    ASSERT_TRUE(second.run());
    ASSERT_EQ(stateOf(second, id), MigrationState::kDone) << steps;
    ASSERT_EQ(second.targetStore.entries, all);
    ASSERT_EQ(second.sourceStore.entries.empty(), mode == MigrationMode::kMove);
    auto end = readJournal(std::as_bytes(std::span(second.journal)));
    ASSERT_TRUE(end.ok()) << errorName(end.code()) << " after " << steps;
    ASSERT_TRUE(end->receipt && end->receipt->verified);
  }
  EXPECT_GT(crashes, 10U);
}

INSTANTIATE_TEST_SUITE_P(Modes, Crash,
                         testing::Values(std::pair(MigrationMode::kCopy, false),
                                         std::pair(MigrationMode::kMove, false),
                                         std::pair(MigrationMode::kCopy, true),
                                         std::pair(MigrationMode::kMove, true)));

}  // namespace
}  // namespace keyhaul::test
