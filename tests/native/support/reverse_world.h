// What tests of reverse windows have in common.
#pragma once

#include <gtest/gtest.h>

#include "support/live_world.h"

namespace keyhaul::test {

inline Plan windowed(const LiveWorld& world, uint32_t ms = 60'000) {
  Plan plan = world.plan();
  plan.targetCapabilities = plan.sourceCapabilities;
  plan.reverseWindowMs = ms;
  return plan;
}

// Ticks until it is there; false: not within so many.
inline bool reaches(LiveWorld& world, MigrationState state, int ticks = 20'000) {
  for (int i = 0; i < ticks && world.state() != state; ++i) {
    if (!world.violation().empty() || isFinal(world.state())) return false;
    world.tick();
  }
  return world.state() == state;
}

inline void serves(GatedStore& store, bool does) {
  const KeyView key = "key1001";
  const Admission write = store.gate.admitWrite(std::span(&key, 1));
  EXPECT_EQ(write.answer == Answer::kOk, does) << store.name;
  if (write.answer == Answer::kOk) store.gate.landed(write.position);
}

// Warnings of this kind that its movers gave.
inline void countWarnings(LiveWorld& world, ErrorCode error, uint32_t& count) {
  world.onNotice = [error, &count](const Notice& notice) {
    count += notice.kind == NoticeKind::kWarning && notice.error == error ? 1U : 0U;
  };
}

}  // namespace keyhaul::test
