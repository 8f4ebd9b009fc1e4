#include "store.h"

#include <utility>

#include "value.h"
#include "world.h"

namespace keyhaul::sim {
namespace {
constexpr size_t kBatchMax = 64;
}  // namespace

bool StoreNode::isRead(MessageKind kind) {
  return kind == MessageKind::kScan || kind == MessageKind::kPollFeed ||
         kind == MessageKind::kEstimate || kind == MessageKind::kRead ||
         kind == MessageKind::kReadKeys;
}

bool StoreNode::isOfClient(MessageKind kind) {
  return kind == MessageKind::kPut || kind == MessageKind::kDelete ||
         kind == MessageKind::kRead || kind == MessageKind::kRange || kind == MessageKind::kClose;
}

StoreNode::StoreNode(World& world, uint16_t id, std::string name)
    : Node(world, NodeKind::kStore, id),
      name_(std::move(name)),
      disk_(world.seed(), "disk " + name_, world.faults()),
      prng_(world.seed(), "store " + name_),
      rotPrng_(world.seed(), "rot " + name_),
      misdirectPrng_(world.seed(), "misdirected " + name_),
      lossPrng_(world.seed(), "loss " + name_),
      stalePrng_(world.seed(), "stale " + name_) {
  if (const Rehearsal* model = world.rehearsal()) disk_.syncsIn(model->syncs());
}

void StoreNode::setUp(const std::string& key, const std::string& value) {
  change(key, &value, ChangeCause::kSetUp, 0, true);
}

void StoreNode::onMessage(Message message) {
  const bool damaged = message.checksum != message.computeChecksum();
  if (damaged && !world_.sabotaged(Sabotage::kIgnoreChecksum)) {
    ++world_.counts().damaged;
    return;
  }
  if (isOfClient(message.kind) ? !admitsClient(message) : !admits(message)) return;
  const bool mayFail = !isOfClient(message.kind) && message.kind != MessageKind::kHello;
  if (mayFail && world_.strikes(prng_, FaultKind::kStoreError, message)) {
    // It fails before or after it took place: the caller cannot know.
    if (!isRead(message.kind) && prng_.below(2) == 0) {
      return finish(message, failed(message, ErrorCode::kStoreFailed), true);
    }
    if (isRead(message.kind)) return send(failed(message, ErrorCode::kStoreFailed), 50);
  }
  if (isRead(message.kind)) return read(message);
  enqueue(std::move(message));
}

// Is this call of the present, and not yet answered?
bool StoreNode::admits(const Message& message) {
  Session& session = sessions_[message.party];
  if (message.kind == MessageKind::kHello) return message.session >= session.number;
  if (message.session < session.number) {
    return world_.sabotaged(Sabotage::kOldIncarnation);
  }
  if (message.session > session.number || session.lost) {
    send(failed(message, ErrorCode::kStoreClosed), 50);
    return false;
  }
  if (isRead(message.kind) || world_.sabotaged(Sabotage::kNoDedupe)) return true;
  const auto done = session.replies.find(message.call);
  if (done != session.replies.end()) {
    send(done->second, 50);
    return false;
  }
  return session.queued.insert(message.call).second;
}

// A client has one call at a time, so a lower number is one that it gave up.
bool StoreNode::admitsClient(const Message& message) {
  if (message.kind == MessageKind::kRead || world_.sabotaged(Sabotage::kNoDedupe)) return true;
  const ClientState& client = clients_[message.party];
  if (message.call == client.lastCall && client.reply.call == message.call) {
    send(client.reply, 50);
  }
  return message.call > client.lastCall;
}

void StoreNode::enqueue(Message message) {
  queue_.push_back(std::move(message));
  if (!committing_) beginCommit();
}

bool StoreNode::needsSync(const Message& message) const {
  // Clients of real stores rarely ask for it.
  if (isOfClient(message.kind) && world_.rehearsal() != nullptr) return false;
  if (message.kind != MessageKind::kApply) return true;
  return message.durable && !world_.sabotaged(Sabotage::kAckBeforeSync);
}

// What the write of a rehearsal takes, beyond being made durable.
uint64_t StoreNode::rehearsedUs(const Message& message) const {
  const Rehearsal* model = world_.rehearsal();
  if (model == nullptr) return 0;
  if (message.kind == MessageKind::kApply) return model->rowsUs(message.count, model->writeNs);
  return isOfClient(message.kind) ? model->rowsUs(1, model->writeNs) : 0;
}

std::optional<AnswerTime> StoreNode::answerTime(const Message& call) const {
  const Rehearsal* model = world_.rehearsal();
  if (model == nullptr || isOfClient(call.kind)) return std::nullopt;
  return model->answer(call, world_.job(call.party).state);
}

void StoreNode::beginCommit() {
  committing_ = true;
  uint64_t bytes = 0;
  bool sync = false;
  uint64_t costUs = 0;
  std::optional<AnswerTime> takes;
  while (!queue_.empty() && batch_.size() < kBatchMax) {
    bytes += queue_.front().size();
    if (needsSync(queue_.front())) {
      sync = true;
      const auto time = answerTime(queue_.front());
      if (time) takes = takes ? takes->with(*time) : *time;
    }
    costUs += rehearsedUs(queue_.front());
    batch_.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  Disk::Written written{ErrorCode::kOk, 20 * uint64_t{slowFactor()}};
  if (sync) written = disk_.write(world_.nowUs(), bytes, slowFactor(), takes);
  world_.struck(written, id());
  batchError_ = written.error;
  timer(written.delayUs + costUs * slowFactor(), kCommit, sync ? 1 : 0);
}

void StoreNode::onTimer(uint8_t what, uint64_t arg) {
  switch (static_cast<What>(what)) {
    case kCommit:
      // Everything before it was written to the same file, so it is synced too.
      if (arg != 0 && batchError_ == ErrorCode::kOk) unsynced_.clear();
      commit();
      return;
  }
}

void StoreNode::commit() {
  const std::vector<Message> batch = std::exchange(batch_, {});
  bool sync = false;
  const size_t logged = log_.changes().size();
  for (const Message& message : batch) sync = sync || needsSync(message);
  for (const Message& message : batch) {
    if (batchError_ != ErrorCode::kOk) {
      finish(message, failed(message, batchError_), true);
      continue;
    }
    Message reply = execute(message, sync);
    if (prng_.chance(world_.faults().rate(FaultKind::kStoreError)) &&
        message.kind == MessageKind::kApply) {
      world_.struck(FaultKind::kStoreError, message);
      reply = failed(message, ErrorCode::kStoreFailed);
    }
    finish(message, std::move(reply), true);
  }
  if (world_.sabotaged(Sabotage::kFeedByClient)) log_.groupByParty(logged);
  committing_ = false;
  if (!queue_.empty()) beginCommit();
}

// Answers, and remembers the answer: the call counts as carried out, also when it failed,
// because a copy of it may still be on its way.
void StoreNode::finish(const Message& call, Message reply, bool sends) {
  if (isOfClient(call.kind)) {
    if (reply.error == ErrorCode::kOk) clients_[call.party].reply = reply;
  } else {
    Session& session = sessions_[call.party];
    if (call.session == session.number) {
      session.queued.erase(call.call);
      if (call.kind != MessageKind::kHello) session.replies[call.call] = reply;
    }
  }
  if (sends) send(std::move(reply));
}

Message StoreNode::replyTo(const Message& message) const {
  Message reply;
  reply.from = id();
  reply.to = message.from;
  reply.party = message.party;
  reply.session = message.session;
  reply.call = message.call;
  return reply;
}

Message StoreNode::failed(const Message& message, ErrorCode error) const {
  Message reply = replyTo(message);
  reply.error = error;
  return reply;
}

Message StoreNode::execute(const Message& message, bool synced) {
  Message reply = replyTo(message);
  if (isOfClient(message.kind)) {
    ClientState& client = clients_[message.party];
    const bool again = message.call <= client.lastCall;
    if (again && !world_.sabotaged(Sabotage::kNoDedupe)) return reply;
    client.lastCall = message.call;
    const bool late = world_.space().versioned && message.kind == MessageKind::kPut &&
                      standing(message.body, message.extra) == Standing::kOlder;
    if (message.kind == MessageKind::kPut && !late) {
      change(message.body, &message.extra, ChangeCause::kClient, message.party, synced);
    } else if (message.kind == MessageKind::kDelete) {
      change(message.body, nullptr, ChangeCause::kClient, message.party, synced);
    }
    return reply;
  }
  if (message.kind == MessageKind::kHello) {
    reply.error = greet(message);
    return reply;
  }
  // Another incarnation may have greeted while this one waited.
  const Session& session = sessions_[message.party];
  if (message.session != session.number && !world_.sabotaged(Sabotage::kOldIncarnation)) {
    return failed(message, ErrorCode::kStoreClosed);
  }
  if (message.kind == MessageKind::kApply) {
    reply.error = executeApply(message, synced, reply.count);
  } else if (message.kind == MessageKind::kOpenFeed) {
    openFeed(message, reply);
  } else if (const auto position = ChangeLog::decode(message.extra)) {
    if (message.kind == MessageKind::kTrimFeed) log_.trim(*position);
    if (message.kind == MessageKind::kCloseFeed) log_.close(position->feed);
  }
  return reply;
}

ErrorCode StoreNode::greet(const Message& message) {
  Session& session = sessions_[message.party];
  if (message.session < session.number) return ErrorCode::kStoreClosed;
  if (message.session == session.number) {
    return session.lost ? ErrorCode::kStoreClosed : ErrorCode::kOk;
  }
  session = {};
  session.number = message.session;
  return ErrorCode::kOk;
}

void StoreNode::openFeed(const Message& message, Message& reply) {
  if (message.extra.empty()) {
    reply.extra = log_.open();
    return;
  }
  reply.extra = message.extra;
  if (!log_.find(message.extra)) reply.error = ErrorCode::kFeedPositionLost;
}

ErrorCode StoreNode::executeApply(const Message& message, bool synced, uint32_t& left) {
  const auto bytes = std::as_bytes(std::span(message.body));
  const bool trusting = world_.sabotaged(Sabotage::kIgnoreChecksum);
  const Result<FrameView> frame =
      trusting ? viewBody(bytes, message.count) : readFrame(bytes);
  if (!frame.ok()) return frame.code();
  ++group_;
  const bool merges = mergesVersions(world_.job(message.party).plan);
  for (const EntryView entry : frame.value()) {
    if (merges && !message.guarded) {
      const Standing stands = standing(entry);
      if (stands == Standing::kOlder) ++left;
      if (stands != Standing::kNewer) continue;
    }
    if (message.guarded) {
      const auto at = entries_.find(entry.key);
      if (at == entries_.end()) continue;
      if (at->second == entry.value || world_.sabotaged(Sabotage::kUnguardedDelete)) {
        change(entry.key, nullptr, ChangeCause::kGuarded, message.party, synced);
      } else {
        ++left;
      }
    } else if (entry.deleted) {
      change(entry.key, nullptr, ChangeCause::kApply, message.party, synced);
    } else {
      const std::string value = valueOf(entry);
      change(entry.key, &value, ChangeCause::kApply, message.party, synced);
      maybeHarm(entry.key, message.party);
    }
  }
  return ErrorCode::kOk;
}

StoreNode::Standing StoreNode::standing(const EntryView& entry) const {
  if (entry.deleted) return Standing::kSame;
  return world_.sabotaged(Sabotage::kApplyOlder) ? Standing::kNewer : standing(entry.key, entry.value);
}

StoreNode::Standing StoreNode::standing(std::string_view key, std::string_view value) const {
  const auto at = entries_.find(key);
  if (at == entries_.end()) return Standing::kNewer;
  const uint64_t there = sequenceOf(at->second), its = sequenceOf(value);
  if (there == its) return Standing::kSame;
  return there < its ? Standing::kNewer : Standing::kOlder;
}

std::string StoreNode::valueOf(const EntryView& entry) {
  std::string value(entry.value);
  if (!world_.sabotaged(Sabotage::kMixedUp)) return value;
  if (prng_.below(50) == 0) std::swap(value, lastValue_);
  if (lastValue_.empty()) lastValue_ = value;
  return value;
}

void StoreNode::maybeHarm(std::string_view key, uint32_t party) {
  maybeRot(key, party);
  maybeMisdirect(key, party);
}

void StoreNode::rot(std::string_view key, const std::string* value, uint32_t party) {
  change(key, value, ChangeCause::kRot, party, true);
  rotten_.insert(std::string(key));
  everRotted_ = true;
}

// The write took the place of the entry before it, and its own place is as if it had never been.
void StoreNode::maybeMisdirect(std::string_view key, uint32_t party) {
  if (!misdirectPrng_.chance(world_.faults().rate(FaultKind::kMisdirected))) return;
  // What is compared later. Whoever has compared looks again at keys that change, and at no others.
  const MigrationState state = world_.job(party).state;
  if (world_.job(party).live && state != MigrationState::kCopying && state != MigrationState::kCatchingUp) return;
  const auto at = entries_.find(key);
  if (at == entries_.begin() || !world_.job(party).contains(std::prev(at)->first)) return;
  const std::string value = at->second, victim = std::prev(at)->first;
  rot(key, nullptr, party);
  rot(victim, &value, party);
  world_.struck(FaultKind::kMisdirected, world_.job(party));
}

void StoreNode::maybeRot(std::string_view key, uint32_t party) {
  // A repair writes little: there more of it rots, or it would hardly ever be seen.
  const uint32_t times = world_.job(party).plan.mode == MigrationMode::kVerify ? 20 : 1;
  if (!rotPrng_.chance(world_.faults().rate(FaultKind::kBitRot) * times)) return;
  const auto at = entries_.find(key);
  if (at->second.empty()) return;
  std::string value = at->second;
  char& byte = value[static_cast<size_t>(rotPrng_.below(value.size()))];
  byte = static_cast<char>(byte ^ (1 << rotPrng_.below(8)));
  rot(key, &value, party);
  world_.struck(FaultKind::kBitRot, world_.job(party));
}

void StoreNode::change(std::string_view key, const std::string* after, ChangeCause cause,
                       uint32_t party, bool synced) {
  const auto at = entries_.find(key);
  const bool was = at != entries_.end();
  if (!was && after == nullptr) return;
  const std::string before = was ? at->second : std::string();
  if (!synced) {
    Undo undo{std::string(key), std::nullopt, group_, 64 + key.size() + (after ? after->size() : 0)};
    if (was) undo.before = before;
    unsynced_.push_back(std::move(undo));
  }
  if (cause == ChangeCause::kApply && world_.faults().on(FaultKind::kStaleRead)) {
    before_[std::string(key)] = was ? std::optional(before) : std::nullopt;
  }
  if (after == nullptr) {
    entries_.erase(at);
  } else if (was) {
    at->second = *after;
  } else {
    entries_.emplace(key, *after);
  }
  note({id(), cause, party, key, was ? &before : nullptr, after}, synced);
}

void StoreNode::note(const StoreChange& change, bool synced) {
  if (change.cause != ChangeCause::kRot && !rotten_.empty()) {
    const auto rot = rotten_.find(change.key);
    if (rot != rotten_.end()) rotten_.erase(rot);
  }
  const bool swept = change.cause == ChangeCause::kExpired && !world_.sabotaged(Sabotage::kSweepUntold);
  const bool logged = swept || change.cause == ChangeCause::kClient || change.cause == ChangeCause::kGuarded;
  if (logged && log_.isRead()) {
    LoggedChange logs;
    logs.key = std::string(change.key);
    logs.party = change.party;
    if (change.after != nullptr) logs.value = *change.after;
    if (world_.sabotaged(Sabotage::kSkipAboveWatermark) ||
        world_.sabotaged(Sabotage::kLiveSkipAbove)) {
      for (const auto& job : world_.jobs()) {
        if (job->source == id() && job->isAboveWatermark(change.key)) logs.hiddenFrom = job->index + 1;
      }
    }
    log_.append(std::move(logs));
  }
  static_cast<void>(synced);
  world_.tell([&change](Oracle& oracle) { oracle.onChange(change); });
}

}  // namespace keyhaul::sim
