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
    if (notice.kind != NoticeKind::kState || notice.state != MigrationState::kStopped) return;
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

}  // namespace
}  // namespace keyhaul::test
