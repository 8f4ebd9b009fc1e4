// A store that comes back without its disk: which may, and what is gone then. What a store alone has acknowledged is
// gone whatever is done, so it is the target of migrations that are far from their end, and nothing else.
#include "gated_store.h"
#include "register.h"
#include "world.h"

namespace keyhaul::sim {
namespace {

using S = MigrationState;

// Of a copy or a move that has verified nothing yet: what it has shown would be taken for what it holds.
bool isEarly(const Job& job) {
  constexpr uint64_t kEarly = 1U << static_cast<uint32_t>(S::kPreparing) | 1U << static_cast<uint32_t>(S::kCopying) |
                              1U << static_cast<uint32_t>(S::kCatchingUp) | 1U << static_cast<uint32_t>(S::kDiscarding);
  const bool hasOwn = job.plan.intoNonempty || job.plan.mode == MigrationMode::kVerify;
  return !hasOwn && !job.ended() && (kEarly >> static_cast<uint32_t>(job.state) & 1) != 0;
}

// A gate that has forgotten what it refused would take calls of the past: not one that has seen another migration, nor where
// a second coordinator may still believe that nothing was staged. Nor while its range may be decided on: it was asked
// for the last time before its source was fenced. Nor in the one call before that, which no seed of ten thousand hits.
bool isUndecided(const World& world, const Job& job, const std::string& name) {
  const Claim* claim = world.theRegister().map().find(job.plan.claim);
  if (claim == nullptr || claim->target != name || claim->state != ClaimState::kClaimed) return false;
  if (job.state == S::kArming || job.state == S::kFencing || world.hasRival(job)) return false;
  const GateRange* source = world.gatedNamed(claim->source)->gateAt(claim->ranges.front().lo);
  return source != nullptr && source->state == GateState::kServing;
}

}  // namespace

bool StoreNode::isSpare() const {
  if (world_.faults().on(FaultKind::kMisdirected)) return false;
  if (world_.hasRegister()) {
    for (const Ownership& part : world_.theRegister().map().parts()) {
      if (part.owner == name_) return false;
    }
  }
  bool spare = false;
  for (const auto& job : world_.jobs()) {
    if ((job->source != id() && job->target != id()) || (job->live && !job->begun)) continue;
    spare = job->live ? isUndecided(world_, *job, name_) : job->target == id() && isEarly(*job);
    if (!spare) return false;
  }
  return spare;
}

bool StoreNode::losesDisk() const { return lostDisk() && bornUs == world_.nowUs(); }

void StoreNode::wipe() {
  while (!entries_.empty()) {
    const std::string key = entries_.begin()->first;
    change(key, nullptr, ChangeCause::kRot, 0, true);
    rotten_.insert(key);
  }
  sessions_.clear();
  log_.forgetFeeds();
}

}  // namespace keyhaul::sim
