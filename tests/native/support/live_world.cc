#include "support/live_world.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

namespace keyhaul::test {
namespace {

constexpr uint32_t kAll = static_cast<uint32_t>(Capability::kScan) | static_cast<uint32_t>(Capability::kApply) |
                          static_cast<uint32_t>(Capability::kFeed) | static_cast<uint32_t>(Capability::kFence) |
                          static_cast<uint32_t>(Capability::kActivate);

std::string positionBytes(uint64_t position) {
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &position, 8);
  return bytes;
}

uint64_t positionOf(const std::string& bytes) {
  uint64_t position = 0;
  std::memcpy(&position, bytes.data(), 8);
  return position;
}


std::string keyOf(uint64_t n) { return "key" + std::to_string(1000 + n); }

}  // namespace

LiveWorld::LiveWorld(const LiveOptions& options) : options_(options), random_(options.seed) {
  stores_[0].name = "S";
  stores_[1].name = "T";
  OwnershipMap map;
  EXPECT_TRUE(map.assign(KeyRange::all(), "S").ok());
  document_ = map.encode();
  version_ = 1;
  caches_.assign(options.clients, map);
  GateCall assign;
  assign.verb = GateVerb::kAssign;
  assign.epoch = 1;
  assign.ranges = {KeyRange::all()};
  EXPECT_TRUE(stores_[0].gate.change(assign).ok());
  stores_[0].durableGate = stores_[0].gate.encode();
  for (uint32_t i = 0; i < options.keys; ++i) {
    stores_[0].entries[keyOf(i)] = expected_[keyOf(i)] = "first";
  }
  crashAt_ = options.crashAtEffect;
}

Plan LiveWorld::plan() const {
  Plan plan;
  plan.source = "S";
  plan.target = "T";
  plan.ranges = {KeyRange::all()};
  plan.mode = MigrationMode::kLive;
  plan.sourceCapabilities.bits = plan.targetCapabilities.bits = kAll;
  if (options_.readFence) plan.sourceCapabilities.bits |= static_cast<uint32_t>(Capability::kReadFence);
  plan.claim[0] = 7;
  plan.durable = true;
  plan.pageEntries = 8;
  plan.durablePages = 2;
  return plan;
}

