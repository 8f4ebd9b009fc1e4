// Ends: whatever makes a migration end, no write lands after the end was announced, and it
// does end.
#include <gtest/gtest.h>

#include "support/memory_host.h"

namespace keyhaul::test {
namespace {

MigrationId begin(MemoryHost& host, Plan plan) {
  return host.engine
      .start(host.now, validatePlan(std::move(plan)).value(), host.source, host.target, true)
      .value();
}

MigrationView look(MemoryHost& host, MigrationId id) { return *host.engine.inspect(host.now, id); }

Plan fourLanes() {
  Plan plan = copyPlan();
  plan.ranges.clear();
  for (const char* prefix : {"k00", "k01", "k02", "k03"}) {
    plan.ranges.push_back(KeyRange::prefix(prefix));
  }
  plan.lanes = 4;
  plan.durablePages = 1;
  return plan;
}

// A write is under way when the migration is said to have ended: never.
void expectNoLateWrites(MemoryHost& host) {
  host.onNotice = [&host](const Notice& notice) {
    if (notice.kind != NoticeKind::kState) return;
    if (isFinal(notice.state) || notice.state == MigrationState::kStopped) {
      EXPECT_FALSE(host.writing()) << stateName(notice.state);
    }
  };
}

TEST(EngineEndings, AFailingLaneWaitsForTheWritesOfTheOthers) {
  for (const ErrorCode error : {ErrorCode::kDiskFull, ErrorCode::kStoreFailed}) {
    MemoryHost host;
    for (uint32_t i = 0; i < 400; ++i) {
      host.sourceStore.entries["k0" + std::to_string(i % 4) + std::to_string(i)] = "v";
    }
    host.delay = [](const Action& action) {
      return action.kind != ActionKind::kApply ? 0U : 30U + action.op.slot() % 3;
    };
    uint32_t applies = 0;
    OpId broken;
    host.onAction = [&](const Action& action) {
      if (action.kind == ActionKind::kApply && ++applies == 6) broken = action.op;
    };
    host.fault = [&](const Action& action) {
      return action.kind == ActionKind::kApply && action.op == broken ? error : ErrorCode::kOk;
    };
    if (error == ErrorCode::kStoreFailed) {  // retryable: until it is not
      host.fault = [&](const Action& action) {
        if (action.kind != ActionKind::kApply) return ErrorCode::kOk;
        const auto frame = readFrame(host.engine.bytes(action.payload));
        return (*frame.value().begin()).key.substr(0, 3) == "k01" ? error : ErrorCode::kOk;
      };
    }
    expectNoLateWrites(host);
    const auto id = begin(host, fourLanes());
    ASSERT_TRUE(host.run());
    EXPECT_EQ(look(host, id).state, MigrationState::kStopped);
    EXPECT_EQ(look(host, id).error, error);
    // What landed while it waited was checkpointed too.
    const auto image = readJournal(std::as_bytes(std::span(host.journal)));
    ASSERT_TRUE(image.ok());
    EXPECT_EQ(image->totals.copiedEntries, host.targetStore.entries.size());
    EXPECT_EQ(host.engine.bufferBytes(), 0U);
  }
}

// Stops, cancels, pauses or breaks a journal at each step of a migration whose writes are slow.
enum class Deed { kStop, kCancel, kPauseStop, kPauseCancel, kBreakJournal };

class Endings : public testing::TestWithParam<std::pair<Deed, MigrationMode>> {};

TEST_P(Endings, AtEveryStep) {
  const auto [deed, mode] = GetParam();
  uint32_t done = 0;
  for (uint32_t steps = 1; steps < 2'000; ++steps) {
    MemoryHost host;
    fill(host.sourceStore, 80);
    if (mode == MigrationMode::kVerify) host.targetStore.entries["k0000000"] = "else";
    host.delay = [](const Action& action) {
      return action.kind == ActionKind::kApply ? 4U : 0U;
    };
    expectNoLateWrites(host);
    Plan plan = copyPlan();
    plan.sourceCapabilities.bits |= static_cast<uint32_t>(Capability::kFeed);
    plan.mode = mode;
    plan.repair = mode == MigrationMode::kVerify;
    const auto id = begin(host, plan);
    uint32_t left = steps;
    host.onStep = [&] { return --left > 0; };
    ASSERT_TRUE(host.run());
    if (host.engine.pause(id).code() == ErrorCode::kAlreadyComplete) break;
    if (deed != Deed::kPauseStop && deed != Deed::kPauseCancel) {
      ASSERT_TRUE(host.engine.unpause(id).ok());
    } else {
      left = 7;
      ASSERT_TRUE(host.run());
    }
    if (deed == Deed::kBreakJournal) {
      host.fault = [](const Action& action) {
        return action.kind == ActionKind::kJournal ? ErrorCode::kDiskFull : ErrorCode::kOk;
      };
    } else if (deed == Deed::kStop || deed == Deed::kPauseStop) {
      static_cast<void>(host.engine.stop(id));  // may have ended
    } else {
      static_cast<void>(host.engine.cancel(id));  // may be too late
    }
    const bool tooLate = look(host, id).state == MigrationState::kDeleting;
    if (tooLate) { ASSERT_TRUE(host.engine.unpause(id).ok()); }
    host.onStep = nullptr;
    ASSERT_TRUE(host.run());
    const MigrationState state = look(host, id).state;
    ASSERT_TRUE(isFinal(state) || state == MigrationState::kStopped)
        << stateName(state) << " after " << steps;
    ++done;
  }
  EXPECT_GT(done, 20U);
}

INSTANTIATE_TEST_SUITE_P(
    Deeds, Endings,
    testing::Values(std::pair(Deed::kStop, MigrationMode::kCopy),
                    std::pair(Deed::kStop, MigrationMode::kMove),
                    std::pair(Deed::kStop, MigrationMode::kVerify),
                    std::pair(Deed::kCancel, MigrationMode::kCopy),
                    std::pair(Deed::kCancel, MigrationMode::kVerify),
                    std::pair(Deed::kPauseStop, MigrationMode::kMove),
                    std::pair(Deed::kPauseCancel, MigrationMode::kCopy),
                    std::pair(Deed::kPauseCancel, MigrationMode::kMove),
                    std::pair(Deed::kBreakJournal, MigrationMode::kMove)));

}  // namespace
}  // namespace keyhaul::test
