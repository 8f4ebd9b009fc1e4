#include "routed_client.h"

#include <algorithm>
#include <utility>

#include "gated_store.h"
#include "value.h"
#include "world.h"

namespace keyhaul::sim {
namespace {
constexpr uint64_t kPatienceUs = 4'000'000;
constexpr uint64_t kAnswerUs = 300'000;
constexpr uint64_t kHotKeys = 2;
constexpr uint32_t kPageRows = 12;
constexpr size_t kRehearsedBytes = 22;  // as those that were there before
}  // namespace

RoutedClientNode::RoutedClientNode(World& world, uint16_t id, uint32_t share, uint32_t shares)
    : Node(world, NodeKind::kClient, id), prng_(world.seed(), "routed " + std::to_string(id)),
      conditions_(world.seed(), "routed conditions " + std::to_string(id)),
      ends_(world.seed(), "routed ends " + std::to_string(id)) {
  Space& space = world.space();
  const size_t step = space.shared ? 1 : shares;
  for (size_t i = space.shared ? 0 : share; i < space.keys.size(); i += step) {
    own_.push_back(space.keys[i]);
  }
  ++space.clientsLeft;
  timer(prng_.below(space.thinkUs * 2 + 1), kNext);
}

const std::string& RoutedClientNode::pick(const std::vector<std::string>& keys) {
  const Space& space = world_.space();
  if (!space.contended.empty() && prng_.below(100) < space.hotPercent) {
    return space.contended[static_cast<size_t>(prng_.below(space.contended.size()))];
  }
  if (space.contended.empty() && space.hotPercent != 0 && prng_.below(100) < space.hotPercent) {
    const auto first = std::lower_bound(keys.begin(), keys.end(), space.hot.lo);
    const auto isOut = [&](const std::string& key) { return !space.hot.contains(key); };
    const auto end = std::find_if(first, keys.end(), isOut);
    const auto count = static_cast<uint64_t>(end - first);
    if (count != 0) return first[static_cast<std::ptrdiff_t>(prng_.below(count))];
  }
  const uint64_t hot = std::min<uint64_t>(kHotKeys, keys.size());
  const bool isHot = prng_.below(3) == 0;
  // The hot ones are in the middle, where ranges move.
  const size_t first = isHot ? keys.size() / 2 - static_cast<size_t>(hot / 2) : 0;
  return keys[first + static_cast<size_t>(prng_.below(isHot ? hot : keys.size()))];
}

void RoutedClientNode::think() { timer(1 + prng_.exponential(world_.space().thinkUs), kNext); }

bool RoutedClientNode::mayStop() const {
  if (world_.nowUs() >= world_.space().stopUs) return true;
  if (world_.nowUs() < world_.options().untilUs) return false;
  for (const auto& job : world_.jobs()) {
    if (!job->ended()) return false;
  }
  return true;
}

void RoutedClientNode::next() {
  if (stopped_) return;
  if (own_.empty() || mayStop()) {
    stopped_ = true;
    --world_.space().clientsLeft;
    return;
  }
  Message request;
  if (world_.rehearsal() != nullptr) {
    request.kind = MessageKind::kPut;
    request.body = own_[static_cast<size_t>(prng_.below(own_.size()))];
    request.extra = std::string(kRehearsedBytes, static_cast<char>('a' + call_ % 26));
    return begin(std::move(request));
  }
  const uint64_t what = prng_.below(100);
  const uint64_t drawn = prng_.below(50) == 0 ? prng_.between(1'000, 6'000) : prng_.below(80);
  const uint64_t padding = std::min(drawn, world_.space().paddingMost);
  if (what < 6) {
    request.kind = MessageKind::kRange;
    request.body = pick(world_.space().keys);
    const std::string end = pick(world_.space().keys);
    request.extra = end;
    if (request.body > request.extra) std::swap(request.body, request.extra);
    request.extra += '\0';
    request.count = kPageRows;
  } else if (what < 40) {
    request.kind = MessageKind::kRead;
    request.body = pick(world_.space().keys);
  } else if (what < 40 + uint64_t{world_.space().deletePercent} * 60 / 100) {
    request.kind = MessageKind::kDelete;
    request.body = pick(own_);
  } else {
    request.kind = MessageKind::kPut;
    request.body = pick(own_);
    padding_ = padding;
    drawEnd();
    request.extra = newValue(request.body);
  }
  setIf(request);
  if (!readsByHeart(request)) begin(std::move(request));
}

// What it has just seen of a key it may want to replace, provided that nobody was faster.
void RoutedClientNode::setIf(Message& request) {
  if (seenKey_.empty() || conditions_.below(2) == 0) return seenKey_.clear();
  const bool deletes = conditions_.below(4) == 0;
  request = {};
  request.kind = deletes ? MessageKind::kDelete : MessageKind::kPut;
  request.body = std::exchange(seenKey_, {});
  request.conditional = true;
  request.extra = seen_.value_or("");
  request.count = static_cast<uint32_t>(request.extra.size());
  padding_ = conditions_.below(80);
  drawEnd();
  if (!deletes) request.extra += newValue(request.body);
}

void RoutedClientNode::drawEnd() {
  const bool ends = ends_.below(100) < world_.space().endPercent;
  endsAfterUs_ = ends ? ends_.between(100'000, 6'000'000) : 0;
}

// Of the call that comes next.
std::string RoutedClientNode::newValue(std::string_view key) const {
  std::string value = makeValue(key, id(), call_ + 1, padding_);
  return endsAfterUs_ == 0 ? value : withEnd(std::move(value), world_.nowUs() + endsAfterUs_);
}

void RoutedClientNode::see(std::string_view key, const std::string* value) {
  if (!world_.space().conditional) return;
  seenKey_ = key;
  seen_ = value != nullptr ? std::optional(*value) : std::nullopt;
}

// As the oracles are told of it: `store` has answered, or none has yet.
ClientWrite RoutedClientNode::write(uint16_t store) const {
  ClientWrite write{store, id(), call_, request_.body, value_ ? &*value_ : nullptr};
  write.conditional = request_.conditional;
  write.expected = expected_ ? &*expected_ : nullptr;
  return write;
}

void RoutedClientNode::begin(Message request) {
  hint_.reset();
  start(std::move(request));
}

void RoutedClientNode::start(Message request) {
  request.from = id();
  request.party = id();
  request.call = ++call_;
  request_ = std::move(request);
  waiting_ = true;
  sentEpoch_ = 0;
  begunUs_ = world_.nowUs();
  invoked_ = world_.eventNumber();
  world_.tell([this](Oracle& oracle) { oracle.onRoutedBegun(id()); });
  if (request_.kind == MessageKind::kPut || request_.kind == MessageKind::kDelete) {
    ++world_.counts().clientOps;
    value_.reset();
    expected_.reset();
    if (request_.kind == MessageKind::kPut) value_ = request_.extra.substr(request_.count);
    if (request_.count != 0) expected_ = request_.extra.substr(0, request_.count);
    if (!byHeart_.empty()) byHeart_.erase(request_.body);
    const ClientWrite begun = write(0);
    world_.tell([&begun](Oracle& oracle) { oracle.onInvoked(begun); });
  }
  attempt();
}

bool RoutedClientNode::isOfAnotherEpoch() const {
  const bool writes = request_.kind == MessageKind::kPut || request_.kind == MessageKind::kDelete;
  return world_.space().shared && writes && sentEpoch_ != 0 && sentEpoch_ != request_.epoch &&
         !world_.sabotaged(Sabotage::kRetryElsewhere);
}

// What this client has heard of the owner since is as good for the other one.
void RoutedClientNode::beginAnew() {
  Message request = std::move(request_);
  if (request.kind == MessageKind::kPut) {
    request.extra.resize(request.count);
    request.extra += newValue(request.body);
  }
  start(std::move(request));
}

// Nobody knows whether it took place.
void RoutedClientNode::giveUp() {
  waiting_ = false;
  world_.tell([this](Oracle& oracle) { oracle.onRoutedEnded(id()); });
  refresh();
  think();
}

// Sabotage: what it has written itself it knows, whoever has written since.
bool RoutedClientNode::readsByHeart(const Message& request) {
  if (request.kind != MessageKind::kRead || byHeart_.empty()) return false;
  const auto at = byHeart_.find(request.body);
  if (at == byHeart_.end()) return false;
  world_.tell([this](Oracle& oracle) { oracle.onRoutedBegun(id()); });
  const std::string* value = at->second ? &*at->second : nullptr;
  const RoutedRead read{id(), world_.eventNumber(), at->first, value, UINT16_MAX};
  world_.tell([&read](Oracle& oracle) { oracle.onRoutedRead(read); });
  world_.tell([this](Oracle& oracle) { oracle.onRoutedEnded(id()); });
  think();
  return true;
}

bool RoutedClientNode::route(Message& request) {
  if (hint_) {
    request.to = hint_->store;
    request.epoch = hint_->epoch;
    return true;
  }
  const Ownership* owner = cache_.lookup(request.body);
  if (owner == nullptr) return false;
  request.to = world_.gatedNamed(owner->owner)->id();
  request.epoch = owner->epoch;
  return true;
}

void RoutedClientNode::attempt() {
  if (!waiting_) return;
  if (world_.nowUs() >= begunUs_ + kPatienceUs) return giveUp();
  request_.session = ++attempt_;
  if (!route(request_)) {
    refresh();
    return attemptIn(100'000);
  }
  if (isOfAnotherEpoch()) return beginAnew();
  if (sentEpoch_ == 0) sentEpoch_ = request_.epoch;
  send(request_);
  timer(kAnswerUs, kAttempt, attempt_);
}

void RoutedClientNode::attemptIn(uint64_t delayUs) {
  ++attempt_;  // what comes of the one before is too late
  timer(delayUs + prng_.below(delayUs), kAttempt, attempt_);
}

void RoutedClientNode::refresh() {
  Message request;
  request.kind = MessageKind::kRegisterRead;
  request.from = id();
  request.to = world_.registerId();
  request.party = id();
  send(std::move(request));
}

void RoutedClientNode::onTimer(uint8_t what, uint64_t arg) {
  switch (static_cast<What>(what)) {
    case kNext: return next();
    case kAttempt:
      if (!waiting_ || arg != attempt_) return;
      // No answer: perhaps it lives elsewhere now, perhaps not.
      hint_.reset();
      if (prng_.below(2) == 0) refresh();
      return attempt();
  }
}

void RoutedClientNode::onMessage(Message message) {
  if (message.checksum != message.computeChecksum()) {
    ++world_.counts().damaged;
    return;
  }
  if (message.from == world_.registerId()) {
    if (message.error != ErrorCode::kOk || message.bytes <= cacheVersion_) return;
    Result<OwnershipMap> map = OwnershipMap::decode(std::as_bytes(std::span(message.body)));
    if (!map.ok()) return;
    cache_ = std::move(map).value();
    cacheVersion_ = message.bytes;
    return;
  }
  if (!waiting_ || message.call != call_) return;
  if (message.error == ErrorCode::kOk) return onAnswer(message);
  if (message.session == attempt_) onRefused(message);
}

void RoutedClientNode::onRefused(const Message& reply) {
  ++world_.counts().refusals;
  const GatedStoreNode* owner = world_.gatedNamed(reply.extra);
  if (reply.error == ErrorCode::kMoved && owner != nullptr) {
    hint_ = Hint{owner->id(), reply.epoch};
    return attemptIn(1'000);
  }
  // The same store, at an epoch of which this client has not heard.
  if (reply.error == ErrorCode::kRetry && reply.epoch > request_.epoch) {
    hint_ = Hint{reply.from, reply.epoch};
    return attemptIn(5'000);
  }
  hint_.reset();
  refresh();
  attemptIn(40'000);
}

void RoutedClientNode::onAnswer(const Message& reply) {
  if (request_.kind == MessageKind::kRange) return onPage(reply);
  if (request_.kind == MessageKind::kRead) {
    ++world_.counts().routedReads;
    const std::string* value = reply.found ? &reply.extra : nullptr;
    const RoutedRead read{id(), invoked_, request_.body, value, reply.from};
    world_.tell([&read](Oracle& oracle) { oracle.onRoutedRead(read); });
    see(request_.body, value);
  } else {
    ClientWrite told = write(reply.from);
    told.refused = told.conditional && !reply.found;
    ++world_.counts().clientAcks;
    if (told.conditional) ++(told.refused ? world_.counts().refusedSets : world_.counts().conditionalSets);
    world_.tell([&told](Oracle& oracle) { oracle.onAcked(told); });
    if (told.refused) return done();
    see(request_.body, told.value);
    if (world_.sabotaged(Sabotage::kOwnWrites)) byHeart_[request_.body] = value_;
  }
  done();
}

// The next page is a call of its own, of whoever owns the place where this one ended.
void RoutedClientNode::onPage(const Message& reply) {
  const auto bytes = std::as_bytes(std::span(reply.body));
  const Result<FrameView> frame = readFrame(bytes);
  if (!frame.ok()) return;
  RoutedPage page{id(), invoked_, request_.body, reply.extra, reply.end, &frame.value(), reply.from};
  if (reply.end) page.upto = request_.extra;
  world_.tell([&page](Oracle& oracle) { oracle.onRoutedPage(page); });
  if (reply.end) {
    ++world_.counts().scans;
    return done();
  }
  Message request = std::move(request_);
  request.body = reply.extra;
  begin(std::move(request));
}

void RoutedClientNode::done() {
  waiting_ = false;
  world_.tell([this](Oracle& oracle) { oracle.onRoutedEnded(id()); });
  think();
}

}  // namespace keyhaul::sim
