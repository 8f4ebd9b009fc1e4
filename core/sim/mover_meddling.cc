// What people do to a mover while it works, and that they let it alone.
#include <iterator>
#include <utility>

#include "mover.h"
#include "world.h"

namespace keyhaul::sim {

void MoverNode::meddle(Prng& prng) {
  const uint64_t pick = prng.next();
  const uint64_t what = prng.below(4);
  const uint64_t rate = prng.between(10'000, 1'000'000);
  if (running_.empty()) return;
  auto at = running_.begin();
  std::advance(at, static_cast<long>(pick % running_.size()));
  Job& job = *at->second;
  switch (what) {
    case 0:
      static_cast<void>(engine_->pause(job.id));
      paused_.push_back(job.index);
      break;
    case 1: static_cast<void>(engine_->unpause(job.id)); break;
    case 2: static_cast<void>(engine_->stop(job.id)); break;
    case 3: setRate(job, rate); break;
  }
  wake();
}

void MoverNode::meddleSlots(Prng& prng) {
  Config wanted;
  wanted.slots = static_cast<uint32_t>(prng.below(4));
  wanted.sourceSlots = static_cast<uint32_t>(prng.below(3));
  wanted.targetSlots = static_cast<uint32_t>(prng.below(3));
  setSlots(wanted);
}

void MoverNode::setSlots(const Config& slots) {
  const auto same = [&](uint32_t Config::*limit) { return config_.*limit == slots.*limit; };
  if (same(&Config::slots) && same(&Config::sourceSlots) && same(&Config::targetSlots)) return;
  config_.slots = slots.slots;
  config_.sourceSlots = slots.sourceSlots;
  config_.targetSlots = slots.targetSlots;
  world_.tell([this](Oracle& oracle) { oracle.onSlots(id()); });
  if (!engine_ || world_.sabotaged(Sabotage::kIgnoreLimits) || world_.sabotaged(Sabotage::kSlotsAsBefore)) return;
  engine_->setSlots(slots.slots, slots.sourceSlots, slots.targetSlots);
  wake();
}

void MoverNode::endMeddling() {
  if (older_) {
    crash();
    return restart();
  }
  setSlots(configured_);
  if (!engine_) return;
  for (const uint32_t index : std::exchange(paused_, {})) {
    static_cast<void>(engine_->unpause(world_.job(index).id));
  }
  for (const auto& [id, job] : running_) setRate(*job, 0);
  for (const auto& [id, job] : running_) limitRate(*job);
  wake();
}

}  // namespace keyhaul::sim
