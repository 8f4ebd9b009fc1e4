// Makes live migrations. The small WASM module is linked without them (wasm/no_live.cc).
#pragma once

#include <memory>

#include "keyhaul/journal.h"
#include "migrate/job.h"

namespace keyhaul {

bool hasLiveMigrations();
// Precondition of both: hasLiveMigrations().
std::unique_ptr<Job> makeLiveMigration(MigrationId id, ValidPlan plan, NodeId source, NodeId target,
                                       bool journal);
std::unique_ptr<Job> makeLiveMigration(MigrationId id, JournalImage image, NodeId source,
                                       NodeId target);

}  // namespace keyhaul
