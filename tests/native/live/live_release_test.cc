// What is given up is released once it is known that nothing of it is left, whoever is late.
#include <gtest/gtest.h>

#include <optional>

#include "support/live_world.h"

namespace keyhaul::test {
namespace {

// Seed 177265 of live-swarm: a discard was refused, because a predecessor had staged the range after it was looked at. While that was
// taken over, to be emptied, a copy of the refused discard came: now it was the same coordinator's, so the gate took it, and
// what the predecessor had filled stayed on the target and belonged to nobody.
TEST(LiveRelease, ARefusedDiscardThatComesOnceMoreFindsAnotherCoordinator) {
  LiveOptions options;
  LiveWorld world(options);
  world.start(world.plan());
  for (int i = 0; i < 5'000 && world.state() != MigrationState::kPreparing; ++i) world.tick();
  ASSERT_EQ(world.state(), MigrationState::kPreparing);
  world.replace(world.journal());
  world.cancel();
  std::optional<GateCall> refused;
  bool tookOver = false;
  world.fault = [&](const Action& action) {
    if (action.kind != ActionKind::kGate || world.isOfS(action)) return ErrorCode::kOk;
    Gate& gate = world.target().gate;
    if (action.verb == GateVerb::kDiscard && !refused) {
      refused = GateCall{GateVerb::kDiscard, world.plan().claim, action.coordEpoch, action.epoch, "S", world.plan().ranges};
      GateCall before = *refused;
      before.verb = GateVerb::kPrepare;
      --before.coordEpoch;
      EXPECT_TRUE(gate.change(before).ok());
      world.target().entries["key1001"] = "of the predecessor";
      EXPECT_EQ(gate.change(*refused).code(), ErrorCode::kTargetNotEmpty);
    }
    return ErrorCode::kOk;
  };
  world.onState = [&](MigrationState state) {
    if (state != MigrationState::kDiscarding || !refused || tookOver) return;
    tookOver = true;
    EXPECT_EQ(world.target().gate.change(*refused).code(), ErrorCode::kSuperseded);
  };
  ASSERT_TRUE(world.run()) << stateName(world.state());
  EXPECT_EQ(world.state(), MigrationState::kCancelled) << errorName(world.error());
  EXPECT_TRUE(tookOver);
  EXPECT_EQ(world.checkEnd(), "");
}

}  // namespace
}  // namespace keyhaul::test
