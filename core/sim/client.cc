#include "client.h"

#include <algorithm>
#include <utility>

#include "mover.h"
#include "value.h"
#include "world.h"

namespace keyhaul::sim {
namespace {
constexpr uint64_t kPatienceUs = 500'000;
constexpr uint64_t kHotKeys = 3;
}  // namespace

ClientNode::ClientNode(World& world, uint16_t id, Job& job, uint16_t store, uint32_t share, uint32_t shares)
    : Node(world, NodeKind::kClient, id), job_(job), store_(store), prng_(world.seed(), "client " + std::to_string(id)) {
  for (size_t i = share; i < job.keys.size(); i += shares) keys_.push_back(job.keys[i]);
  ++job.writersLeft;
  timer(prng_.below(job.thinkUs * 2 + 1), kNext);
}

const std::string& ClientNode::pickKey() {
  const uint64_t hot = std::min<uint64_t>(kHotKeys, keys_.size());
  const bool isHot = prng_.below(3) == 0;
  return keys_[static_cast<size_t>(prng_.below(isHot ? hot : keys_.size()))];
}

// As version it is the time, and who wrote it where two did at once: the last writer wins, wherever it wrote.
uint64_t ClientNode::sequence() const { return world_.space().versioned ? world_.nowUs() * 256 + id() : call_ + 1; }

void ClientNode::think() { timer(1 + prng_.exponential(job_.thinkUs), kNext); }

void ClientNode::next() {
  if (closed_) return;
  if (keys_.empty() || world_.nowUs() >= job_.writersStopUs) return close();
  Message request;
  request.body = pickKey();
  const uint64_t what = prng_.below(100);
  const uint64_t padding = prng_.below(50) == 0 ? prng_.between(1'000, 6'000) : prng_.below(80);
  if (what < 25) {
    request.kind = MessageKind::kRead;
  } else if (what < 25 + uint64_t{job_.deletePercent} * 3 / 4 && (store_ == job_.source || !world_.space().versioned)) {
    request.kind = MessageKind::kDelete;
  } else {
    request.kind = MessageKind::kPut;
    request.extra = makeValue(request.body, id(), sequence(), padding);
  }
  begin(std::move(request));
}

// So that nothing it has sent can take effect after it was told to be silent.
void ClientNode::close() {
  closing_ = true;
  Message request;
  request.kind = MessageKind::kClose;
  begin(std::move(request));
}

void ClientNode::begin(Message request) {
  request.from = id();
  request.to = store_;
  request.party = id();
  request.call = ++call_;
  waiting_ = true;
  request_ = std::move(request);
  if (request_.kind == MessageKind::kPut || request_.kind == MessageKind::kDelete) {
    ++world_.counts().clientOps;
    const std::string* value = request_.kind == MessageKind::kPut ? &request_.extra : nullptr;
    const ClientWrite write{store_, id(), call_, request_.body, value};
    world_.tell([&write](Oracle& oracle) { oracle.onInvoked(write); });
  }
  send(request_);
  timer(kPatienceUs, kGiveUp, call_);
}

void ClientNode::onTimer(uint8_t what, uint64_t arg) {
  switch (static_cast<What>(what)) {
    case kNext: return next();
    case kGiveUp:
      if (!waiting_ || arg != call_) return;
      waiting_ = false;
      return closing_ ? close() : think();
  }
}

void ClientNode::onMessage(Message message) {
  const bool damaged = message.checksum != message.computeChecksum();
  if (damaged && !world_.sabotaged(Sabotage::kIgnoreChecksum)) {
    ++world_.counts().damaged;
    return;
  }
  if (!waiting_ || message.call != call_) return;
  waiting_ = false;
  if (message.error != ErrorCode::kOk) return closing_ ? close() : think();
  if (request_.kind == MessageKind::kRead) {
    const std::string* value = message.found ? &message.extra : nullptr;
    world_.tell([&](Oracle& oracle) { oracle.onRead(request_.body, value); });
  } else if (!closing_) {
    ++world_.counts().clientAcks;
    const std::string* value = request_.kind == MessageKind::kPut ? &request_.extra : nullptr;
    const ClientWrite write{store_, id(), call_, request_.body, value};
    world_.tell([&write](Oracle& oracle) { oracle.onAcked(write); });
  }
  if (!closing_) return think();
  closed_ = true;
  if (--job_.writersLeft == 0) world_.mover(job_.mover).onWritersStopped(job_);
}

}  // namespace keyhaul::sim
