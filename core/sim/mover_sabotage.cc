// Bugs of a host of live migrations, put in on purpose.
#include <cstring>

#include "keyhaul/frame.h"
#include "mover.h"
#include "register.h"
#include "store.h"
#include "world.h"

namespace keyhaul::sim {

void MoverNode::answerEmptyPoll(Job& job, const Action& action) {
  const auto position = engine_->bytes(action.payload);
  std::string page(kFrameHeaderBytes, '\0');
  page.append(reinterpret_cast<const char*>(position.data()), position.size());
  Event event;
  event.kind = EventKind::kPage;
  event.op = action.op;
  event.end = true;
  event.positionBytes = static_cast<uint32_t>(position.size());
  attach(page, event);
  complete(job, action.kind, event);
}

// As if what was decided were all that there is to know.
void MoverNode::cleanUpEarly(Job& job, const Action& action) {
  const Entries& entries = world_.store(job.source).entries();
  const auto first = entries.lower_bound(job.plan.ranges.front().lo);
  if (first == entries.end() || !job.contains(first->first)) return;
  Message request;
  request.kind = MessageKind::kApply;
  request.to = job.source;
  request.coordEpoch = action.coordEpoch;
  request.storeBoot = work_[job.index].storeBoots[job.source];
  request.durable = true;
  request.count = 1;
  request.body.resize(static_cast<size_t>(frameBytes(1, first->first.size())));
  FrameWriter writer(std::as_writable_bytes(std::span(request.body)), 1);
  writer.del(first->first);
  writer.finish(ChecksumKind::kCrc32, 0, 0);
  call(job, {}, ActionKind::kApply, std::move(request));
}

bool MoverNode::hidesPage(const Job& job, const Call& polled, const Message& reply) const {
  const bool looks = job.state == MigrationState::kApproaching || job.state == MigrationState::kDraining;
  return world_.sabotaged(Sabotage::kBucketForgotten) && looks &&
         polled.kind == ActionKind::kPollFeed && reply.count > 0;
}

// A change of the feed reaches the target, and the engine sees an empty page in its place.
void MoverNode::applyUnseen(Job& job, const Call& polled, Message& reply) {
  Message request;
  request.kind = MessageKind::kApply;
  request.to = reply.from == job.source ? job.target : job.source;
  request.coordEpoch = polled.request.coordEpoch;
  request.storeBoot = work_[job.index].storeBoots[request.to];
  request.durable = true;
  request.count = reply.count;
  request.body = std::move(reply.body);
  call(job, {}, ActionKind::kApply, std::move(request));
  reply.body.assign(kFrameHeaderBytes, '\0');
  reply.count = 0;
}

// What the target holds already: no key changes, and no digest.
void MoverNode::writeAgain(Job& job, const Action& action) {
  const uint16_t filled = action.node == nodes_[job.source] ? job.target : job.source;
  const Entries& entries = world_.store(filled).entries();
  const auto first = entries.lower_bound(job.plan.ranges.front().lo);
  if (first == entries.end() || !job.contains(first->first)) return;
  Message request;
  request.kind = MessageKind::kApply;
  request.to = filled;
  request.coordEpoch = action.coordEpoch;
  request.storeBoot = work_[job.index].storeBoots[filled];
  request.durable = true;
  request.count = 1;
  request.body.resize(static_cast<size_t>(frameBytes(1, first->first.size() + first->second.size())));
  FrameWriter writer(std::as_writable_bytes(std::span(request.body)), 1);
  writer.put(first->first, first->second);
  writer.finish(ChecksumKind::kCrc32, 0, 0);
  call(job, {}, ActionKind::kApply, std::move(request));
}

void MoverNode::stopThoseThatMadeRoom() {
  for (const auto& [id, job] : running_) {
    if (!madeRoom(*job) || !forgotten_.insert(job->index).second) continue;
    static_cast<void>(engine_->stop(job->id));
    wake();
  }
}

// What is called done and was never asked for.
bool MoverNode::skips(const Job& job, const Action& action) const {
  const bool writes = action.kind == ActionKind::kApply;
  const bool empties = writes && job.state == MigrationState::kDiscarding;
  const auto is = [this](Sabotage sabotage) { return world_.sabotaged(sabotage); };
  const bool unfences = action.kind == ActionKind::kGate && action.verb == GateVerb::kUnfence;
  if (is(Sabotage::kNeverUnfence)) return unfences;
  if (is(Sabotage::kCloseEarly)) return writes && action.cleanUp;
  if (is(Sabotage::kCancelLeaves)) return empties && !job.live;
  if (!is(Sabotage::kNoClearing) || !empties || !job.live) return false;
  const Claim* claim = world_.theRegister().map().find(job.plan.claim);
  return claim != nullptr && claim->state == ClaimState::kClaimed;
}

bool MoverNode::sabotageLive(Job& job, const Action& action) {
  const auto is = [this](Sabotage sabotage) { return world_.sabotaged(sabotage); };
  const bool swaps = action.kind == ActionKind::kRegisterSwap;
  const bool polls = action.kind == ActionKind::kPollFeed;
  if (is(Sabotage::kCutBeforeDrain) && polls && job.state == MigrationState::kDraining) {
    answerEmptyPoll(job, action);
    return true;
  }
  const bool back = polls && action.node == nodes_[job.target];
  if (is(Sabotage::kBackUndrained) && back && job.state == MigrationState::kDraining) {
    answerEmptyPoll(job, action);
    return true;
  }
  if (is(Sabotage::kCleanUpInWindow) && back && job.state == MigrationState::kReversible) {
    cleanUpEarly(job, action);
  }
  if (is(Sabotage::kActivateEarly) && swaps && job.state == MigrationState::kDeciding) {
    Message request;
    request.kind = MessageKind::kGate;
    request.to = job.target;
    request.verb = GateVerb::kActivate;
    request.coordEpoch = action.coordEpoch;
    request.epoch = fenceEpochs_[job.index];
    call(job, {}, ActionKind::kGate, std::move(request));
  }
  const bool named = action.kind == ActionKind::kGate && action.verb == GateVerb::kFenceReads;
  if (is(Sabotage::kRepairAfter) && named) writeAgain(job, action);
  if (action.kind == ActionKind::kGate && action.verb == GateVerb::kFence) {
    fenceEpochs_[job.index] = action.epoch;
  }
  return false;
}

}  // namespace keyhaul::sim
