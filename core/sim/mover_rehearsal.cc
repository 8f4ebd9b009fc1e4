// What the work of a mover takes of its thread, in a rehearsal. As in js/src/live/pace.ts a live
// migration takes a share of the thread's time, until writers are refused or soon will be.
#include <algorithm>

#include "mover.h"
#include "world.h"

namespace keyhaul::sim {
namespace {

constexpr uint64_t kDelayUsMax = 250'000;

// From the approach to the activation, and while an attempt is taken back.
bool isUrgent(MigrationState state) {
  return state == MigrationState::kApproaching || state == MigrationState::kFencing ||
         state == MigrationState::kDraining || state == MigrationState::kReadFencing ||
         state == MigrationState::kDeciding || state == MigrationState::kActivating ||
         state == MigrationState::kPostponing || state == MigrationState::kUnfencing;
}

}  // namespace

uint64_t MoverNode::rehearsedUs(const Job& job, ActionKind kind, const Event& event) {
  const Rehearsal& model = *world_.rehearsal();
  uint64_t ns = 0;
  if (kind == ActionKind::kScan) {
    ns = job.state == MigrationState::kVerifying ? model.verifyNs : model.copyNs;
  } else if (kind == ActionKind::kPollFeed) {
    ns = model.feedNs;
  } else if (kind == ActionKind::kRead) {
    ns = model.verifyNs;
  }
  const uint64_t tookUs = model.turn(job.state) + model.stretched(model.rowsUs(event.count, ns));
  if (!job.live || isUrgent(job.state)) return tookUs * slowFactor();
  // The pages of a simulated turn may be those of several real ones.
  const uint64_t waitsUs = tookUs * (100 - model.sharePercent) / model.sharePercent;
  return (tookUs + std::min(waitsUs, kDelayUsMax * model.scale)) * slowFactor();
}

}  // namespace keyhaul::sim
