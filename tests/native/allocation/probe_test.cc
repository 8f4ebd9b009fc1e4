#include <gtest/gtest.h>
#include <cstdio>
#include "allocation/counter.h"
#include "support/endless_live.h"
namespace keyhaul::test {
TEST(Probe, Live) {
  for (int variant = 0; variant < 4; ++variant) {
    EndlessLive::Shape shape;
    shape.versions = variant == 1;
    shape.named = variant == 2;
    shape.pageEntries = 20; shape.keys = 100000;
    EndlessLive live(shape);
    uint64_t total = 0;
    MigrationState last = MigrationState::kPending;
    for (uint32_t i = 0; i < 60'000; ++i) {
      MigrationState now = last;
      for (int s = 0; s < static_cast<int>(kMigrationStates); ++s) if (live.all(static_cast<MigrationState>(s))) now = static_cast<MigrationState>(s);
      if (now != last) { std::printf("v%d step %u state %s journalled %lu applied %lu read %lu log %lu\n", variant, i, std::string(stateName(now)).c_str(), live.journalled(), live.applied(), live.read(), live.changes()); last = now; }
      const uint32_t writes = last == MigrationState::kCopying ? 2 : last == MigrationState::kCatchingUp ? 1 : last == MigrationState::kVerifying ? 0 : variant == 3 ? i % 64 == 0 ? 100 : 0 : i % 4 == 0 ? 5 : 0;
      live.step(writes, startCounting, stopCounting);
      const uint64_t n = takeAllocations();
      total += n;
      if (n > 0 && (i < 300 || last != MigrationState::kCopying || i % 1 == 0)) std::printf("  step %u: %lu\n", i, n);
    }
    std::printf("v%d end journalled %lu applied %lu read %lu log %lu events %lu total %lu\n", variant, live.journalled(), live.applied(), live.read(), live.changes(), live.eventsGiven(), total);
  }
}
}
