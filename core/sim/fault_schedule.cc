#include "fault_schedule.h"

#include <vector>

#include "mover.h"
#include "register.h"
#include "store.h"
#include "world.h"

namespace keyhaul::sim {
namespace {
constexpr uint64_t kTickUs = 100'000;
constexpr uint64_t kSecondUs = 1'000'000;
}  // namespace

FaultSchedule::FaultSchedule(World& world)
    : world_(world),
      path_(world.seed(), "fault paths"),
      mover_(world.seed(), "fault movers"),
      store_(world.seed(), "fault stores"),
      disk_(world.seed(), "fault disks"),
      user_(world.seed(), "fault users"),
      register_(world.seed(), "fault register"),
      replay_(world.seed(), "fault replay"),
      groups_(world.seed(), "fault groups"),
      swizzle_(world.seed(), "fault swizzle"),
      clocks_(world.seed(), "fault clocks"),
      slots_(world.seed(), "fault slots"),
      losses_(world.seed(), "fault losses") {}

void FaultSchedule::start() { post(kTickUs, kTick, 0); }

void FaultSchedule::post(uint64_t delayUs, What what, uint16_t node) {
  Queued event;
  event.kind = QueuedKind::kFault;
  event.what = what;
  event.node = node;
  world_.queue().push(world_.nowUs() + delayUs, event);
}

bool FaultSchedule::strikes(Prng& prng, FaultKind kind, const Node& node) {
  return world_.strikes(prng, kind, node.id());
}

// Counted when it happens, not when it is decided.
bool FaultSchedule::crashes(Prng& prng, FaultKind kind) {
  return prng.chance(world_.faults().rate(kind));
}

FaultKind FaultSchedule::crashOf(const Node& node) {
  switch (node.kind()) {
    case NodeKind::kStore: return FaultKind::kStoreCrash;
    case NodeKind::kRegister: return FaultKind::kRegisterCrash;
    case NodeKind::kMover:
    case NodeKind::kClient: break;
  }
  return FaultKind::kMoverCrash;
}

void FaultSchedule::onEvent(uint8_t what, uint16_t node) {
  switch (static_cast<What>(what)) {
    case kTick: return tick();
    case kCrash:
      if (world_.healed()) return;
      if (world_.node(node).isUp()) world_.struck(crashOf(world_.node(node)), node);
      return world_.node(node).crash();
    case kRestart: return world_.node(node).restart();
    case kClog:
      if (!world_.healed()) clogAll(node);
      return;
  }
}

void FaultSchedule::tick() {
  if (world_.healed()) return;
  for (const auto& node : world_.nodes()) {
    if (node->isUp()) harm(*node);
  }
  if (replay_.chance(world_.faults().rate(FaultKind::kReplay))) {
    world_.network().replay(world_.nowUs(), replay_);
  }
  if (groups_.chance(world_.faults().rate(FaultKind::kGroups))) cutInTwo();
  if (swizzle_.chance(world_.faults().rate(FaultKind::kSwizzle))) swizzle();
  post(kTickUs, kTick, 0);
}

// Counted for those whose mover is cut off from somebody it works with.
void FaultSchedule::cutInTwo() {
  const uint64_t untilUs = world_.nowUs() + groups_.between(kSecondUs, 10 * kSecondUs);
  const auto count = static_cast<uint16_t>(world_.nodes().size());
  std::vector<bool> side(count);
  for (uint16_t node = 0; node < count; ++node) side[node] = groups_.below(2) == 1;
  for (uint16_t from = 0; from < count; ++from) {
    for (uint16_t to = 0; to < count; ++to) {
      if (side[from] != side[to]) world_.network().block(from, to, untilUs);
    }
  }
  for (const auto& job : world_.jobs()) {
    const bool here = side[job->mover];
    const bool apart = here != side[job->source] || here != side[job->target] ||
                       (job->live && here != side[job->registerNode]);
    if (apart && !job->ended()) world_.struck(FaultKind::kGroups, *job);
  }
}

// One after the other, each for a time of its own, so that they are freed in another order.
void FaultSchedule::swizzle() {
  for (const auto& node : world_.nodes()) {
    if (swizzle_.below(2) == 0) continue;
    const uint64_t inUs = swizzle_.below(2 * kSecondUs);
    cloggedUntilUs_[node->id()] = world_.nowUs() + 2 * kSecondUs + swizzle_.below(3 * kSecondUs);
    post(inUs, kClog, node->id());
  }
}

void FaultSchedule::clogAll(uint16_t node) {
  const auto count = static_cast<uint16_t>(world_.nodes().size());
  for (uint16_t other = 0; other < count; ++other) {
    world_.network().clog(node, other, cloggedUntilUs_[node]);
    world_.network().clog(other, node, cloggedUntilUs_[node]);
  }
  world_.struck(FaultKind::kSwizzle, node);
}

void FaultSchedule::harm(Node& node) {
  cut(path_, node);
  switch (node.kind()) {
    case NodeKind::kStore: return harmStore(node);
    case NodeKind::kMover: return harmMover(node);
    case NodeKind::kRegister: return harmRegister(node);
    case NodeKind::kClient: return;
  }
}

void FaultSchedule::cut(Prng& prng, const Node& cutOff) {
  const uint16_t node = cutOff.id();
  Network& network = world_.network();
  const auto count = static_cast<uint16_t>(world_.nodes().size());
  const uint64_t nowUs = world_.nowUs();
  if (strikes(prng, FaultKind::kPartition, cutOff)) {
    const uint64_t untilUs = nowUs + prng.between(kSecondUs, 10 * kSecondUs);
    for (uint16_t other = 0; other < count; ++other) {
      network.block(node, other, untilUs);
      network.block(other, node, untilUs);
    }
  }
  const auto other = static_cast<uint16_t>(prng.below(count));
  if (strikes(prng, FaultKind::kOneWay, cutOff)) {
    network.block(node, other, nowUs + prng.between(kSecondUs, 10 * kSecondUs));
  }
  if (strikes(prng, FaultKind::kClog, cutOff)) {
    network.clog(node, other, nowUs + prng.between(1'000, 5 * kSecondUs));
  }
}

// Somewhere in the next tick: between any two events of the node.
void FaultSchedule::crashSoon(Prng& prng, Node& node, uint64_t downUsMax) {
  const uint64_t inUs = prng.below(kTickUs);
  crashIn(inUs, prng.between(kTickUs, downUsMax), node);
}

void FaultSchedule::crashIn(uint64_t inUs, uint64_t downUs, const Node& node) {
  post(inUs, kCrash, node.id());
  post(inUs + downUs, kRestart, node.id());
}

void FaultSchedule::crash(Node& node, uint64_t untilUs) {
  node.crash();
  post(untilUs - world_.nowUs(), kRestart, node.id());
}

void FaultSchedule::holdUp(Prng& prng, Node& node, FaultKind pause, uint64_t pauseMaxUs,
                           FaultKind slow) {
  if (strikes(prng, pause, node)) {
    node.pausedUntilUs = world_.nowUs() + prng.between(kTickUs, pauseMaxUs);
  }
  if (strikes(prng, slow, node)) {
    node.slowBy = static_cast<uint32_t>(prng.between(10, 100));
    node.slowUntilUs = world_.nowUs() + prng.between(kTickUs, 5 * kSecondUs);
  }
}

void FaultSchedule::fill(const Node& node, Disk& disk) {
  if (!strikes(disk_, FaultKind::kDiskFull, node)) return;
  disk.fillUntil(world_.nowUs() + disk_.between(kTickUs, 5 * kSecondUs));
}

void FaultSchedule::harmStore(Node& node) {
  auto& store = static_cast<StoreNode&>(node);
  if (crashes(store_, FaultKind::kStoreCrash)) crashSoon(store_, node, 3 * kSecondUs);
  holdUp(store_, node, FaultKind::kStorePause, 10 * kSecondUs, FaultKind::kStoreSlow);
  fill(node, store.disk());
  if (strikes(store_, FaultKind::kFeedLost, node)) store.forgetHalfTheLog();
  if (!losses_.chance(world_.faults().rate(FaultKind::kDiskLost)) || !store.isSpare()) return;
  world_.struck(FaultKind::kDiskLost, node.id());
  node.bornUs = world_.nowUs();
  crash(node, node.bornUs + losses_.between(kTickUs, 3 * kSecondUs));
}

void FaultSchedule::harmMover(Node& node) {
  auto& mover = static_cast<MoverNode&>(node);
  if (crashes(mover_, FaultKind::kMoverCrash)) crashSoon(mover_, node, 3 * kSecondUs);
  holdUp(mover_, node, FaultKind::kMoverPause, 20 * kSecondUs, FaultKind::kMoverSlow);
  if (strikes(mover_, FaultKind::kClockJump, node)) mover.jumpClock(mover_.below(60 * kSecondUs));
  harmClock(mover);
  fill(node, mover.disk());
  if (strikes(user_, FaultKind::kMeddling, node)) mover.meddle(user_);
  if (strikes(slots_, FaultKind::kSlots, node)) mover.meddleSlots(slots_);
}

void FaultSchedule::harmClock(MoverNode& mover) {
  if (strikes(clocks_, FaultKind::kClockBack, mover)) {
    mover.clock().jumpBack(world_.nowUs(), clocks_.below(60 * kSecondUs));
  }
  if (!strikes(clocks_, FaultKind::kClockDrift, mover)) return;
  mover.clock().drift(world_.nowUs(), static_cast<int32_t>(clocks_.below(200'001)) - 100'000);
}

void FaultSchedule::harmRegister(Node& node) {
  if (crashes(register_, FaultKind::kRegisterCrash)) crashSoon(register_, node, 3 * kSecondUs);
  holdUp(register_, node, FaultKind::kRegisterPause, 10 * kSecondUs, FaultKind::kRegisterSlow);
  fill(node, world_.theRegister().disk());
}

void FaultSchedule::crashNow(Node& node) {
  node.crash();
  post(3 * kTickUs, kRestart, node.id());
}

void FaultSchedule::heal() {
  for (const auto& node : world_.nodes()) {
    node->pausedUntilUs = node->slowUntilUs = 0;
    node->slowBy = 1;
    if (!node->isUp()) node->restart();
  }
}

}  // namespace keyhaul::sim
