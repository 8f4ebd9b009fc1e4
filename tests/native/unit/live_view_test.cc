// What a live migration shows of itself.
#include <gtest/gtest.h>

#include "support/live_world.h"

namespace keyhaul::test {
namespace {

LiveView look(LiveWorld& world) { return *world.view().live; }

TEST(LiveView, NamesTheRegisterThatDoesNotAnswerAndForHowLongWritersWait) {
  LiveWorld world(LiveOptions{});
  bool stuck = false;
  world.fault = [&](const Action& action) {
    const bool hit = world.state() == MigrationState::kDeciding && action.kind == ActionKind::kRegisterSwap;
    stuck = stuck || hit;
    return hit ? ErrorCode::kRegisterFailed : ErrorCode::kOk;
  };
  world.start(world.plan());
  for (int i = 0; i < 20'000 && !stuck; ++i) world.tick();
  for (int i = 0; i < 5; ++i) world.tick();
  ASSERT_EQ(world.state(), MigrationState::kDeciding);
  const LiveView view = look(world);
  EXPECT_EQ(view.waitsFor, WaitsFor::kRegister);
  EXPECT_GE(view.failures, 1U);
  EXPECT_GT(view.paused.us, 0U);
  EXPECT_NE(view.text.find("the register, which failed"), std::string::npos) << view.text;
  EXPECT_NE(view.text.find("stays fenced"), std::string::npos) << view.text;
  world.fault = nullptr;
  ASSERT_TRUE(world.run());
  EXPECT_EQ(world.state(), MigrationState::kDone);
  EXPECT_EQ(world.checkEnd(), "");
}

TEST(LiveView, NamesWhatAFenceAndAnActivationWaitFor) {
  LiveWorld world(LiveOptions{});
  bool hang = true;
  GateVerb verb = GateVerb::kInspect;
  world.stall = [&](const Action& action) {
    return hang && action.kind == ActionKind::kGate && action.verb == verb;
  };
  Plan plan = world.plan();
  plan.pauseBudgetMs = 60'000;
  world.start(plan);
  const auto until = [&world](MigrationState state) {
    for (int i = 0; i < 20'000 && world.state() != state; ++i) world.tick();
    world.tick();
  };
  until(MigrationState::kFencing);
  LiveView view = look(world);
  EXPECT_EQ(view.waitsFor, WaitsFor::kTargetGate);
  EXPECT_EQ(view.paused.us, 0U) << "nobody is fenced before the target has answered";
  verb = GateVerb::kFence;
  for (int i = 0; i < 200 && look(world).waitsFor == WaitsFor::kTargetGate; ++i) world.tick();
  view = look(world);
  EXPECT_EQ(view.waitsFor, WaitsFor::kWritesInFlight);
  EXPECT_EQ(view.text, "waits for writes in flight on " + plan.source);
  EXPECT_EQ(view.budget.us, 60'000'000U);
  EXPECT_LT(view.forecast.us, UINT64_MAX);
  verb = GateVerb::kActivate;
  until(MigrationState::kActivating);
  view = look(world);
  EXPECT_EQ(view.waitsFor, WaitsFor::kTargetGate);
  EXPECT_EQ(view.text, "waits for the gate of " + plan.target);
  EXPECT_GT(view.paused.us, 0U);
  hang = false;
  ASSERT_TRUE(world.run());
  EXPECT_EQ(look(world).paused.us, 0U);
}

TEST(LiveView, SaysThatItWaitsForAShorterPause) {
  LiveOptions options;
  options.opsPerTick = 2;
  LiveWorld world(options);
  Plan plan = world.plan();
  plan.pauseBudgetMs = 10;
  uint32_t asked = 0;
  world.stall = [&asked](const Action& action) {
    return action.kind == ActionKind::kRead && ++asked % 40 != 0;
  };
  world.start(plan);
  std::string text;
  for (int i = 0; i < 20'000 && text.empty() && !isFinal(world.state()); ++i) {
    world.tick();
    const LiveView view = look(world);
    if (view.waitsFor == WaitsFor::kShorterPause) text = view.text;
  }
  EXPECT_EQ(text.find("waits for a pause that fits: forecast "), 0U) << text;
  EXPECT_NE(text.find(", budget 10 ms"), std::string::npos) << text;
}

TEST(LiveView, FollowsUntilItIsTold) {
  LiveWorld world(LiveOptions{});
  Plan plan = world.plan();
  plan.follow = true;
  world.start(plan);
  for (int i = 0; i < 20'000 && look(world).waitsFor != WaitsFor::kFinish; ++i) world.tick();
  EXPECT_EQ(look(world).waitsFor, WaitsFor::kFinish);
  world.finish();
  ASSERT_TRUE(world.run());
  EXPECT_EQ(world.state(), MigrationState::kDone);
}

}  // namespace
}  // namespace keyhaul::test