std::unique_ptr<LiveWorld::Mover> LiveWorld::makeMover() {
  Config config;
  config.stallBase = seconds(2);
  config.changedBytesMax = options_.changedBytesMax;
  config.slots = options_.slots;
  config.bucketEntries = options_.bucketEntries;
  auto mover = std::make_unique<Mover>(std::move(Engine::create(config)).value());
  mover->source = mover->engine.addNode("S").value();
  mover->target = mover->engine.addNode("T").value();
  if (options_.wallClock) mover->engine.setWallClock(now_, 1'800'000'000'000 + now_.us / 1'000);
  return mover;
}

void LiveWorld::start(Plan plan, bool journal) {
  plan_ = plan;
  auto mover = makeMover();
  auto valid = validatePlan(std::move(plan));
  ASSERT_TRUE(valid.ok()) << errorName(valid.code());
  const NodeId from = toS() ? mover->target : mover->source;
  const NodeId to = toS() ? mover->source : mover->target;
  auto id = mover->engine.start(now_, std::move(valid).value(), from, to, journal);
  ASSERT_TRUE(id.ok()) << errorName(id.code());
  mover->id = id.value();
  movers_.push_back(std::move(mover));
}

MigrationId LiveWorld::startBeside(uint8_t priority) {
  Engine& engine = current().engine;
  Plan plan;
  plan.source = "X" + std::to_string(++besides_);
  plan.target = "Y" + std::to_string(besides_);
  plan.ranges = {KeyRange::all()};
  plan.priority = priority;
  plan.sourceCapabilities.bits = plan.targetCapabilities.bits =
      static_cast<uint32_t>(Capability::kScan) | static_cast<uint32_t>(Capability::kApply);
  const NodeId source = engine.addNode(plan.source).value(), target = engine.addNode(plan.target).value();
  return engine.start(now_, validatePlan(plan).value(), source, target, false).value();
}

void LiveWorld::cancel() { (void)current().engine.cancel(current().id); }

// From the journal that its predecessor left; true when there was something to go on with.
bool LiveWorld::resume(const std::string& journal) {
  auto image = readJournal(std::as_bytes(std::span(journal)));
  if (image.ok() && image->receipt) {
    current().state = image->receipt->state;
    current().receipt = image->receipt;
    return false;
  }
  if (!image.ok()) {
    if (!journal.empty() && image.code() != ErrorCode::kJournalTorn) {
      violated("the journal cannot be resumed: " + std::string(errorName(image.code())));
    }
    Plan again = plan_;
    again.claim[1] = static_cast<uint8_t>(movers_.size());
    start(again);
    return true;
  }
  auto mover = makeMover();
  mover->journal = journal.substr(0, image->validBytes);
  const NodeId from = toS() ? mover->target : mover->source;
  const NodeId to = toS() ? mover->source : mover->target;
  auto id = mover->engine.resume(now_, std::move(image).value(), from, to);
  if (!id.ok()) {
    violated("the engine does not resume: " + std::string(errorName(id.code())));
    return false;
  }
  mover->id = id.value();
  movers_.push_back(std::move(mover));
  return true;
}

void LiveWorld::crashMover() {
  Mover& mover = current();
  // One that has not begun its journal is no predecessor of anybody.
  const auto known = readJournal(std::as_bytes(std::span(mover.journal)));
  if (options_.zombies && known.ok() && known->prepared && random_.below(2) == 0) {
    mover.ticksLeft = 1 + static_cast<uint32_t>(random_.below(60));
  } else {
    mover.dead = true;
    // What it had sent may still arrive, or not.
    for (size_t i = 0; i < mover.pending.size(); ++i) {
      const ActionKind kind = mover.pending[i].action.kind;
      const bool call = kind == ActionKind::kGate || kind == ActionKind::kRegisterSwap;
      Event ignored;
      if (call && random_.below(2) == 0) perform(mover, mover.pending[i], ignored);
      giveUp(mover, mover.pending[i]);
    }
  }
  resume(std::string(mover.journal));
}

void LiveWorld::replace(const std::string& journal, uint32_t ticksLeft) {
  Mover& mover = current();
  mover.dead = ticksLeft == 0;
  mover.ticksLeft = ticksLeft;
  if (mover.dead) {
    for (Pending& pending : mover.pending) giveUp(mover, pending);
  }
  if (!journal.empty()) {
    resume(journal);
  } else {
    start(Plan(plan_));
  }
}

// Nobody waits for this write any more. The gate lets it in, or lets it through, as it must.
void LiveWorld::giveUp(const Mover& mover, Pending& pending) {
  if (pending.action.kind != ActionKind::kApply) return;
  const int node = pending.action.node == mover.source ? 0 : 1;
  const bool underWay = pending.started && pending.boots == stores_[node].boots;
  const bool arrives = options_.lateWrites != 0 && random_.below(2) == 0;
  if (underWay || arrives) lateWrites_.emplace_back(node, std::move(pending));
}

bool LiveWorld::run(uint32_t ticksMax) {
  for (uint32_t i = 0; i < ticksMax && violation_.empty(); ++i) {
    tick();
    const MigrationState state = current().state;
    if (isFinal(state)) return true;
    if (state == MigrationState::kStopped && (!autoResume || !resume(std::string(current().journal)))) return true;
  }
  return !violation_.empty();
}

void LiveWorld::tick() {
  now_ = now_ + milliseconds(options_.tickMs != 0 ? options_.tickMs : 1 + random_.below(5));
  for (GatedStore& store : stores_) landSome(store, false);
  clients();
  const bool chaos = ++ticks_ <= options_.healAfter;
  if (chaos && options_.crashStoreEvery != 0 && random_.below(options_.crashStoreEvery) == 0) {
    crashStore(stores_[random_.below(2)]);
  }
  if (options_.losesAnswers) late();
  arriveLate(std::max(options_.lateWrites, 1U));
  for (size_t i = 0; i < movers_.size(); ++i) {
    Mover& mover = *movers_[i];
    const bool present = i + 1 == movers_.size();
    if (mover.dead || (!present && mover.ticksLeft == 0)) continue;
    if (!present && --mover.ticksLeft == 0) {
      for (Pending& pending : mover.pending) giveUp(mover, pending);
      mover.pending.clear();
      continue;
    }
    acting = i;
    step(mover);
  }
  if (chaos && options_.crashMoverEvery != 0 && random_.below(options_.crashMoverEvery) == 0 &&
      !isFinal(state())) {
    crashMover();
  }
}

void LiveWorld::step(Mover& mover) {
  std::vector<Event> events;
  events.swap(mover.events);
  Ready ready;
  do {
    ready = mover.engine.step(now_, events);
    events.clear();
    for (const Notice& notice : ready.notices) {
      if (notice.migration != mover.id) continue;
      if (onNotice) onNotice(notice);
      if (notice.kind != NoticeKind::kState) continue;
      mover.state = notice.state;
      mover.error = notice.error;
      if (onState) onState(notice.state);
    }
    for (const Action& action : ready.actions) {
      if (action.migration != mover.id && action.kind != ActionKind::kAbort) continue;  // hangs
      Pending pending;
      pending.action = action;
      const auto bytes = mover.engine.bytes(action.payload);
      pending.payload.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      if (action.kind != ActionKind::kAbort) {
        mover.pending.push_back(std::move(pending));
        continue;
      }
      const auto is = [&action](const Pending& p) { return p.action.op == action.reusesOp; };
      for (Pending& given : mover.pending) {
        if (is(given)) giveUp(mover, given);
      }
      std::erase_if(mover.pending, is);
      Event gone;
      gone.kind = EventKind::kFailed;
      gone.error = ErrorCode::kInterrupted;
      gone.op = action.reusesOp;
      mover.events.push_back(gone);
    }
  } while (ready.more);
  if (isFinal(mover.state) || mover.state == MigrationState::kStopped) {
    mover.receipt = mover.engine.receipt(mover.id);
  }
  // In any order, and not all at once.
  for (size_t tries = mover.pending.size(); tries > 0 && !mover.pending.empty(); --tries) {
    if (random_.below(4) == 0) continue;
    const size_t count = movers_.size();
    carryOut(mover, random_.below(mover.pending.size()));
    if (movers_.size() != count || mover.dead) return;
  }
}

void LiveWorld::carryOut(Mover& mover, size_t index) {
  Pending pending = std::move(mover.pending[index]);
  mover.pending.erase(mover.pending.begin() + static_cast<long>(index));
  Event event;
  event.op = pending.action.op;
  const bool risky = pending.action.kind == ActionKind::kGate ||
                     pending.action.kind == ActionKind::kRegisterSwap;
  if (stall && stall(pending.action)) {
    mover.pending.push_back(std::move(pending));
    return;
  }
  if (seen) seen(pending.action, pending.payload);
  const ErrorCode refused = fault ? fault(pending.action) : ErrorCode::kOk;
  if (refused != ErrorCode::kOk) {
    event.kind = EventKind::kFailed;
    event.error = refused;
  } else if (!perform(mover, pending, event)) {
    mover.pending.push_back(std::move(pending));  // waits
    return;
  }
  ++effects_;
  if (options_.losesAnswers && risky && random_.below(5) == 0) {
    if (event.payload.buffer) mover.engine.release(event.payload.buffer);
    event = {};
    event.op = pending.action.op;
    event.kind = EventKind::kFailed;
    event.error = pending.action.kind == ActionKind::kGate ? ErrorCode::kStoreFailed
                                                           : ErrorCode::kRegisterFailed;
  }
  mover.events.push_back(event);
  if (crashAt_ != 0 && effects_ == crashAt_ && &mover == &current()) {
    crashAt_ = options_.crashAgainAfter == 0 ? 0 : effects_ + options_.crashAgainAfter;
    options_.crashAgainAfter = 0;
    crashMover();
  }
}

// False: it has to wait, and nothing is answered yet.
bool LiveWorld::perform(Mover& mover, Pending& pending, Event& event) {
  const Action& action = pending.action;
  switch (action.kind) {
    case ActionKind::kScan: scan(mover, pending, event); break;
    case ActionKind::kRead: read(mover, pending, event); break;
    case ActionKind::kApply: return apply(at(mover, action.node), pending, event);
    case ActionKind::kJournal: mover.journal += pending.payload; break;
    case ActionKind::kOpenFeed: {
      GatedStore& store = at(mover, action.node);
      const bool again = !pending.payload.empty();
      if (again && (!store.recording || positionOf(pending.payload) < store.trimmed)) {
        event.kind = EventKind::kFailed;
        event.error = ErrorCode::kFeedPositionLost;
        break;
      }
      // What an earlier feed knew ends where a new one begins: nothing was recorded between. A
      // store may also keep what it records already.
      const bool keeps = store.recording && random_.below(2) == 0;
      if (!again && !keeps) store.trimmed = std::max(store.trimmed, store.gate.head());
      store.recording = true;
      store.feedsOpened += again ? 0U : 1U;
      attach(mover, again ? pending.payload : positionBytes(store.gate.head()), event);
      break;
    }
    case ActionKind::kPollFeed: pollFeed(mover, pending, event); break;
    case ActionKind::kTrimFeed:
      at(mover, action.node).trimmed = std::max(at(mover, action.node).trimmed, positionOf(pending.payload));
      break;
    case ActionKind::kCloseFeed:
      at(mover, action.node).recording = false;
      ++at(mover, action.node).feedsClosed;
      break;
    case ActionKind::kEstimate: break;
    case ActionKind::kGate: return gateCall(at(mover, action.node), pending, event);
    case ActionKind::kRegisterRead:
      attach(mover, document_, event);
      event.bytes = version_;
      break;
    case ActionKind::kRegisterSwap: swap(mover, pending, event); break;
    case ActionKind::kAbort: break;
  }
  return true;
}

std::string LiveWorld::checkEnd(bool givenUp) {
  if (!violation_.empty()) return violation_;
  for (GatedStore& store : stores_) landSome(store, true);
  while (!lateWrites_.empty()) arriveLate(1);
  const OwnershipMap map = OwnershipMap::decode(std::as_bytes(std::span(document_))).value();
  if (!map.claims().empty()) return "a claim is left in the register";
  for (const GatedStore& store : stores_) {
    if (givenUp && store.name == "S") continue;
    for (const auto& [key, value] : store.entries) {
      if (map.lookup(key)->owner != store.name) return "entries are left at " + store.name;
      if (!expected_.contains(key)) return key + " was deleted, or nobody wrote it";
    }
  }
  for (const auto& [key, value] : expected_) {
    const std::string& owner = map.lookup(key)->owner;
    const auto& entries = stores_[owner == "S" ? 0 : 1].entries;
    const auto found = entries.find(key);
    const std::string has = found == entries.end() ? "nothing" : found->second;
    if (has != value) return key + " is " + has + " at " + owner + ", acknowledged was " + value;
  }
  GatedStore& owning = stores_[map.lookup("key1000")->owner == "S" ? 0 : 1];
  const KeyView key = "key1000";
  const Admission write = owning.gate.admitWrite(std::span(&key, 1));
  if (write.answer != Answer::kOk) return "the owner does not serve";
  owning.gate.landed(write.position);
  for (GatedStore& store : stores_) {
    const Answer read = store.gate.admitRead(key).answer, write = store.gate.answer(key, true);
    if (&store != &owning && (read == Answer::kOk || write == Answer::kOk)) return store.name + " serves what it does not own";
    if (store.recording) return "a feed is left open at " + store.name;
  }
  return checkProof();
}

}  // namespace keyhaul::test
