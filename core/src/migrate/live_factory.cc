#include "migrate/live_factory.h"

#include "migrate/live_migration.h"

namespace keyhaul {

bool hasLiveMigrations() { return true; }

std::unique_ptr<Job> makeLiveMigration(MigrationId id, ValidPlan plan, NodeId source, NodeId target,
                                       bool journal) {
  return std::make_unique<LiveMigration>(id, std::move(plan), source, target, journal);
}

std::unique_ptr<Job> makeLiveMigration(MigrationId id, JournalImage image, NodeId source,
                                       NodeId target) {
  return std::make_unique<LiveMigration>(id, std::move(image), source, target);
}

}  // namespace keyhaul
