// What was once found wrong in live migrations, and is mended.
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "support/live_world.h"

namespace keyhaul::test {
namespace {

TEST(LiveFindings, AJournalThatFailsIsNoFaultOfAStore) {
  LiveOptions options;
  LiveWorld world(options);
  world.autoResume = false;
  bool copying = false, told = false;
  world.onState = [&](MigrationState state) { copying = copying || state == MigrationState::kCopying; };
  world.onNotice = [&](const Notice& notice) {
    if (notice.kind != NoticeKind::kState || notice.error == ErrorCode::kOk) return;
    told = true;
    EXPECT_EQ(notice.error, ErrorCode::kJournalWriteFailed);
    EXPECT_FALSE(notice.node);
  };
  world.fault = [&](const Action& action) {
    return copying && action.kind == ActionKind::kJournal ? ErrorCode::kDiskFull : ErrorCode::kOk;
  };
  Plan plan = world.plan();
  plan.durable = false;
  world.start(plan);
  world.run();
  EXPECT_TRUE(told) << stateName(world.state()) << " " << errorName(world.error());
}

// Also of keys that lie apart: a batch of the feed has some of several.
TEST(LiveFindings, MovesRangesThatLieApart) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    LiveOptions options;
    options.seed = seed;
    options.losesAnswers = true;
    options.crashMoverEvery = 60;
    LiveWorld world(options);
    Plan plan = world.plan();
    plan.ranges.clear();
    for (int i = 1'000; i < 1'600; i += 2) {
      const std::string key = "key" + std::to_string(i);
      plan.ranges.push_back({key, Bound::at(key + "5")});
    }
    plan.lanes = 3;
    world.start(plan);
    ASSERT_TRUE(world.run()) << "seed " << seed << " stands in " << stateName(world.state());
    ASSERT_EQ(world.state(), MigrationState::kDone) << errorName(world.error());
    ASSERT_EQ(world.source().entries.count("key1000"), 0U);
    ASSERT_EQ(world.target().entries.count("key1001"), 0U);
    ASSERT_EQ(world.checkEnd(), "") << "seed " << seed;
  }
}

}  // namespace
}  // namespace keyhaul::test
