#include "node.h"

#include <utility>

#include "world.h"

namespace keyhaul::sim {

void Node::crash() {
  if (!up_) return;
  up_ = false;
  pausedUntilUs = 0;
  ++world_.counts().crashes;
  if (world_.logs()) world_.line("node " + std::to_string(id_) + " dies");
  onCrash();
}

void Node::dieForGood() {
  if (isGone()) return;
  crash();
  goneSinceUs_ = world_.nowUs();
}

void Node::comeBack() {
  goneSinceUs_ = UINT64_MAX;
  restart();
}

void Node::restart() {
  if (up_ || isGone()) return;
  up_ = true;
  ++boot_;
  if (world_.logs()) world_.line("node " + std::to_string(id_) + " is back");
  onRestart();
}

uint32_t Node::slowFactor() const { return world_.nowUs() < slowUntilUs ? slowBy : 1; }

void Node::timer(uint64_t delayUs, uint8_t what, uint64_t arg) {
  Queued event;
  event.kind = QueuedKind::kTimer;
  event.what = what;
  event.node = id_;
  event.boot = boot_;
  event.arg = arg;
  world_.queue().push(world_.nowUs() + delayUs, event);
}

void Node::send(Message message, uint64_t delayUs) {
  world_.network().send(world_.nowUs(), std::move(message), delayUs);
}

}  // namespace keyhaul::sim
