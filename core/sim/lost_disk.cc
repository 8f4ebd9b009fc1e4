// A store that comes back without its disk: which may, and what is gone then. What a store alone has acknowledged is
// gone whatever is done, so it is the target of migrations that are far from their end, and nothing else.
#include "gated_store.h"
#include "register.h"
#include "world.h"

namespace keyhaul::sim {

// Of a copy or a move that has verified nothing yet: what it showed a moment ago would be taken for what it holds.
bool StoreNode::isSpare() const {
  if (world_.faults().on(FaultKind::kMisdirected)) return false;
  bool spare = false;
  for (const auto& job : world_.jobs()) {
    if (job->source != id() && job->target != id()) continue;
    const MigrationState is = job->state;
    const bool early = is == MigrationState::kPreparing || is == MigrationState::kCopying || is == MigrationState::kCatchingUp ||
                       is == MigrationState::kDiscarding;
    const bool hasOwn = job->plan.intoNonempty || job->plan.mode == MigrationMode::kVerify;
    if (job->target != id() || hasOwn || job->ended() || !early) return false;
    spare = true;
  }
  return spare;
}

void StoreNode::loseDisk() {
  bornUs = world_.nowUs();
  while (!entries_.empty()) {
    const std::string key = entries_.begin()->first;
    change(key, nullptr, ChangeCause::kRot, 0, true);
    rotten_.insert(key);
  }
  before_.clear();
  sessions_.clear();
  clients_.clear();
  log_.forgetFeeds();
}

// A gate that has forgotten what it refused would take calls of the past: not one that has seen another migration, nor where
// a second coordinator may still believe that nothing was staged. Nor while its range may be decided on: it was looked at
// for the last time before its source was fenced.
bool GatedStoreNode::isSpare() const {
  if (world_.faults().on(FaultKind::kMisdirected)) return false;
  const OwnershipMap& map = world_.theRegister().map();
  for (const Ownership& part : map.parts()) {
    if (part.owner == name()) return false;
  }
  bool spare = false;
  for (const auto& job : world_.jobs()) {
    if (!job->begun || (job->source != id() && job->target != id())) continue;
    const Claim* claim = map.find(job->plan.claim);
    if (claim == nullptr || claim->target != name() || world_.hasRival(*job)) return false;
    if (claim->state != ClaimState::kClaimed || job->state == MigrationState::kFencing) return false;
    const GateRange* source = world_.gatedNamed(claim->source)->gateAt(claim->ranges.front().lo);
    if (source == nullptr || source->state != GateState::kServing) return false;
    spare = true;
  }
  return spare;
}

void GatedStoreNode::loseDisk() {
  StoreNode::loseDisk();
  durableGate_.clear();
  gate_ = durableGate();
}

}  // namespace keyhaul::sim
