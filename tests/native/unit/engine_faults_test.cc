// What goes wrong around an engine: hosts that hang, journals cut anywhere, writers
// that do not stop.
#include <gtest/gtest.h>

#include "support/memory_host.h"

namespace keyhaul::test {
namespace {

MigrationId begin(MemoryHost& host, Plan plan) {
  auto valid = validatePlan(std::move(plan));
  EXPECT_TRUE(valid.ok()) << errorName(valid.code());
  return host.engine.start(host.now, std::move(valid).value(), host.source, host.target, true)
      .value();
}

MigrationId goOn(MemoryHost& host, std::string journal) {
  auto image = readJournal(std::as_bytes(std::span(journal)));
  EXPECT_TRUE(image.ok()) << errorName(image.code());
  journal.resize(image->validBytes);
  host.journal = std::move(journal);
  return host.engine.resume(host.now, std::move(image).value(), host.source, host.target).value();
}

Plan following(bool follow) {
  Plan plan = copyPlan();
  plan.sourceCapabilities.bits |= static_cast<uint32_t>(Capability::kFeed);
  plan.follow = follow;
  return plan;
}

// A crash may tear the append of several records between any two of them.
TEST(EngineFaults, ResumesFromEveryRecordOfItsJournal) {
  for (const MigrationMode mode :
       {MigrationMode::kCopy, MigrationMode::kMove, MigrationMode::kVerify}) {
    for (const bool feed : {false, true}) {
      MemoryHost first;
      fill(first.sourceStore, 120);
      const auto before = first.sourceStore.entries;
      Plan plan = feed ? following(false) : copyPlan();
      plan.mode = mode;
      if (mode == MigrationMode::kVerify) first.targetStore.entries = before;
      begin(first, plan);
      ASSERT_TRUE(first.run());
      for (size_t length = 0; length < first.journal.size(); ++length) {
        const auto image = readJournal(std::as_bytes(std::span(first.journal)).first(length));
        // Nothing was begun, or nothing is left to do.
        if (image.code() == ErrorCode::kJournalTorn) continue;
        ASSERT_TRUE(image.ok());
        if (image->torn || image->receipt) continue;
        MemoryHost host;
        host.sourceStore.recording = feed;
        // Everything that the journal claims, and no less, is in the target.
        host.sourceStore.entries = image->state == MigrationState::kDeleting
                                       ? first.sourceStore.entries : before;
        if (image->state != MigrationState::kCopying || mode == MigrationMode::kVerify) {
          host.targetStore.entries = before;
        } else if (!image->ranges[0].leaves.empty()) {
          const Key last(image->ranges[0].leaves.lastUpto());
          const auto end = last.empty() ? before.end() : before.lower_bound(last);
          host.targetStore.entries.insert(before.begin(), end);
        }
        const auto id = goOn(host, first.journal.substr(0, length));
        ASSERT_TRUE(host.run());
        ASSERT_EQ(host.engine.inspect(host.now, id)->state, MigrationState::kDone) << length;
        ASSERT_EQ(host.targetStore.entries, before);
        ASSERT_TRUE(readJournal(std::as_bytes(std::span(host.journal))).ok());
      }
    }
  }
}

// The record that deletions begin is damaged, and it is the last one, which looks like a torn append: a tester's `cancel`
// emptied the target of what the source did not have any more.
TEST(EngineFaults, ADamagedLastRecordHidesNoDeletion) {
  for (const bool feed : {false, true}) {
    for (const bool cancels : {false, true}) {
      MemoryHost first;
      fill(first.sourceStore, 120);
      const auto before = first.sourceStore.entries;
      Plan plan = feed ? following(false) : copyPlan();
      plan.mode = MigrationMode::kMove;
      begin(first, plan);
      first.onStep = [&] { return first.sourceStore.entries.size() == before.size(); };
      ASSERT_TRUE(first.run());
      ASSERT_LT(first.sourceStore.entries.size(), before.size());
      first.journal.back() ^= 1;
      MemoryHost host;
      host.sourceStore = first.sourceStore;
      host.targetStore = first.targetStore;
      const auto id = goOn(host, first.journal);
      if (cancels) {
        EXPECT_EQ(host.engine.cancel(id).code(), ErrorCode::kCancelTooLate);
      }
      ASSERT_TRUE(host.run());
      EXPECT_EQ(host.engine.inspect(host.now, id)->state, MigrationState::kDone);
      EXPECT_EQ(host.targetStore.entries, before);
      EXPECT_TRUE(host.sourceStore.entries.empty());
    }
  }
}

TEST(EngineFaults, AJournalThatHangsStopsTheMigration) {
  MemoryHost host;
  fill(host.sourceStore, 300);
  uint32_t appends = 0;
  host.hang = [&](const Action& action) {
    return action.kind == ActionKind::kJournal && ++appends > 2;
  };
  const auto id = begin(host, copyPlan());
  ASSERT_TRUE(host.run());
  EXPECT_EQ(host.engine.inspect(host.now, id)->state, MigrationState::kStopped);
  EXPECT_EQ(host.engine.inspect(host.now, id)->error, ErrorCode::kJournalWriteFailed);
}

// What js/src/options.ts and README.md say of `stallMs` and `retries`: each try has a deadline, and all of them count.
TEST(EngineFaults, AStoreThatNeverAnswersIsToldOfAtTheFirstDeadlineAndGivenUpAfterTheLast) {
  struct Case {
    uint64_t stallMs;
    uint32_t retries, pageBytes;
    uint64_t firstMs, lastMs;
  };
  for (const Case& c : {Case{30'000, 8, 4'000'000, 46'000, 427'000}, Case{30'000, 8, 65'536, 31'000, 292'000},
                        Case{500, 8, 4'000'000, 16'500, 161'000}, Case{500, 1, 65'536, 1'500, 3'000}}) {
    Config config;
    config.stallBase = milliseconds(c.stallMs);
    config.retriesMax = c.retries;
    MemoryHost host(config);
    fill(host.sourceStore, 300);
    host.hang = [&](const Action& action) { return action.kind == ActionKind::kScan && action.node == host.source; };
    std::optional<uint64_t> firstMs;
    host.onNotice = [&](const Notice& notice) {
      if (notice.kind == NoticeKind::kWarning && !firstMs) firstMs = host.now.us / 1'000;
    };
    Plan plan = copyPlan();
    plan.pageBytes = c.pageBytes;
    const auto id = begin(host, plan);
    ASSERT_TRUE(host.run());
    EXPECT_EQ(host.engine.inspect(host.now, id)->error, ErrorCode::kStoreStalled);
    ASSERT_TRUE(firstMs);
    EXPECT_NEAR(static_cast<double>(*firstMs), static_cast<double>(c.firstMs), 100.0);
    EXPECT_NEAR(static_cast<double>(host.now.us / 1'000), static_cast<double>(c.lastMs), 1'000.0);
  }
}

// Of each range what was tried again counts once, while it is copied and while it is read back.
TEST(EngineFaults, WhatWasTriedAgainIsCountedOnce) {
  for (const bool ofSource : {true, false}) {
    MemoryHost host;
    fill(host.sourceStore, 100);
    uint32_t failures = 0;
    host.fault = [&](const Action& action) {
      const MigrationState at = ofSource ? MigrationState::kCopying : MigrationState::kVerifying;
      const bool asked = action.kind == ActionKind::kScan && !host.states.empty() && host.states.back() == at;
      return asked && ++failures == 1 ? ErrorCode::kStoreFailed : ErrorCode::kOk;
    };
    Plan plan = copyPlan();
    plan.ranges = {KeyRange::prefix("k00"), KeyRange::prefix("k01"), KeyRange::prefix("k02"), KeyRange::prefix("k03")};
    const auto id = begin(host, plan);
    ASSERT_TRUE(host.run());
    ASSERT_GE(failures, 1U);
    EXPECT_EQ(host.engine.receipt(id)->totals.retries, 1U) << ofSource;
  }
}

TEST(EngineFaults, FinishFollowsWhatWasWrittenWhileAPollWasInFlight) {
  for (const bool duringApply : {false, true}) {
    MemoryHost host;
    fill(host.sourceStore, 50);
    Plan plan = following(true);
    plan.verify = VerifyDepth::kNone;
    MigrationId id;
    uint32_t polls = 0;
    bool finished = false;
    host.onAction = [&](const Action& action) {
      if (action.kind == ActionKind::kPollFeed && ++polls == 3 && duringApply) {
        host.sourceStore.put("k0000001", "applied while it is asked to finish");
      }
    };
    // The answer to the poll, or to the write, is on its way when these come.
    host.onStep = [&] {
      const auto view = host.engine.inspect(host.now, id);
      if (!finished && polls >= 3 && view->state == MigrationState::kCatchingUp &&
          (!duringApply || host.targetStore.entries.count("k0000001") != 0)) {
        finished = true;
        host.sourceStore.put("late", "1");
        host.sourceStore.del(host.sourceStore.entries.begin()->first);
        EXPECT_TRUE(host.engine.finish(id).ok());
      }
      return true;
    };
    id = begin(host, plan);
    ASSERT_TRUE(host.run());
    ASSERT_TRUE(finished);
    EXPECT_EQ(host.engine.inspect(host.now, id)->state, MigrationState::kDone);
    EXPECT_EQ(host.targetStore.entries, host.sourceStore.entries);
  }
}

TEST(EngineFaults, AMoveKeepsWhatWasWrittenWhileItDeletes) {
  for (uint32_t every = 1; every < 8; ++every) {
    MemoryHost host;
    fill(host.sourceStore, 400);
    const auto before = host.sourceStore.entries;
    Plan plan = copyPlan();
    plan.mode = MigrationMode::kMove;
    std::map<std::string, std::string> newer;
    uint32_t applies = 0;
    MigrationId id;
    // Just before a batch is deleted: nothing that was read before can know.
    host.onAction = [&](const Action& action) {
      if (action.kind != ActionKind::kApply || !action.guarded || ++applies % every != 0) return;
      auto at = std::next(host.sourceStore.entries.begin(),
                          static_cast<long>(applies % host.sourceStore.entries.size()));
      at->second += " and newer";
      newer[at->first] = at->second;
    };
    id = begin(host, plan);
    ASSERT_TRUE(host.run());
    EXPECT_EQ(host.engine.inspect(host.now, id)->state, MigrationState::kDone);
    EXPECT_EQ(host.sourceStore.entries, newer);
    EXPECT_EQ(host.targetStore.entries, before);
    const Totals totals = host.engine.receipt(id)->totals;
    EXPECT_EQ(totals.leftOnSource, newer.size());
    EXPECT_EQ(totals.deletedEntries, before.size() - newer.size());
  }
}

TEST(EngineFaults, AResumedVerificationFollowsTheFeedFirst) {
  MemoryHost host;
  fill(host.sourceStore, 200);
  MigrationId id;
  host.onStep = [&] {
    return host.engine.inspect(host.now, id)->state != MigrationState::kVerifying;
  };
  id = begin(host, following(false));
  ASSERT_TRUE(host.run());
  // The process dies; the source, which logs its changes, is written to.
  MemoryHost next;
  next.sourceStore = host.sourceStore;
  next.targetStore = host.targetStore;
  next.sourceStore.put("k0000000", "written while nobody followed");
  next.sourceStore.put("late", "1");
  id = goOn(next, host.journal);
  ASSERT_TRUE(next.run());
  EXPECT_EQ(next.engine.inspect(next.now, id)->state, MigrationState::kDone);
  EXPECT_EQ(next.targetStore.entries, next.sourceStore.entries);
  EXPECT_EQ(next.engine.receipt(id)->totals.changed, 0U);
}

TEST(EngineFaults, AResumedOneIsCancelledWhileItWaitsForASlot) {
  MemoryHost dead;
  fill(dead.sourceStore, 200);
  uint32_t steps = 0;
  dead.onStep = [&] { return ++steps < 25; };
  begin(dead, copyPlan());
  ASSERT_TRUE(dead.run());
  ASSERT_FALSE(dead.targetStore.entries.empty());
  ASSERT_FALSE(readJournal(std::as_bytes(std::span(dead.journal)))->receipt.has_value());
  Config config;
  config.slots = 1;
  MemoryHost host(config);
  host.targetStore = dead.targetStore;
  Plan other = copyPlan(KeyRange::prefix("other"));
  other.intoNonempty = true;
  const auto first =
      host.engine
          .start(host.now, validatePlan(other).value(), host.source, host.target, false)
          .value();
  host.onStep = [] { return false; };
  ASSERT_TRUE(host.run());  // one step: it has the slot
  const auto id = goOn(host, dead.journal);
  ASSERT_TRUE(host.run());
  EXPECT_NE(host.engine.inspect(host.now, first)->state, MigrationState::kPending);
  ASSERT_EQ(host.engine.inspect(host.now, id)->state, MigrationState::kPending);
  ASSERT_TRUE(host.engine.cancel(id).ok());
  host.onStep = nullptr;
  ASSERT_TRUE(host.run());
  EXPECT_EQ(host.engine.inspect(host.now, id)->state, MigrationState::kCancelled);
  EXPECT_TRUE(host.targetStore.entries.empty());
  const auto image = readJournal(std::as_bytes(std::span(host.journal)));
  ASSERT_TRUE(image.ok());
  EXPECT_TRUE(image->receipt.has_value());
}

}  // namespace
}  // namespace keyhaul::test
