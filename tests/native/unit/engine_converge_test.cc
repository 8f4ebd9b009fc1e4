// Writers that never pause: the migration says so, with rates, instead of blaming the copy.
#include <gtest/gtest.h>

#include "support/memory_host.h"

namespace keyhaul::test {
namespace {

Plan withFeed(bool follow) {
  Plan plan = copyPlan();
  plan.sourceCapabilities.bits |= static_cast<uint32_t>(Capability::kFeed);
  plan.follow = follow;
  return plan;
}

MigrationId begin(MemoryHost& host, Plan plan) {
  return host.engine
      .start(host.now, validatePlan(std::move(plan)).value(), host.source, host.target, true)
      .value();
}

MigrationView look(MemoryHost& host, MigrationId id) { return *host.engine.inspect(host.now, id); }

// A second process, whose writers are quiet.
void expectResumable(const MemoryHost& first) {
  MemoryHost host;
  host.sourceStore = first.sourceStore;
  host.targetStore = first.targetStore;
  host.journal = first.journal;
  auto image = readJournal(std::as_bytes(std::span(first.journal)));
  ASSERT_TRUE(image.ok());
  const auto id =
      host.engine.resume(host.now, std::move(image).value(), host.source, host.target).value();
  ASSERT_TRUE(host.engine.finish(id).ok());
  ASSERT_TRUE(host.run());
  EXPECT_EQ(look(host, id).state, MigrationState::kDone);
  EXPECT_EQ(host.targetStore.entries, host.sourceStore.entries);
  EXPECT_EQ(host.engine.receipt(id)->totals.changed, 0U);
}

// Steps of 50 ms: so many changes are written in each while it catches up.
MigrationState writeWhileCatchingUp(MemoryHost& host, MigrationId& id, uint32_t aStep, bool follow,
                                    std::string& text) {
  fill(host.sourceStore, 40);
  uint32_t written = 0, steps = 0;
  host.onNotice = [&](const Notice& notice) {
    if (notice.state == MigrationState::kStopped) {
      const auto bytes = host.engine.bytes(notice.payload);
      text.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }
  };
  host.onStep = [&] {
    host.now = host.now + milliseconds(50);
    if (look(host, id).state != MigrationState::kCatchingUp || ++steps > 1'500) {
      if (steps == 1'501 && follow) static_cast<void>(host.engine.finish(id));
      return true;
    }
    for (uint32_t i = 0; i < aStep; ++i) {
      ++written;
      host.sourceStore.put("k" + std::to_string(written % 500), std::to_string(written));
    }
    return true;
  };
  id = begin(host, withFeed(follow));
  EXPECT_TRUE(host.run());
  return look(host, id).state;
}

TEST(EngineConverge, ALagThatDoesNotFallStopsIt) {
  MemoryHost host;
  MigrationId id;
  std::string text;
  EXPECT_EQ(writeWhileCatchingUp(host, id, 20, false, text), MigrationState::kStopped);
  EXPECT_EQ(look(host, id).error, ErrorCode::kNotConverging);
  unsigned written = 0, applied = 0;
  ASSERT_EQ(std::sscanf(text.c_str(), "%u changes/s are written, %u/s", &written, &applied), 2)
      << text;
  EXPECT_NEAR(written, 400, 8);  // 20 in each step of 50 ms
  EXPECT_NEAR(applied, 100, 8);  // 10 entries a page, a page every two steps
  expectResumable(host);
}

TEST(EngineConverge, AFollowerIsWarnedAndGoesOn) {
  MemoryHost host;
  MigrationId id;
  std::string text;
  EXPECT_EQ(writeWhileCatchingUp(host, id, 20, true, text), MigrationState::kDone);
  const auto warned = [](const Notice& notice) {
    return notice.kind == NoticeKind::kWarning && notice.error == ErrorCode::kNotConverging;
  };
  EXPECT_EQ(std::count_if(host.notices.begin(), host.notices.end(), warned), 2);
}

TEST(EngineConverge, ALongBacklogThatShrinksIsWorkedOff) {
  MemoryHost host;
  MigrationId id;
  std::string text;
  bool once = false;
  host.onAction = [&](const Action& action) {
    if (action.kind != ActionKind::kPollFeed || once) return;
    once = true;
    for (uint32_t i = 0; i < 20'000; ++i) host.sourceStore.put("b" + std::to_string(i), "1");
  };
  EXPECT_EQ(writeWhileCatchingUp(host, id, 4, false, text), MigrationState::kDone) << text;
}

// Each comparison is overtaken by a write that it had passed.
void overtake(MemoryHost& host, MigrationId& id, uint32_t& writes, bool& on) {
  fill(host.sourceStore, 200);
  host.onAction = [&](const Action& action) {
    if (!on || action.kind != ActionKind::kScan || action.node != host.source) return;
    if (look(host, id).state != MigrationState::kVerifying) return;
    host.sourceStore.put("k0000000", std::to_string(++writes));
    host.now = host.now + milliseconds(3);
  };
}

TEST(EngineConverge, RoundsThatAreOvertakenAreNoMismatch) {
  MemoryHost host;
  MigrationId id;
  uint32_t writes = 0;
  bool on = true;
  overtake(host, id, writes, on);
  id = begin(host, withFeed(false));
  ASSERT_TRUE(host.run());
  EXPECT_EQ(look(host, id).state, MigrationState::kStopped);
  EXPECT_EQ(look(host, id).error, ErrorCode::kNotConverging);
  EXPECT_GT(writes, 50U);
  EXPECT_EQ(host.engine.receipt(id)->totals.verifyRounds, 5U);
  expectResumable(host);
}

TEST(EngineConverge, WritersThatPauseInTimeLeaveNoDifferences) {
  MemoryHost host;
  MigrationId id;
  uint32_t writes = 0;
  bool on = true;
  overtake(host, id, writes, on);
  host.onStep = [&] {
    on = host.engine.receipt(id)->totals.verifyRounds < 3;
    return true;
  };
  id = begin(host, withFeed(false));
  ASSERT_TRUE(host.run());
  EXPECT_EQ(look(host, id).state, MigrationState::kDone);
  EXPECT_EQ(host.targetStore.entries, host.sourceStore.entries);
  EXPECT_EQ(look(host, id).differences, 0U);
}

TEST(EngineConverge, ADifferenceThatNobodyWroteIsAMismatchUnderAnyWriters) {
  MemoryHost host;
  MigrationId id;
  uint32_t writes = 0;
  bool on = true;
  overtake(host, id, writes, on);
  const auto write = host.onAction;
  host.onAction = [&](const Action& action) {
    write(action);
    if (look(host, id).state == MigrationState::kVerifying) {
      host.targetStore.entries.erase(std::next(host.sourceStore.entries.begin(), 77)->first);
    }
  };
  id = begin(host, withFeed(false));
  ASSERT_TRUE(host.run());
  EXPECT_EQ(look(host, id).state, MigrationState::kMismatch);
  EXPECT_GT(writes, 10U);
}

}  // namespace
}  // namespace keyhaul::test
