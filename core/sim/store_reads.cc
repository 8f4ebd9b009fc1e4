// What a store answers without changing anything, and what a crash leaves of it.
#include <algorithm>
#include <cstring>

#include "store.h"
#include "world.h"

namespace keyhaul::sim {

void StoreNode::read(const Message& message) {
  Message reply = replyTo(message);
  if (message.kind == MessageKind::kScan) {
    scan(message, reply);
  } else if (message.kind == MessageKind::kPollFeed) {
    poll(message, reply);
  } else if (message.kind == MessageKind::kEstimate) {
    estimate(message, reply);
  } else if (message.kind == MessageKind::kReadKeys) {
    readKeys(message, reply);
  } else {
    const auto at = entries_.find(message.body);
    reply.found = at != entries_.end();
    reply.body = message.body;
    if (reply.found) reply.extra = at->second;
  }
  const uint64_t delayUs = readingUs(message, reply);
  send(std::move(reply), delayUs);
}

uint64_t StoreNode::readingUs(const Message& call, const Message& reply) {
  const uint64_t assumedUs = (30 + prng_.below(50)) * slowFactor();
  const Rehearsal* model = world_.rehearsal();
  if (model == nullptr) return assumedUs;
  // Of a feed, what it takes is the mover's thread, as it is this process that recorded it.
  const uint64_t ns = call.kind == MessageKind::kScan       ? model->readNs
                      : call.kind == MessageKind::kReadKeys ? model->lookNs
                                                            : 0;
  const auto time = answerTime(call);
  const uint64_t answerUs = time ? time->draw(prng_) * slowFactor() : assumedUs;
  const uint64_t tookUs = model->rowsUs(reply.count, ns) * slowFactor() + answerUs;
  readsUntilUs_ = std::max(readsUntilUs_, world_.nowUs()) + tookUs;
  return readsUntilUs_ - world_.nowUs();
}

void StoreNode::pack(const std::vector<Row>& rows, Message& reply) {
  uint64_t data = 0;
  for (const Row& row : rows) data += row.key->size() + (row.value ? row.value->size() : 0);
  reply.body.resize(static_cast<size_t>(frameBytes(rows.size(), data)));
  const auto count = static_cast<uint32_t>(rows.size());
  FrameWriter writer(std::as_writable_bytes(std::span(reply.body)), count);
  for (const Row& row : rows) row.value ? writer.put(*row.key, *row.value) : writer.del(*row.key);
  writer.finish(ChecksumKind::kCrc32, 0, 0);
  reply.count = count;
}

// One key of a page, as it was. Where what is stored may be wrong as well, what it was before would hide that.
// Whoever looks only once calls it a mismatch.
bool StoreNode::readsStale(const Message& message) {
  const Job& job = world_.job(message.party);
  const Faults& faults = world_.faults();
  if (job.target != id() || job.state != MigrationState::kVerifying) return false;
  if (faults.on(FaultKind::kBitRot) || faults.on(FaultKind::kMisdirected)) return false;
  return stalePrng_.chance(faults.rate(FaultKind::kStaleRead));
}

void StoreNode::scan(const Message& message, Message& reply) {
  uint64_t most = message.count;
  const bool stops = prng_.chance(world_.faults().rate(FaultKind::kEmptyPages));
  if (stops) most = prng_.below(most / 4 + 1);
  if (stops) world_.struck(FaultKind::kEmptyPages, message);
  std::vector<Row> rows;
  uint64_t bytes = 0;
  const bool stale = readsStale(message);
  size_t oldAt = SIZE_MAX;  // behind so many rows one is as it was
  auto at = entries_.lower_bound(message.body);
  reply.end = true;
  for (; at != entries_.end(); ++at) {
    if (!message.infinite && at->first >= message.extra) break;
    const std::string* value = seen(at->first, at->second);
    if (const auto was = before_.find(at->first); stale && oldAt == SIZE_MAX && was != before_.end() && was->second != at->second) {
      oldAt = rows.size();
      value = was->second ? &*was->second : nullptr;
    }
    if (value == nullptr) continue;
    bytes += at->first.size() + value->size();
    const bool refuses = world_.sabotaged(Sabotage::kLargeEntryRefused) && rows.empty();
    if (refuses && bytes > message.bytes) reply.error = ErrorCode::kEntryTooLarge;
    const bool full = rows.size() >= most || (bytes > message.bytes && !rows.empty());
    if (full) {
      reply.end = false;
      break;
    }
    rows.push_back({&at->first, value});
  }
  if (oldAt != SIZE_MAX && (reply.end || rows.size() > oldAt)) {
    ++world_.job(message.party).staleReads;
    world_.struck(FaultKind::kStaleRead, message);
  }
  pack(rows, reply);
}

void StoreNode::poll(const Message& message, Message& reply) {
  auto position = log_.find(message.extra);
  if (!position) {
    reply.error = ErrorCode::kFeedPositionLost;
    return;
  }
  if (world_.sabotaged(Sabotage::kFeedAfterScan) || world_.sabotaged(Sabotage::kLateFeed)) position = log_.delayed(*position);
  const Job& job = world_.job(message.party);
  const bool late = world_.sabotaged(Sabotage::kLateWayBack) && job.live && job.target == id();
  if (late) position = log_.delayed(*position);
  const auto& changes = log_.changes();
  std::vector<Row> rows;
  uint64_t bytes = 0;
  uint64_t at = position->at;
  for (; at < changes.size() && rows.size() < message.count && bytes <= message.bytes; ++at) {
    const LoggedChange& change = changes[static_cast<size_t>(at)];
    if (!job.contains(change.key) || change.hiddenFrom == job.index + 1) continue;
    const bool drops = world_.sabotaged(Sabotage::kDropTombstones) ||
                       world_.sabotaged(Sabotage::kLiveDropTombstones);
    if (!change.value && drops) continue;
    bytes += change.key.size() + (change.value ? change.value->size() : 0);
    rows.push_back({&change.key, change.value ? &*change.value : nullptr});
  }
  pack(rows, reply);
  reply.end = at == changes.size();
  reply.extra = ChangeLog::encode({position->feed, at});
  if (!world_.space().counted) return;
  reply.bytes = 0;
  for (; at < changes.size(); ++at) reply.bytes += job.contains(changes[static_cast<size_t>(at)].key) ? 1 : 0;
}

void StoreNode::readKeys(const Message& message, Message& reply) {
  std::vector<Row> rows;
  for (size_t i = 0; i + 4 <= message.body.size();) {
    uint32_t length = 0;
    std::memcpy(&length, message.body.data() + i, 4);
    const std::string_view key = std::string_view(message.body).substr(i + 4, length);
    i += 4 + size_t{length};
    const auto at = entries_.find(key);
    const std::string* value = at == entries_.end() ? nullptr : seen(at->first, at->second);
    if (value != nullptr) rows.push_back({&at->first, value});
  }
  pack(rows, reply);
  reply.end = true;
}

void StoreNode::estimate(const Message& message, Message& reply) {
  for (const KeyRange& range : world_.job(message.party).plan.ranges) {
    for (auto at = entries_.lower_bound(range.lo);
         at != entries_.end() && range.hi.isAbove(at->first); ++at) {
      ++reply.count;
      reply.bytes += at->first.size() + at->second.size();
    }
  }
}

bool StoreNode::holdsDurably(std::string_view key, std::string_view value) const {
  const auto at = entries_.find(key);
  if (at == entries_.end() || at->second != value) return false;
  return std::none_of(unsynced_.begin(), unsynced_.end(),
                      [key](const Undo& undo) { return undo.key == key; });
}

bool StoreNode::lacksDurably(std::string_view key) const {
  if (entries_.find(key) != entries_.end()) return false;
  return std::none_of(unsynced_.begin(), unsynced_.end(),
                      [key](const Undo& undo) { return undo.key == key; });
}

// A prefix of whole applies survives; what lies behind it is undone, last first. Was that all?
bool StoreNode::losesPrefix(uint64_t& surviving) {
  size_t kept = 0;
  for (size_t i = 0; i < unsynced_.size();) {
    size_t end = i;
    uint64_t bytes = 0;
    while (end < unsynced_.size() && unsynced_[end].group == unsynced_[i].group) {
      bytes += unsynced_[end++].bytes;
    }
    if (bytes > surviving) break;
    surviving -= bytes;
    kept = i = end;
  }
  const bool all = kept == unsynced_.size();
  const std::vector<Undo> lost(unsynced_.begin() + static_cast<long>(kept), unsynced_.end());
  unsynced_.clear();
  for (auto undo = lost.rbegin(); undo != lost.rend(); ++undo) {
    change(undo->key, undo->before ? &*undo->before : nullptr, ChangeCause::kUndone, 0, true);
  }
  return all;
}

// Each apply survives or not: what a key holds then is what the last one that did wrote.
void StoreNode::losesAny() {
  const std::vector<Undo> undone = std::exchange(unsynced_, {});
  std::map<uint64_t, bool> survives;  // by apply
  for (const Undo& undo : undone) {
    if (survives.count(undo.group) == 0) survives[undo.group] = lossPrng_.below(2) == 0;
  }
  std::map<std::string, std::optional<std::string>> now;  // what it holds if what comes later is lost
  std::set<std::string> known;                            // a later write of it survives
  for (auto undo = undone.rbegin(); undo != undone.rend(); ++undo) {
    if (known.count(undo->key) != 0) continue;
    if (survives[undo->group]) {
      known.insert(undo->key);
    } else {
      now[undo->key] = undo->before;
    }
  }
  for (const auto& [key, value] : now) {
    change(key, value ? &*value : nullptr, ChangeCause::kUndone, 0, true);
  }
}

void StoreNode::onCrash() {
  uint64_t pending = 0;
  for (const Undo& undo : unsynced_) pending += undo.bytes;
  for (const Message& message : batch_) pending += message.size();
  uint64_t surviving = disk_.surviving(pending);
  const bool inAnyOrder = !unsynced_.empty() && world_.strikes(lossPrng_, FaultKind::kAnyLoss, id());
  if (inAnyOrder) losesAny();
  const bool all = !inAnyOrder && losesPrefix(surviving);
  // So does what was being synced, without an answer.
  const std::vector<Message> batch = std::exchange(batch_, {});
  for (const Message& message : batch) {
    if (!all || message.size() > surviving) break;
    surviving -= message.size();
    Message reply = execute(message, true);
    if (message.kind == MessageKind::kPut || message.kind == MessageKind::kDelete ||
        message.kind == MessageKind::kClose) {
      finish(message, std::move(reply), false);
    }
  }
  if (losesDisk()) wipe();
  queue_.clear();
  committing_ = false;
  batchError_ = ErrorCode::kOk;
  if (world_.sabotaged(Sabotage::kUnnoticedRestart)) {
    for (auto& [party, session] : sessions_) session.queued.clear();
    return;
  }
  for (auto& [party, session] : sessions_) {
    session.lost = true;
    session.queued.clear();
    session.replies.clear();
  }
}

}  // namespace keyhaul::sim
