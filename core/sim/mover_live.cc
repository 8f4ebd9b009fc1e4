// What live migrations ask of a mover beyond the others: calls to gates and to the register,
// plans that are made when it is known who owns the range, and two coordinators of one plan.
#include <algorithm>
#include <cstring>
#include <utility>

#include "gated_store.h"
#include "mover.h"
#include "register.h"
#include "skew.h"
#include "world.h"

namespace keyhaul::sim {

void MoverNode::onTurn(Job& job) { again(job, prng_.below(500'000)); }

// False: not now, or not at all.
bool MoverNode::beginLive(Job& job) {
  if (waitsForTurn(job)) return false;
  if (job.rivalOf != 0) {
    Job& first = world_.job(job.rivalOf - 1);
    if (!job.begun && first.ended()) {  // nobody starts what has ended
      job.reason = first.reason;
      ended(job, first.state, {});
      return false;
    }
    // It goes on with the other one's journal. Two that knew nothing of each other would have
    // two claims.
    const auto image = readJournal(std::as_bytes(std::span(first.journal)));
    if (!job.begun && !(image.ok() && image->claimed && !image->receipt)) {
      again(job, 200'000);
      return false;
    }
    if (!job.begun) {
      job.journal = first.journal;
      job.isLater = first.isLater;
      job.plan = first.plan;
      job.source = first.source;
      job.target = first.target;
      job.begun = true;
    }
    // Its journal stands where the other one can read it, as far as it was written.
    const bool mayRead = !older_ || !first.isLater;
    if (!first.ended() && prng_.below(2) == 0 && mayRead) {
      job.journal = first.journal;
      job.isLater = first.isLater;
    }
    return true;
  }
  if (job.begun) return true;
  return job.partOf != 0 ? planPart(job) : planLive(job);
}

// It, or both its halves.
bool MoverNode::isMoved(const Job& job) const {
  if (!job.ended()) return false;
  if (job.receipt.splitAt.empty()) return job.begun && job.state == MigrationState::kDone;
  return std::all_of(world_.jobs().begin(), world_.jobs().end(), [&](const auto& part) {
    return part->partOf != job.index + 1 || isMoved(*part);
  });
}

// What there is to do stands in the journal of the whole, whatever this process remembers. The second half
// comes once the first one has moved; where that failed, somebody has to look.
bool MoverNode::planPart(Job& job) {
  const Job& whole = world_.job(job.partOf - 1);
  const auto image = readJournal(std::as_bytes(std::span(whole.journal)));
  bool wanted = image.ok() && image->receipt && !image->receipt->splitAt.empty();
  for (const auto& other : world_.jobs()) {
    const bool first = other->partOf == job.partOf && !other->secondHalf;
    if (job.secondHalf && first && !isMoved(*other)) wanted = false;
  }
  if (world_.sabotaged(Sabotage::kHalfForgotten) && job.secondHalf && boot() > 1) wanted = false;
  if (!wanted) {
    ended(job, MigrationState::kDone, {});
    return false;
  }
  auto [first, second] = splitPlan(image->plan.plan(), image->receipt->splitAt);
  const Key behind = successor(image->receipt->splitAt);
  const bool more = second.ranges.front().hi.isAbove(behind);  // of its first range
  if (world_.sabotaged(Sabotage::kSplitKeyLost) && more) second.ranges.front().lo = behind;
  if (world_.sabotaged(Sabotage::kSplitKeyTwice)) first.ranges.back().hi = Bound::at(behind);
  Plan& half = job.secondHalf ? second : first;
  half.claim = job.plan.claim;
  half.digestKey = job.plan.digestKey;
  job.plan = std::move(half);
  job.source = whole.source;
  job.target = whole.target;
  job.begun = true;
  return true;
}

// The owner of the ranges gives them away, to the job's target or, where that owns them
// already, back to the job's source: unless it is one that goes onward.
bool MoverNode::planLive(Job& job) {
  const OwnershipMap& map = world_.theRegister().map();
  Plan& plan = job.plan;
  const Ownership* owner = map.lookup(plan.ranges.front().lo);
  if (job.onward) {
    if (owner->owner == world_.store(job.target).name()) {
      ended(job, MigrationState::kDone, {});
      return false;
    }
    if (world_.nowUs() < job.startUs) {
      again(job, job.startUs - world_.nowUs());
      return false;
    }
  } else if (owner->owner == world_.store(job.target).name()) {
    job.target = job.source;
  }
  if (!job.joined.empty() && world_.sabotaged(Sabotage::kPartForWhole)) {
    const KeyRange first = plan.ranges.front();
    plan.ranges = {owner->range.hi < first.hi ? KeyRange{first.lo, owner->range.hi} : first};
  }
  job.source = world_.gatedNamed(owner->owner)->id();
  plan.source = owner->owner;
  plan.target = world_.store(job.target).name();
  job.begun = true;
  return true;
}

// Whoever wants back says so again to a mover that has died since.
void MoverNode::onWindow(Job& job) {
  if (job.phase != Job::Phase::kRunning || job.state != MigrationState::kReversible) return;
  if (job.reverseAfterUs != 0) {
    const bool drops = world_.sabotaged(Sabotage::kReverseDropped);
    const bool heard = drops || engine_->reverse(job.id).ok();
    job.reverseDue = heard || job.reverseDue;
    job.reverseTold = heard || job.reverseTold;
  } else {
    job.closeTold = engine_->closeWindow(job.id).ok() || job.closeTold;
  }
  wake();
}

// While it is only kept: one that is to own the range, or does, somebody brings back.
void MoverNode::onSourceDies(const Job& job) {
  const bool kept = job.phase == Job::Phase::kRunning && job.state == MigrationState::kReversible;
  if (!kept || !world_.isTurned(job) || job.giveUpTold) return;
  world_.store(job.source).dieForGood();
  watchSource(job);
}

void MoverNode::watchSource(const Job& job) {
  const Node& source = world_.store(job.source);
  if (job.giveUpAfterUs == 0 || !source.isGone()) return;
  const uint64_t dueUs = source.goneSinceUs() + job.giveUpAfterUs;
  timer(std::max(dueUs, world_.nowUs()) - world_.nowUs(), kGiveUp, job.index);
}

// Said again to each process, for as long as the source is away.
void MoverNode::giveUp(Job& job) {
  const Node& source = world_.store(job.source);
  const bool early = world_.sabotaged(Sabotage::kGivenUpUnasked) && job.begun && world_.isTurned(job) && !source.isUp();
  const bool due = job.giveUpAfterUs != 0 && source.isGone() &&
                   source.goneSinceUs() + job.giveUpAfterUs <= world_.nowUs();
  if (early && engine_) static_cast<void>(engine_->giveUpSource(job.id));
  if (!due) return;
  // It was decided while it died, so it owns the range: that is another kind of repair.
  const Ownership* owner = world_.theRegister().map().lookup(job.plan.ranges.front().lo);
  const bool closed = world_.theRegister().map().find(job.plan.claim) == nullptr;
  if (closed || owner->owner == job.plan.source) return onComesBack(job);
  if (job.phase != Job::Phase::kRunning) return;
  job.giveUpTold = engine_->giveUpSource(job.id).ok() || job.giveUpTold;
  if (job.giveUpTold) job.reverseDue = false;
  wake();
}

// Somebody lifts it once nobody writes any more.
void MoverNode::watchRate(const Job& job) {
  const uint64_t stopUs = world_.space().stopUs;
  if (job.rate != 0 && stopUs > world_.nowUs()) timer(stopUs - world_.nowUs(), kLiftRate, job.index);
}

void MoverNode::limitRate(Job& job) {
  if (job.rate != 0) setRate(job, world_.nowUs() < world_.space().stopUs ? job.rate : 0);
}

void MoverNode::throttle(Job& job, uint64_t rate) {
  if (job.phase != Job::Phase::kRunning) return;
  setRate(job, rate);
  wake();
}

void MoverNode::setRate(Job& job, uint64_t rate) {
  const uint64_t before = std::exchange(job.throttle, rate);
  world_.tell([&job](Oracle& oracle) { oracle.onThrottled(job); });
  const bool lowers = rate != 0 && (before == 0 || rate < before);
  if (lowers && world_.sabotaged(Sabotage::kDeaf)) return;
  static_cast<void>(engine_->setRate(now(), job.id, rate));
}

void MoverNode::watchReturn(const Job& job) {
  const bool gone = job.comesBackAfterUs != 0 && world_.store(job.source).isGone();
  if (gone) timer(job.comesBackAfterUs, kComesBack, job.index);
}

void MoverNode::onComesBack(const Job& job) {
  GatedStoreNode& source = world_.gated(job.source);
  if (!source.isGone()) return;
  source.comeBack();
  if (world_.sabotaged(Sabotage::kBackFromTheDead)) source.openStaged();
}

void MoverNode::endedLive(Job& job) {
  watchReturn(job);
  world_.tell([&job](Oracle& oracle) { oracle.onLiveEnd(job); });
  for (const auto& other : world_.jobs()) {
    if (other->after == job.index + 1) world_.mover(other->mover).onTurn(*other);
  }
}

// False for actions that every migration has.
bool MoverNode::liveRequest(const Job& job, const Action& action, std::string bytes,
                            Message& request) {
  request.coordEpoch = action.coordEpoch;
  request.epoch = action.epoch;
  switch (action.kind) {
    case ActionKind::kApply:
      request.cleanUp = action.cleanUp;
      request.storeBoot = work_[job.index].storeBoots[request.to];
      return false;
    case ActionKind::kRead:
      request.kind = MessageKind::kReadKeys;
      if (world_.sabotaged(Sabotage::kBlindRecheck)) request.to = job.source;
      request.body = std::move(bytes);
      return true;
    case ActionKind::kGate:
      request.kind = MessageKind::kGate;
      request.verb = action.verb;
      return true;
    case ActionKind::kRegisterRead:
      request.kind = MessageKind::kRegisterRead;
      request.to = world_.registerId();
      return true;
    case ActionKind::kRegisterSwap:
      request.kind = MessageKind::kRegisterSwap;
      request.to = world_.registerId();
      request.body = std::move(bytes);
      request.blind = world_.sabotaged(Sabotage::kBlindCommit) &&
                      job.state == MigrationState::kDeciding;
      return true;
    case ActionKind::kCloseFeed:
      request.kind = MessageKind::kCloseFeed;
      request.extra = bytes.empty() ? work_[job.index].feeds[request.to] : std::move(bytes);
      return true;
    case ActionKind::kScan:
      if (world_.sabotaged(Sabotage::kBlindRecheck) && job.state == MigrationState::kVerifying) {
        request.to = job.source;
      }
      if (world_.sabotaged(Sabotage::kBlindLook) && (job.state == MigrationState::kApproaching || job.state == MigrationState::kDraining)) {
        request.to = job.source;
      }
      return false;
    case ActionKind::kJournal:
    case ActionKind::kOpenFeed:
    case ActionKind::kPollFeed:
    case ActionKind::kTrimFeed:
    case ActionKind::kAbort:
    case ActionKind::kEstimate: break;
  }
  return false;
}

void MoverNode::attach(std::string_view bytes, Event& event) {
  const auto buffer = engine_->acquire(bytes.size(), event.payload.buffer);
  if (buffer.size() < bytes.size()) return;
  std::memcpy(buffer.data(), bytes.data(), bytes.size());
  event.payload.bytes = static_cast<uint32_t>(bytes.size());
}

bool MoverNode::onLiveReply(Job& job, const Call& call, const Message& reply) {
  const bool ofRegister =
      call.kind == ActionKind::kRegisterRead || call.kind == ActionKind::kRegisterSwap;
  const GateVerb verb = call.request.verb;
  if (call.kind == ActionKind::kGate && (verb == GateVerb::kPrepare || verb == GateVerb::kRestage)) {
    work_[job.index].storeBoots[reply.from] = reply.storeBoot;
  }
  if (!ofRegister) return false;
  Event event;
  event.op = call.op;
  event.count = reply.count;
  event.bytes = reply.bytes;
  // The document is of others, too, and they are of a later version.
  if (older_ && reply.count == 0) {
    world_.struck(FaultKind::kVersionSkew, job);
    job.refusedAsLater = true;
    job.reason = ErrorCode::kRegisterCorrupt;
  }
  if (reply.count == 0) attach(older_ ? asLaterRecord(reply.body) : reply.body, event);
  complete(job, call.kind, event);
  return true;
}

}  // namespace keyhaul::sim
