#include "gated_store.h"

#include <algorithm>

#include "skew.h"
#include "value.h"
#include "world.h"

namespace keyhaul::sim {
namespace {
constexpr uint64_t kImpatienceUs = 400'000, kLazyUs = 500'000;
constexpr uint64_t kRedirectUsMax = 300'000, kEarlyUsMax = 20'000, kOlderUsMax = 2'000'000;
}

GatedStoreNode::GatedStoreNode(World& world, uint16_t id, std::string name)
    : StoreNode(world, id, std::move(name)),
      versionPrng_(world.seed(), "version of " + StoreNode::name()),
      sweeps_(world.seed(), "sweeps " + this->name()),
      aheadUs_(sweeps_.below(2 * kEndSkewUs)) {}

void GatedStoreNode::setUpGate(const KeyRange& range) {
  GateCall call;
  call.verb = GateVerb::kAssign;
  call.epoch = 1;
  call.ranges = {range};
  if (!gate_.change(call).ok()) world_.violated("scenario", "a range is given twice", {});
  durableGate_ = gate_.encode();
}

Gate GatedStoreNode::durableGate() const {
  return Gate::restore(std::as_bytes(std::span(durableGate_)), gate_.last()).value();
}

const GateRange* GatedStoreNode::gateAt(std::string_view key) const {
  for (const GateRange& part : gate_.ranges()) {
    if (part.range.contains(key)) return &part;
  }
  return nullptr;
}

void GatedStoreNode::onMessage(Message message) {
  const bool damaged = message.checksum != message.computeChecksum();
  if (damaged && !world_.sabotaged(Sabotage::kIgnoreChecksum)) {
    ++world_.counts().damaged;
    return;
  }
  if (isOfClient(message.kind)) return onClient(std::move(message));
  const bool isWrite = !isRead(message.kind) && message.kind != MessageKind::kGate;
  if (isWrite && isDoneOrQueued(message)) return;
  if (world_.strikes(prng_, FaultKind::kStoreError, message)) {
    // It fails before it took place, or after.
    Message reply = failed(message, ErrorCode::kStoreFailed);
    if (isWrite && prng_.below(2) == 0) return finish(message, std::move(reply), true);
    if (!isWrite) return send(std::move(reply), 50);
  }
  if (isRead(message.kind)) return read(message);
  if (message.kind == MessageKind::kGate) return onGateCall(std::move(message));
  if (message.kind == MessageKind::kApply) return onWrite(std::move(message));
  enqueue(std::move(message));
}

// One that was answered is answered the same way again.
bool GatedStoreNode::isDoneOrQueued(const Message& message) {
  if (world_.sabotaged(Sabotage::kNoDedupe)) return false;
  LiveSession& session = sessionOf(message);
  const auto done = session.replies.find(message.call);
  if (done != session.replies.end()) {
    send(done->second, 50);
    return true;
  }
  return !session.queued.insert(message.call).second;
}

GateCall GatedStoreNode::callOf(const Message& message) const {
  const Plan& plan = world_.job(message.party).plan;
  GateCall call;
  call.verb = message.verb == GateVerb::kRestage && world_.sabotaged(Sabotage::kStagingForgotten) ? GateVerb::kPrepare : message.verb;
  call.claim = plan.claim;
  call.coordEpoch = message.coordEpoch;
  if (world_.sabotaged(Sabotage::kAnyCoordinator)) call.coordEpoch = UINT32_MAX;
  call.epoch = message.epoch;
  call.target = plan.target == name() ? plan.source : plan.target;
  call.ranges = plan.ranges;
  return call;
}

ErrorCode GatedStoreNode::changeGate(const Message&, GateCall call) {
  const Status status = gate_.change(call);
  if (!status.ok()) return status.code();
  world_.tell([&](Oracle& oracle) { oracle.onGate(id(), call); });
  return ErrorCode::kOk;
}

// What closes changes at once, and is written once what was admitted before it has landed.
void GatedStoreNode::onGateCall(Message message) {
  const GateCall call = callOf(message);
  ErrorCode error = ErrorCode::kOk;
  if (call.verb == GateVerb::kInspect) {
    Message reply = replyTo(message);
    if (!lostDisk() || !world_.sabotaged(Sabotage::kStagingForgotten)) reply.error = gate_.change(call).code();
    return send(std::move(reply), 50);
  }
  if (Gate::opens(call.verb)) {
    error = gate_.encodeAfter(call).status().code();
    if (error == ErrorCode::kOk) return enqueue(std::move(message));
  } else if (call.verb == GateVerb::kRedirect && !world_.space().readFence) {
    // Readers see what is old until then. It takes long enough for somebody to come.
    held_.emplace(++lastHeld_, std::move(message));
    return timer(prng_.below(kRedirectUsMax) * slowFactor(), kLand, lastHeld_);
  } else {
    error = changeGate(message, call);
    if (error == ErrorCode::kOk) {
      waiting_.push_back(std::move(message));
      return letQuietOnesIn();
    }
  }
  const bool obeys = world_.sabotaged(Sabotage::kLateActivate) &&
                     call.verb == GateVerb::kActivate && error == ErrorCode::kSuperseded;
  if (obeys) return obeyLateActivate(std::move(message));
  send(failed(message, error), 50);
}

void GatedStoreNode::letQuietOnesIn() {
  for (size_t i = 0; i < waiting_.size();) {
    const bool waits = !world_.sabotaged(Sabotage::kFenceInFlight);
    if (waits && !gate_.quiet(world_.job(waiting_[i].party).plan.ranges)) {
      ++i;
      continue;
    }
    Message message = std::move(waiting_[i]);
    waiting_.erase(waiting_.begin() + static_cast<long>(i));
    enqueue(std::move(message));
  }
}

Message GatedStoreNode::executeGate(const Message& message) {
  Message reply = replyTo(message);
  reply.storeBoot = boot();
  const GateCall call = callOf(message);
  if (Gate::opens(call.verb)) {
    const Result<std::string> after = gate_.encodeAfter(call);
    if (!after.ok()) return failed(message, after.code());
    const bool lazy = world_.sabotaged(Sabotage::kGateBehindData);
    if (!lazy) durableGate_ = after.value();
    reply.error = changeGate(message, call);
    if (lazy) timer(kLazyUs, kSelfSync);
    return reply;
  }
  // Another call may have been faster while this one waited.
  reply.error = changeGate(message, call);
  if (reply.error != ErrorCode::kOk) return reply;
  if (call.verb == GateVerb::kFence) {
    lastFence_ = call;
    if (world_.sabotaged(Sabotage::kUnfenceByTimer)) timer(kImpatienceUs, kSelfUnfence);
    if (world_.sabotaged(Sabotage::kFenceForgotten)) return reply;
  }
  const bool stages = call.verb == GateVerb::kPrepare || call.verb == GateVerb::kRestage;
  if (stages) {
    uint64_t& preparedBy = sessionOf(message).preparedBy;
    preparedBy = std::max(preparedBy, message.call);
  }
  if (stages && world_.sabotaged(Sabotage::kWindowByTimer) && world_.isTurned(world_.job(message.party))) {
    lastFence_ = call;
    timer(2 * kLazyUs, kSelfUnfence);
  }
  // What is acknowledged later contains it, and a crash in between does not.
  const bool forgets = world_.sabotaged(Sabotage::kFenceForgotten) &&
                       call.verb == GateVerb::kFenceReads;
  if (!forgets) durableGate_ = gate_.encode();
  return reply;
}

// Sabotage: staged by this very migration, whoever coordinates it.
bool GatedStoreNode::isOfAnyCoordinator(const Job& job, const KeyRange& span) const {
  if (!world_.sabotaged(Sabotage::kAnyCoordinator)) return false;
  const GateRange* part = gateAt(span.lo);
  return part != nullptr && part->state == GateState::kStaged && part->claim == job.plan.claim;
}

// Sabotage: as if what is staged had been decided.
void GatedStoreNode::openStaged() {
  const std::vector<GateRange> parts = gate_.ranges();
  for (const GateRange& part : parts) {
    if (part.state != GateState::kStaged) continue;
    GateCall call;
    call.verb = GateVerb::kActivate;
    call.claim = part.claim;
    call.coordEpoch = part.coordEpoch;
    call.epoch = part.epoch;
    call.ranges = {part.range};
    static_cast<void>(gate_.change(call));
    durableGate_ = gate_.encode();
    world_.tell([&](Oracle& oracle) { oracle.onGate(id(), call); });
  }
}

// Sabotage: as a gate would that took any activate.
void GatedStoreNode::obeyLateActivate(Message message) {
  GateCall call = callOf(message);
  uint64_t epoch = 0;
  for (const GateRange& part : gate_.ranges()) epoch = std::max(epoch, part.epoch);
  call.epoch = epoch + 1;
  call.coordEpoch = UINT32_MAX;
  call.verb = GateVerb::kPrepare;
  if (!gate_.change(call).ok()) return send(failed(message, ErrorCode::kSuperseded), 50);
  call.verb = GateVerb::kActivate;
  static_cast<void>(gate_.change(call));
  durableGate_ = gate_.encode();
  world_.tell([&](Oracle& oracle) { oracle.onGate(id(), call); });
  send(replyTo(message), 50);
}

ErrorCode GatedStoreNode::admit(const FrameView& frame, Message& message) {
  const Job& job = world_.job(message.party);
  std::map<size_t, std::pair<std::string_view, std::string_view>> spans;  // by range
  for (const EntryView entry : frame) {
    const auto [at, isNew] = spans.emplace(job.rangeOf(entry.key), std::pair(entry.key, entry.key));
    auto& [lo, hi] = at->second;
    lo = std::min(lo, entry.key);
    hi = std::max(hi, entry.key);
  }
  for (const auto& [range, keys] : spans) {
    const KeyRange span{std::string(keys.first), Bound::at(successor(keys.second))};
    const Result<uint64_t> ticket =
        message.cleanUp ? gate_.admitCleanUp(message.epoch, span)
                        : gate_.admitApply(job.plan.claim, message.coordEpoch, span);
    const bool lax = message.cleanUp ? world_.sabotaged(Sabotage::kLateCleanUp)
                                     : world_.sabotaged(Sabotage::kForeignWrites);
    const bool obeys = lax || (!message.cleanUp && isOfAnyCoordinator(job, span));
    if (!ticket.ok() && obeys) continue;
    if (!ticket.ok()) return ticket.code();
    message.tickets.push_back(ticket.value());
  }
  return ErrorCode::kOk;
}

void GatedStoreNode::onWrite(Message message) {
  const auto bytes = std::as_bytes(std::span(message.body));
  const bool trusting = world_.sabotaged(Sabotage::kIgnoreChecksum);
  const Result<FrameView> frame = trusting ? viewBody(bytes, message.count) : readFrame(bytes);
  ErrorCode error = frame.ok() ? ErrorCode::kOk : frame.code();
  const bool older = message.storeBoot != boot() && !world_.sabotaged(Sabotage::kLiveRestart);
  const bool stale = !message.cleanUp && (older || message.call < sessionOf(message).preparedBy);
  if (stale) error = ErrorCode::kStoreClosed;
  if (error == ErrorCode::kOk) error = admit(frame.value(), message);
  if (error != ErrorCode::kOk) return finish(message, failed(message, error), true);
  enqueue(std::move(message));
}

Message GatedStoreNode::executeWrite(const Message& message, bool synced) {
  Message reply = replyTo(message);
  const auto bytes = std::as_bytes(std::span(message.body));
  const bool trusting = world_.sabotaged(Sabotage::kIgnoreChecksum);
  const Result<FrameView> frame = trusting ? viewBody(bytes, message.count) : readFrame(bytes);
  if (!frame.ok()) return failed(message, frame.code());
  ++group_;
  const bool merges = mergesVersions(world_.job(message.party).plan);
  for (const EntryView entry : frame.value()) {
    if (merges && !entry.deleted && !message.cleanUp && standing(entry) != Standing::kNewer) continue;
    if (message.cleanUp) {
      change(entry.key, nullptr, ChangeCause::kCleanUp, message.party, synced);
    } else if (entry.deleted) {
      change(entry.key, nullptr, ChangeCause::kApply, message.party, synced);
    } else {
      const std::string value = valueOf(entry);
      change(entry.key, &value, ChangeCause::kApply, message.party, synced);
      maybeHarm(entry.key, message.party);
    }
  }
  return reply;
}

Message GatedStoreNode::execute(const Message& message, bool synced) {
  if (message.kind == MessageKind::kGate) return executeGate(message);
  if (message.kind == MessageKind::kApply) return executeWrite(message, synced);
  if (isOfClient(message.kind)) {
    const bool again = message.call <= clients_[message.party].lastCall;
    if (!again) {
      const TakenWrite write{id(), message.party, message.call, message.body, message.epoch};
      world_.tell([&write](Oracle& oracle) { oracle.onTaken(write); });
      if (world_.space().early && message.kind == MessageKind::kPut) {
        const auto at = entries_.find(message.body);
        hiding_ = Early{message.body, at == entries_.end() ? std::nullopt : std::optional(at->second), {}, {}};
      }
    }
    return message.conditional ? executeIf(message, synced) : StoreNode::execute(message, synced);
  }
  Message reply = replyTo(message);
  if (message.kind == MessageKind::kOpenFeed) {
    // What is told by now is not in a feed that begins now, so a scan behind it shows it.
    while (!early_.empty() && !world_.sabotaged(Sabotage::kEarlyOpen)) show(early_.rbegin()->first);
    openFeed(message, reply);
  } else if (const auto position = ChangeLog::decode(message.extra)) {
    if (message.kind == MessageKind::kTrimFeed) log_.trim(*position);
    if (message.kind == MessageKind::kCloseFeed) log_.close(position->feed);
  }
  return reply;
}

// Answers, and remembers the answer to what must not be done twice.
void GatedStoreNode::finish(const Message& call, Message reply, bool sends) {
  if (std::optional<Early> early = std::exchange(hiding_, std::nullopt); early && sends) {
    early->call = call;
    early->reply = std::move(reply);
    early_.emplace(++lastEarly_, std::move(*early));
    return timer(prng_.below(kEarlyUsMax) * slowFactor(), kShow, lastEarly_);
  }
  for (const uint64_t ticket : call.tickets) gate_.landed(ticket);
  const bool ofItself = isOfClient(call.kind) && call.party == id();
  if (isOfClient(call.kind)) {
    if (reply.error == ErrorCode::kOk) clients_[call.party].reply = reply;
  } else if (call.kind == MessageKind::kGate) {
    if (world_.strikes(prng_, FaultKind::kStoreError, call)) {
      reply = failed(call, ErrorCode::kStoreFailed);
    }
  } else {
    LiveSession& session = sessionOf(call);
    session.queued.erase(call.call);
    session.replies[call.call] = reply;
  }
  if (sends && !ofItself) send(std::move(reply));
  if (!call.tickets.empty()) letQuietOnesIn();
}

// Those of one key in their order.
void GatedStoreNode::show(uint64_t upto) {
  const auto last = early_.find(upto);
  if (last == early_.end()) return;
  const std::string key = last->second.key;
  for (auto at = early_.begin(); at != early_.end() && at->first <= upto;) {
    if (at->second.key != key) {
      ++at;
      continue;
    }
    const Early early = std::move(at->second);
    at = early_.erase(at);
    finish(early.call, early.reply, true);
  }
}

const std::string* GatedStoreNode::seen(const std::string& key, const std::string& value) const {
  for (const auto& [number, early] : early_) {
    if (early.key == key) return early.before ? &*early.before : nullptr;
  }
  return &value;
}

void GatedStoreNode::onTimer(uint8_t what, uint64_t arg) {
  if (what == kShow) return show(arg);
  if (what == kSweep) return sweep();
  if (what == kLand) {
    auto held = held_.extract(arg);
    return enqueue(std::move(held.mapped()));
  }
  if (what == kSelfSync) {
    durableGate_ = gate_.encode();
    return;
  }
  if (what != kSelfUnfence) return StoreNode::onTimer(what, arg);
  GateCall call = *lastFence_;
  const bool staged = call.verb != GateVerb::kFence;
  call.verb = staged ? GateVerb::kActivate : GateVerb::kUnfence;
  if (!staged) ++call.epoch;
  if (!gate_.change(call).ok()) return;
  durableGate_ = gate_.encode();
  world_.tell([&](Oracle& oracle) { oracle.onGate(id(), call); });
}

void GatedStoreNode::onCrash() {
  StoreNode::onCrash();
  // It is on the disk, and whoever asks again is told so.
  for (auto& [number, early] : early_) clients_[early.call.party].reply = early.reply;
  early_.clear();
  hiding_.reset();
  if (losesDisk()) durableGate_.clear();
  gate_ = durableGate();
  waiting_.clear();
  held_.clear();
  liveSessions_.clear();
}

// As a build that does not know the version of its gate's record: it serves nobody, until one that does takes its
// place.
void GatedStoreNode::onRestart() {
  if (world_.space().endPercent != 0) startSweeping();
  // Before anything was moved there is no record.
  if (durableGate_.empty() || !world_.strikes(versionPrng_, FaultKind::kVersionSkew, id())) return;
  const std::string later = asLaterRecord(durableGate_);
  if (Gate::restore(std::as_bytes(std::span(later)), gate_.last()).code() != ErrorCode::kRegisterCorrupt) {
    world_.violated("gate", "a record of a later version is read", {});
  }
  if (world_.sabotaged(Sabotage::kGateBegunAnew)) {
    gate_ = Gate(gate_.last());
    durableGate_ = gate_.encode();
    return;
  }
  world_.crash(*this, world_.nowUs() + versionPrng_.between(100'000, kOlderUsMax));
}

}  // namespace keyhaul::sim
