// What makes a job a live migration.
#include <utility>

#include "gated_store.h"
#include "mover.h"
#include "register.h"
#include "scenario_live.h"
#include "world.h"

namespace keyhaul::sim {
namespace {

// In the order in which they move: both halves of the first one before the second one.
void addHalves(World& world, uint32_t of, uint32_t deep, Prng& prng) {
  if (deep == 0) return;
  for (const bool second : {false, true}) {
    Job& job = world.addJob();
    const Job& whole = world.job(of);
    makeLive(world, job, whole.mover, whole.plan.ranges);
    job.partOf = of + 1;
    job.secondHalf = second;
    job.spare = true;
    job.after = job.index;
    job.rate = whole.rate;
    job.source = whole.source;
    job.target = whole.target;
    for (std::byte& byte : job.plan.digestKey) byte = static_cast<std::byte>(prng.below(256));
    for (uint8_t& byte : job.plan.claim) byte = static_cast<uint8_t>(prng.below(256));
    addHalves(world, job.index, deep - 1, prng);
  }
}

}  // namespace

void addParts(World& world, Job& whole, Prng& prng) {
  whole.rate = prng.between(900, 1'600);
  whole.plan.splitMax = 4;
  whole.plan.verify = VerifyDepth::kBoth;
  whole.plan.pageEntries = static_cast<uint32_t>(prng.between(2, 10));  // at such a rate a page takes its time
  addHalves(world, whole.index, 2, prng);
}

// Where the target owns what lies between the ranges they are neighbours then, and become one range.
void addJoined(World& world, const Job& whole, Prng& prng) {
  std::vector<KeyRange> ranges = whole.plan.ranges;
  const OwnershipMap& map = world.theRegister().map();
  bool between = true;
  for (size_t i = 1; i < ranges.size(); ++i) {
    const KeyRange gap{ranges[i - 1].hi.key(), Bound::at(ranges[i].lo)};
    between = between && (gap.empty() || map.owns(world.store(whole.target).name(), gap));
  }
  if (between) ranges = {KeyRange{ranges.front().lo, ranges.back().hi}};
  Job& job = world.addJob();
  const Plan& drawn = whole.plan;
  job.plan.checksumKind = drawn.checksumKind;
  job.plan.pageEntries = drawn.pageEntries;
  job.plan.pageBytes = drawn.pageBytes;
  job.plan.lanes = drawn.lanes;
  job.plan.windowPages = drawn.windowPages;
  job.plan.durablePages = drawn.durablePages;
  job.plan.pauseBudgetMs = drawn.pauseBudgetMs;
  job.plan.verify = VerifyDepth::kBoth;
  for (std::byte& byte : job.plan.digestKey) byte = static_cast<std::byte>(prng.below(256));
  for (uint8_t& byte : job.plan.claim) byte = static_cast<uint8_t>(prng.below(256));
  makeLive(world, job, whole.mover, ranges);
  job.joined = std::move(ranges);
  job.onward = true;
  job.after = job.index;
  job.source = whole.target;
  job.target = whole.source;
}

void letValuesEnd(World& world) {
  Prng prng(world.seed(), "live ends");
  if (prng.below(3) != 0) return;
  world.space().endPercent = static_cast<uint32_t>(prng.between(20, 80));
  for (const uint16_t store : world.gatedStores()) world.gated(store).startSweeping();
}

void outrun(World& world, uint32_t clients, Prng& prng) {
  Space& space = world.space();
  // Of what a client does so many bytes are a change.
  space.thinkUs = uint64_t{clients} * 1'000'000 * prng.between(8, 30) / world.job(0).rate;
  space.stopUs -= 40'000'000;  // what has gathered by then is taken up before the end
  space.counted = true;
}

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
