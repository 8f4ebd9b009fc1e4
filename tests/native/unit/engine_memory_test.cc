// No room in the buffers: an error that says so, never an action or a name that came out empty.
#include <gtest/gtest.h>

#include "support/memory_host.h"

namespace keyhaul::test {
namespace {

Config small() {
  Config config;
  config.bufferBytesMax = 1U << 20;
  return config;
}

// Takes what is left; gives it back when it goes.
struct Hoard {
  explicit Hoard(Engine& engine) : engine_(engine) {
    for (uint64_t bytes = 1U << 19; bytes >= 4'096; bytes /= 2) {
      for (BufferId id; !engine_.acquire(bytes, id).empty();) held_.push_back(id);
    }
  }
  ~Hoard() {
    for (const BufferId id : held_) engine_.release(id);
  }
  Engine& engine_;
  std::vector<BufferId> held_;
};

void expectNothingEmpty(MemoryHost& host) {
  host.onAction = [&host](const Action& action) {
    switch (action.kind) {
      case ActionKind::kScan:
      case ActionKind::kApply:
      case ActionKind::kJournal:
      case ActionKind::kPollFeed:
      case ActionKind::kTrimFeed:
        EXPECT_FALSE(host.engine.bytes(action.payload).empty())
            << static_cast<int>(action.kind);
        break;
      case ActionKind::kOpenFeed:
      case ActionKind::kCloseFeed:
      case ActionKind::kAbort:
      case ActionKind::kRead:
      case ActionKind::kGate:
      case ActionKind::kRegisterRead:
      case ActionKind::kRegisterSwap:
      case ActionKind::kEstimate: break;
    }
  };
  host.onNotice = [&host](const Notice& notice) {
    if (notice.kind != NoticeKind::kDifference) return;
    EXPECT_FALSE(host.engine.bytes(notice.payload).empty());
  };
}

TEST(EngineMemory, RunsOutAtEveryStepAndSaysSo) {
  for (const bool feed : {false, true}) {
    uint32_t ends = 0;
    for (uint32_t steps = 1; steps < 2'000; ++steps) {
      MemoryHost host(small());
      fill(host.sourceStore, 100);
      expectNothingEmpty(host);
      Plan plan = copyPlan();
      plan.mode = MigrationMode::kMove;
      if (feed) plan.sourceCapabilities.bits |= static_cast<uint32_t>(Capability::kFeed);
      const auto valid = validatePlan(plan).value();
      const auto id =
          host.engine.start(host.now, valid, host.source, host.target, true).value();
      uint32_t left = steps;
      host.onStep = [&] { return --left > 0; };
      ASSERT_TRUE(host.run());
      if (isFinal(host.engine.inspect(host.now, id)->state)) break;
      host.onStep = nullptr;
      {
        const Hoard hoard(host.engine);
        ASSERT_TRUE(host.run(1'000)) << steps;
      }
      const MigrationView view = *host.engine.inspect(host.now, id);
      if (view.state == MigrationState::kDone) continue;  // all was asked for already
      ASSERT_TRUE(view.state == MigrationState::kStopped || view.state == MigrationState::kFailed);
      ASSERT_EQ(view.error, ErrorCode::kLimitExceeded) << steps;
      ASSERT_EQ(host.engine.bufferBytes(), 0U);
      ++ends;
      // With room again it goes on from what the journal says.
      auto image = readJournal(std::as_bytes(std::span(host.journal)));
      if (!image.ok()) continue;
      ASSERT_FALSE(image->receipt.has_value());
      const auto again =
          host.engine.resume(host.now, std::move(image).value(), host.source, host.target);
      ASSERT_TRUE(host.run());
      ASSERT_EQ(host.engine.inspect(host.now, again.value())->state, MigrationState::kDone);
      ASSERT_EQ(host.targetStore.entries.size(), 100U);
      ASSERT_TRUE(host.sourceStore.entries.empty());
    }
    EXPECT_GT(ends, 10U);
  }
}

TEST(EngineMemory, DifferencesThatCannotBeNamedAreCounted) {
  MemoryHost host(small());
  fill(host.sourceStore, 600);
  expectNothingEmpty(host);
  Plan plan = copyPlan();
  plan.mode = MigrationMode::kVerify;
  plan.pageEntries = 1'000;
  const auto valid = validatePlan(plan).value();
  const auto id = host.engine.start(host.now, valid, host.source, host.target, false).value();
  ASSERT_TRUE(host.run());
  const MigrationView view = *host.engine.inspect(host.now, id);
  EXPECT_EQ(view.state, MigrationState::kMismatch);
  EXPECT_EQ(view.differences, 600U);
  EXPECT_LT(host.differences.size(), 256U);  // 4 KiB each
  const auto warned = [](const Notice& notice) {
    return notice.kind == NoticeKind::kWarning && notice.error == ErrorCode::kLimitExceeded;
  };
  EXPECT_EQ(std::count_if(host.notices.begin(), host.notices.end(), warned), 1);
}

}  // namespace
}  // namespace keyhaul::test
