// What makes a job a live migration.
#include <utility>

#include "mover.h"
#include "scenario_live.h"
#include "world.h"

namespace keyhaul::sim {

Job& addRival(World& world, uint32_t of, const Config& config, uint64_t startUs) {
  Job& job = world.addJob();
  const Job& first = world.job(of);
  job.live = true;
  job.rivalOf = of + 1;
  job.mover = world.addMover(config).id();
  job.registerNode = world.registerId();
  job.startUs = startUs;
  job.plan = first.plan;
  job.source = first.source;
  job.target = first.target;
  job.reverseAfterUs = first.reverseAfterUs;
  job.finishAfterUs = first.finishAfterUs;
  job.giveUpAfterUs = first.giveUpAfterUs;
  job.comesBackAfterUs = first.comesBackAfterUs;
  return job;
}

void makeLive(const World& world, Job& job, uint16_t mover, std::vector<KeyRange> ranges) {
  job.live = true;
  job.mover = mover;
  job.registerNode = world.registerId();
  Plan& plan = job.plan;
  plan.mode = MigrationMode::kLive;
  plan.durable = true;
  plan.ranges = std::move(ranges);
  for (const Capability capability :
       {Capability::kScan, Capability::kApply, Capability::kStats, Capability::kFeed,
        Capability::kFence, Capability::kReadFence, Capability::kActivate}) {
    if (capability == Capability::kReadFence && !world.space().readFence) continue;
    plan.sourceCapabilities.bits |= static_cast<uint32_t>(capability);
  }
  plan.targetCapabilities = plan.sourceCapabilities;
}

}  // namespace keyhaul::sim
