#include "stale_reads.h"

#include <algorithm>

#include "../gated_store.h"
#include "../mover.h"

namespace keyhaul::sim {

bool StaleReads::Window::contains(std::string_view key) const {
  return std::any_of(ranges.begin(), ranges.end(),
                     [key](const KeyRange& range) { return range.contains(key); });
}

void StaleReads::onRegister(const OwnershipMap& before, const OwnershipMap& after, Moment now) {
  if (world_.space().readFence) return;
  for (const Claim& claim : after.claims()) {
    const Claim* was = before.find(claim.id);
    const bool decided = claim.state == ClaimState::kDecided &&
                         (was == nullptr || was->state != ClaimState::kDecided);
    if (!decided) continue;
    const uint16_t store = world_.gatedNamed(claim.source)->id();
    windows_.push_back({claim.id, claim.ranges, store, now, kNever, world_.nowUs(), 0});
  }
}

void StaleReads::onState(const Job& job, MigrationState from, MigrationState to, Moment now) {
  const bool redirected = from == MigrationState::kRedirecting &&
                          (to == MigrationState::kCleaning || to == MigrationState::kTurning);
  if (!redirected) return;
  for (Window& window : windows_) {
    if (window.claim != job.plan.claim || window.over != kNever) continue;
    window.over = now;
    window.overUs = world_.nowUs();
  }
}

Moment StaleReads::oldest(uint16_t store, std::string_view key, Moment begun) const {
  Moment oldest = begun;
  for (const Window& window : windows_) {
    if (window.store != store || begun > window.over || !window.contains(key)) continue;
    oldest = std::min(oldest, window.decided);
  }
  return oldest;
}

Moment StaleReads::oldestOf(std::string_view key, Moment running) const {
  Moment oldest = running;
  for (const Window& window : windows_) {
    const bool matters = window.over == kNever || running <= window.over;
    if (matters && window.contains(key)) oldest = std::min(oldest, window.decided);
  }
  return oldest;
}

const char* StaleReads::wrongWith(const Job& job) const {
  const uint64_t said = job.receipt.staleReadsUs;
  uint64_t longestUs = 0;
  bool any = false;
  for (const Window& window : windows_) {
    if (window.claim != job.plan.claim) continue;
    any = true;
    if (window.over != kNever) longestUs = std::max(longestUs, window.overUs - window.decidedUs);
  }
  // Who finds its claim closed, and the target to own the ranges, cannot know whether it was decided.
  const bool alone = job.receipt.totals.incarnations == 1 && !world_.hasRival(job);
  if (said == kStaleReadsUnknown) return alone ? "its receipt does not know how long reads may have been stale" : nullptr;
  if (!any) return said != 0 ? "its receipt has a window of stale reads, and there was none" : nullptr;
  if (said == 0) return "its receipt has no window of stale reads, and there was one";
  // It says what its clock has measured.
  if (!world_.mover(job.mover).clock().measures()) return nullptr;
  return said < longestUs ? "its receipt has a shorter window of stale reads than there was" : nullptr;
}

}  // namespace keyhaul::sim
