// Bugs of a host of live migrations, put in on purpose.
#include <cstring>

#include "mover.h"
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

bool MoverNode::sabotageLive(Job& job, const Action& action) {
  const auto is = [this](Sabotage sabotage) { return world_.sabotaged(sabotage); };
  const bool swaps = action.kind == ActionKind::kRegisterSwap;
  const bool polls = action.kind == ActionKind::kPollFeed;
  if (is(Sabotage::kCutBeforeDrain) && polls && job.state == MigrationState::kDraining) {
    answerEmptyPoll(job, action);
    return true;
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
  if (action.kind == ActionKind::kGate && action.verb == GateVerb::kFence) {
    fenceEpochs_[job.index] = action.epoch;
  }
  const bool skips =
      (is(Sabotage::kNeverUnfence) && action.kind == ActionKind::kGate &&
       action.verb == GateVerb::kUnfence) ||
      (is(Sabotage::kCloseEarly) && action.kind == ActionKind::kApply && action.cleanUp);
  if (skips) {
    Event done;
    done.op = action.op;
    complete(job, action.kind, done);
  }
  return skips;
}

}  // namespace keyhaul::sim
