// The stores, the register and the clients of live_world.h.
#include <algorithm>
#include <cstring>

#include "support/live_world.h"

namespace keyhaul::test {
namespace {

KeyRange scanRange(const std::string& payload) {
  uint32_t lo = 0, hi = 0;
  std::memcpy(&lo, payload.data(), 4);
  std::memcpy(&hi, payload.data() + 4, 4);
  KeyRange range{payload.substr(8, lo), Bound::infinity()};
  if (hi != UINT32_MAX) range.hi = Bound::at(payload.substr(8 + lo, hi));
  return range;
}

}  // namespace

using Rows = std::vector<std::pair<std::string, std::optional<std::string>>>;

void LiveWorld::attach(Mover& mover, std::string_view bytes, Event& event) {
  const auto buffer = mover.engine.acquire(bytes.size(), event.payload.buffer);
  std::memcpy(buffer.data(), bytes.data(), bytes.size());
  event.payload.bytes = static_cast<uint32_t>(bytes.size());
}

void LiveWorld::pack(Mover& mover, const Rows& rows, std::string_view tail, Event& event) {
  uint64_t data = 0;
  for (const auto& [key, value] : rows) data += key.size() + (value ? value->size() : 0);
  const uint64_t size = frameBytes(rows.size(), data) + tail.size();
  const auto buffer = mover.engine.acquire(size, event.payload.buffer);
  FrameWriter writer(buffer.first(size), static_cast<uint32_t>(rows.size()));
  for (const auto& [key, value] : rows) value ? writer.put(key, *value) : writer.del(key);
  writer.finish(ChecksumKind::kNone, 0, 0);
  if (!tail.empty()) std::memcpy(buffer.data() + size - tail.size(), tail.data(), tail.size());
  event.kind = EventKind::kPage;
  event.payload.bytes = static_cast<uint32_t>(size);
  event.positionBytes = static_cast<uint32_t>(tail.size());
  event.count = static_cast<uint32_t>(rows.size());
}

void LiveWorld::scan(Mover& mover, const Pending& pending, Event& event) {
  const GatedStore& store = at(mover, pending.action.node);
  const KeyRange range = scanRange(pending.payload);
  Rows rows;
  auto next = store.entries.lower_bound(range.lo);
  uint64_t bytes = 0;
  for (; next != store.entries.end() && range.hi.isAbove(next->first); ++next) {
    if (rows.size() >= pending.action.count || bytes >= pending.action.limitBytes) break;
    bytes += next->first.size() + next->second.size();
    rows.emplace_back(next->first, next->second);
  }
  pack(mover, rows, {}, event);
  event.end = next == store.entries.end() || !range.hi.isAbove(next->first);
}

void LiveWorld::read(Mover& mover, const Pending& pending, Event& event) {
  const GatedStore& store = at(mover, pending.action.node);
  Rows rows;
  for (size_t i = 0; i < pending.payload.size();) {
    uint32_t length = 0;
    std::memcpy(&length, pending.payload.data() + i, 4);
    const std::string key = pending.payload.substr(i + 4, length);
    i += 4 + length;
    const auto found = store.entries.find(key);
    if (found != store.entries.end()) rows.emplace_back(key, found->second);
  }
  pack(mover, rows, {}, event);
}

// Half-open spans that hold all keys of the frame and nothing between the plan's ranges: what
// lies there may be staged by nobody, or by somebody else.
std::vector<KeyRange> spansOf(const FrameView& frame, const std::vector<KeyRange>& ranges) {
  std::map<size_t, KeyRange> spans;
  for (const EntryView entry : frame) {
    const std::string key(entry.key);
    const auto range = std::partition_point(ranges.begin(), ranges.end(), [&key](const KeyRange& r) {
      return !r.hi.isAbove(key);
    });
    const KeyRange one{key, Bound::at(successor(key))};
    const auto [at, fresh] = spans.try_emplace(static_cast<size_t>(range - ranges.begin()), one);
    if (fresh) continue;
    at->second.lo = std::min(at->second.lo, one.lo);
    at->second.hi = std::max(at->second.hi, one.hi);
  }
  std::vector<KeyRange> out;
  for (auto& [index, span] : spans) out.push_back(std::move(span));
  return out;
}

// False: it was refused, and `event` says so.
bool LiveWorld::admit(GatedStore& store, Pending& pending, Event& event) {
  const auto frame = readFrame(std::as_bytes(std::span(pending.payload)));
  for (const KeyRange& span : spansOf(frame.value(), plan_.ranges)) {
    const Result<uint64_t> ticket =
        pending.action.cleanUp
            ? store.gate.admitCleanUp(pending.action.epoch, span)
            : store.gate.admitApply(plan_.claim, pending.action.coordEpoch, span);
    if (ticket.ok()) {
      pending.tickets.push_back(ticket.value());
      continue;
    }
    for (const uint64_t admitted : pending.tickets) store.gate.landed(admitted);
    event.kind = EventKind::kFailed;
    event.error = ticket.code();
    return false;
  }
  pending.started = true;
  pending.boots = store.boots;
  return true;
}

// It is admitted first and takes effect later; what comes in between is up to the gate.
bool LiveWorld::apply(GatedStore& store, Pending& pending, Event& event) {
  if (!pending.started) {
    if (!admit(store, pending, event)) return true;
    if (random_.below(2) == 0) return false;
  }
  if (pending.boots != store.boots) {
    event.kind = EventKind::kFailed;
    event.error = ErrorCode::kStoreFailed;
    return true;
  }
  const auto frame = readFrame(std::as_bytes(std::span(pending.payload)));
  for (const EntryView entry : frame.value()) {
    const std::string key(entry.key);
    if (entry.deleted) {
      store.entries.erase(key);
      continue;
    }
    const bool forgotten = (forgets && forgets(key)) ||
                           (options_.forgetsEvery != 0 && random_.below(options_.forgetsEvery) == 0);
    if (!forgotten) store.entries[key] = std::string(entry.value);
  }
  for (const uint64_t ticket : pending.tickets) store.gate.landed(ticket);
  return true;
}

void LiveWorld::arriveLate(uint32_t within) {
  if (lateWrites_.empty() || random_.below(within) != 0) return;
  const size_t at = random_.below(lateWrites_.size());
  auto [node, pending] = std::move(lateWrites_[at]);
  lateWrites_.erase(lateWrites_.begin() + static_cast<long>(at));
  Event ignored;
  while (!apply(stores_[node], pending, ignored)) {
  }
}

bool LiveWorld::planned(const std::string& key) const {
  return std::any_of(plan_.ranges.begin(), plan_.ranges.end(),
                     [&key](const KeyRange& range) { return range.contains(key); });
}

void LiveWorld::pollFeed(Mover& mover, const Pending& pending, Event& event) {
  GatedStore& store = at(mover, pending.action.node);
  uint64_t position = 0;
  std::memcpy(&position, pending.payload.data(), 8);
  if (!store.recording || position < store.trimmed) {
    event.kind = EventKind::kFailed;
    event.error = ErrorCode::kFeedPositionLost;
    return;
  }
  const uint64_t head = store.gate.head(plan_.ranges);
  std::set<std::string> keys;
  uint64_t reached = position;
  for (auto row = store.log.upper_bound(position); row != store.log.end() && row->first <= head; ++row) {
    if (keys.size() >= pending.action.count) break;
    if (planned(row->second)) keys.insert(row->second);
    reached = row->first;
  }
  const bool more = store.log.upper_bound(reached) != store.log.end() &&
                    store.log.upper_bound(reached)->first <= head;
  if (!more) reached = std::max(reached, head);
  Rows rows;
  for (const std::string& key : keys) {
    const auto found = store.entries.find(key);
    rows.emplace_back(key, found == store.entries.end() ? std::nullopt : std::optional(found->second));
  }
  std::string tail(8, '\0');
  std::memcpy(tail.data(), &reached, 8);
  pack(mover, rows, tail, event);
  event.end = !more;
}

// True once it is answered: a change waits for what was admitted before it.
bool LiveWorld::gateCall(GatedStore& store, Pending& pending, Event& event) {
  GateCall call;
  call.verb = pending.action.verb;
  call.claim = plan_.claim;
  call.coordEpoch = pending.action.coordEpoch;
  call.epoch = pending.action.epoch;
  call.target = &store == &stores_[0] ? "T" : "S";
  call.ranges = plan_.ranges;
  Status s;
  if (Gate::opens(call.verb) && !pending.started) {
    const Result<std::string> after = store.gate.encodeAfter(call);
    s = after.status();
    if (s.ok()) store.durableGate = after.value();
    pending.started = true;
    if (s.ok()) return false;  // a crash may come in between
  } else {
    s = store.gate.change(call);
  }
  if (!s.ok()) {
    event.kind = EventKind::kFailed;
    event.error = s.code();
    return true;
  }
  // What closes waits for what was admitted before it; what opens has nothing to wait for.
  if (!Gate::opens(call.verb) && !store.gate.quiet(call.ranges)) return false;
  store.durableGate = store.gate.encode();
  if (options_.losesAnswers) lateCalls_.emplace_back(&store == &stores_[0] ? 0 : 1, call);
  return true;
}

void LiveWorld::late() {
  if (lateCalls_.empty() || random_.below(3) != 0) return;
  const auto& [node, call] = lateCalls_[random_.below(lateCalls_.size())];
  GatedStore& store = stores_[node];
  if (Gate::opens(call.verb)) {
    const Result<std::string> after = store.gate.encodeAfter(call);
    if (after.ok()) store.durableGate = after.value();
  }
  if (store.gate.change(call).ok() && store.gate.quiet(call.ranges)) store.durableGate = store.gate.encode();
}

void LiveWorld::swap(Mover& mover, const Pending& pending, Event& event) {
  if (pending.action.epoch == version_) {
    const OwnershipMap before = OwnershipMap::decode(std::as_bytes(std::span(document_))).value();
    document_ = pending.payload;
    noteDecision(before, OwnershipMap::decode(std::as_bytes(std::span(document_))).value());
    ++version_;
    event.count = 1;
  } else {
    attach(mover, document_, event);
  }
  event.bytes = version_;
}

void LiveWorld::clients() {
  if (quietClients) return;
  for (uint32_t i = 0; i < options_.opsPerTick; ++i) {
    const std::string key = "key" + std::to_string(1000 + random_.below(options_.keys));
    OwnershipMap& cache = caches_[random_.below(caches_.size())];
    const bool toS = cache.lookup(key)->owner == "S";
    GatedStore& store = stores_[toS ? 0 : 1];
    const KeyView view = key;
    if (random_.below(3) == 0) {
      const Admission read = store.gate.admitRead(key);
      const auto found = store.entries.find(key);
      const auto wanted = expected_.find(key);
      const bool same = (found == store.entries.end()) == (wanted == expected_.end()) &&
                        (wanted == expected_.end() || found->second == wanted->second);
      if (read.answer == Answer::kOk && !same && options_.readFence) violated("a stale read of " + key + " at " + store.name);
      if (read.answer == Answer::kOk) continue;
    } else {
      const Admission write = store.gate.admitWrite(std::span(&view, 1));
      if (write.answer == Answer::kOk) {
        uint64_t& served = epochServed_[key];
        if (write.epoch < served) violated("an older epoch takes writes again, at " + store.name);
        served = write.epoch;
        std::optional<std::string> value;
        if (random_.below(4) != 0) value = "v" + std::to_string(++values_);
        if (value && value->size() < options_.valueBytes) value->resize(options_.valueBytes, '.');
        store.inFlight.push_back({write.position, key, value});
        if (store.inFlight.size() > options_.writesInFlightMax) landSome(store, true);
        continue;
      }
    }
    ++refused_;
    cache = OwnershipMap::decode(std::as_bytes(std::span(document_))).value();
  }
}

// They land in any order; one that lands is acknowledged.
void LiveWorld::landSome(GatedStore& store, bool all) {
  while (!store.inFlight.empty() && (all || random_.below(3) != 0)) {
    const size_t i = random_.below(store.inFlight.size());
    const GatedStore::InFlight write = store.inFlight[i];
    store.inFlight.erase(store.inFlight.begin() + static_cast<long>(i));
    if (write.value) {
      store.entries[write.key] = expected_[write.key] = *write.value;
    } else {
      store.entries.erase(write.key);
      expected_.erase(write.key);
    }
    if (store.recording) store.log[write.position] = write.key;
    store.gate.landed(write.position);
    ++acknowledged_;
  }
}

// What is durable stays; what was in flight may have made it to the disk and is never
// acknowledged, so it may count or not.
void LiveWorld::crashStore(GatedStore& store) {
  landSome(store, false);
  store.inFlight.clear();
  ++store.boots;
  const uint64_t last = store.log.empty() ? store.gate.last() : std::max(store.gate.last(), store.log.rbegin()->first);
  store.gate = Gate::restore(std::as_bytes(std::span(store.durableGate)), last).value();
}

}  // namespace keyhaul::test
