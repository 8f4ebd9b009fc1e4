#include "register.h"

#include <utility>

#include "world.h"

namespace keyhaul::sim {

RegisterNode::RegisterNode(World& world, uint16_t id)
    : Node(world, NodeKind::kRegister, id),
      disk_(world.seed(), "disk register", world.faults()),
      prng_(world.seed(), "register") {
  if (const Rehearsal* model = world.rehearsal()) disk_.syncsIn(model->syncs());
}

void RegisterNode::setUp(const OwnershipMap& map) {
  map_ = map;
  document_ = diskDocument_ = map.encode();
  version_ = diskVersion_ = 1;
}

Message RegisterNode::replyTo(const Message& message) const {
  Message reply;
  reply.from = id();
  reply.to = message.from;
  reply.party = message.party;
  reply.session = message.session;
  reply.call = message.call;
  reply.bytes = version_;
  return reply;
}

void RegisterNode::answer(Message reply) {
  // The caller cannot know whether it took place.
  if (world_.strikes(prng_, FaultKind::kRegisterError, reply)) {
    reply.error = ErrorCode::kRegisterFailed;
    reply.body.clear();
  }
  send(std::move(reply), (40 + prng_.below(60)) * slowFactor());
}

void RegisterNode::onMessage(Message message) {
  if (message.checksum != message.computeChecksum()) {
    ++world_.counts().damaged;
    return;
  }
  if (message.kind == MessageKind::kRegisterRead) {
    Message reply = replyTo(message);
    reply.body = document_;
    return answer(std::move(reply));
  }
  if (message.kind != MessageKind::kRegisterSwap) return;
  swaps_.push_back(std::move(message));
  if (swaps_.size() == 1) beginSwap();
}

void RegisterNode::beginSwap() {
  const Message& swap = swaps_.front();
  const Rehearsal* model = world_.rehearsal();
  std::optional<AnswerTime> takes;
  if (model != nullptr) takes = model->answer(swap, world_.job(swap.party).state);
  const Disk::Written written =
      disk_.write(world_.nowUs(), swap.body.size(), slowFactor(), takes);
  world_.struck(written, id());
  swapError_ = written.error;
  timer(written.delayUs, kWritten);
}

void RegisterNode::onTimer(uint8_t what, uint64_t) {
  switch (static_cast<What>(what)) {
    case kWritten:
      endSwap(true);
      if (!swaps_.empty()) beginSwap();
      return;
  }
}

void RegisterNode::endSwap(bool answers) {
  const Message swap = std::move(swaps_.front());
  swaps_.pop_front();
  Message reply = replyTo(swap);
  const bool compares = !swap.blind && !world_.sabotaged(Sabotage::kRegisterNoCompare);
  if (swapError_ != ErrorCode::kOk) {
    reply.error = ErrorCode::kRegisterFailed;
  } else if (swap.epoch != version_ && compares) {
    reply.body = document_;
  } else {
    document_ = swap.body;
    reply.bytes = ++version_;
    reply.count = 1;
    Result<OwnershipMap> map = OwnershipMap::decode(std::as_bytes(std::span(document_)));
    if (!map.ok()) return world_.violated("register", "a document that cannot be read", {});
    const OwnershipMap before = std::exchange(map_, std::move(map).value());
    world_.addToHash(version_);
    world_.tell([&](Oracle& oracle) { oracle.onRegister(before, map_); });
    const bool lazy = world_.sabotaged(Sabotage::kRegisterForgets) && prng_.below(2) == 0;
    if (!lazy) {
      diskDocument_ = document_;
      diskVersion_ = version_;
    }
  }
  if (answers) answer(std::move(reply));
}

// What was being written stands on the disk, or not.
void RegisterNode::onCrash() {
  if (!swaps_.empty() && swapError_ == ErrorCode::kOk && disk_.surviving(1) == 1) endSwap(false);
  swaps_.clear();
}

void RegisterNode::onRestart() {
  if (version_ == diskVersion_) return;
  document_ = diskDocument_;
  version_ = diskVersion_;
  const OwnershipMap before = std::exchange(map_, OwnershipMap::decode(std::as_bytes(std::span(document_))).value());
  world_.tell([&](Oracle& oracle) { oracle.onRegister(before, map_); });
}

}  // namespace keyhaul::sim
