#include "world.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "client.h"
#include "gated_store.h"
#include "mover.h"
#include "register.h"
#include "routed_client.h"
#include "store.h"

namespace keyhaul::sim {
namespace {
// What is not healed by then will not heal.
constexpr uint64_t kPatienceUs = 300'000'000;
// Of rehearsals, that may take long: so many times what it would take at least, and a minute.
constexpr uint64_t kRehearsedTimes = 20;
constexpr size_t kViolationsMax = 8;
constexpr size_t kLifeMax = 40;
}  // namespace

World::World(const Options& options)
    : options_(options),
      faults_(Faults::draw(options.seed, options.faults)),
      network_(options.seed, faults_, queue_),
      schedule_(*this) {
  network_.tellTo(this);
  report_.seed = options.seed;
  report_.scenario = options.scenario;
  report_.faults = faults_.mask();
}

World::~World() = default;

StoreNode& World::addStore(std::string name) {
  const auto id = static_cast<uint16_t>(nodes_.size());
  nodes_.push_back(std::make_unique<StoreNode>(*this, id, std::move(name)));
  return store(id);
}

MoverNode& World::addMover(const Config& config) {
  const auto id = static_cast<uint16_t>(nodes_.size());
  nodes_.push_back(std::make_unique<MoverNode>(*this, id, config));
  return mover(id);
}

void World::addClient(Job& job, uint16_t store, uint32_t share, uint32_t shares) {
  const auto id = static_cast<uint16_t>(nodes_.size());
  nodes_.push_back(std::make_unique<ClientNode>(*this, id, job, store, share, shares));
}

GatedStoreNode& World::addGatedStore(std::string name) {
  const auto id = static_cast<uint16_t>(nodes_.size());
  nodes_.push_back(std::make_unique<GatedStoreNode>(*this, id, std::move(name)));
  gatedStores_.push_back(id);
  return gated(id);
}

RegisterNode& World::addRegister() {
  registerNode_ = static_cast<uint16_t>(nodes_.size());
  nodes_.push_back(std::make_unique<RegisterNode>(*this, registerNode_));
  return theRegister();
}

void World::addRoutedClient(uint32_t share, uint32_t shares) {
  const auto id = static_cast<uint16_t>(nodes_.size());
  nodes_.push_back(std::make_unique<RoutedClientNode>(*this, id, share, shares));
}

void World::addPlanner(PlannerNode::Rules rules) {
  auto planner = std::make_unique<PlannerNode>(*this, static_cast<uint16_t>(nodes_.size()), std::move(rules));
  if (space_.planner == nullptr) space_.planner = planner.get();
  nodes_.push_back(std::move(planner));
}

RegisterNode& World::theRegister() const {
  return static_cast<RegisterNode&>(*nodes_[registerNode_]);
}

GatedStoreNode& World::gated(uint16_t id) const {
  return static_cast<GatedStoreNode&>(*nodes_[id]);
}

GatedStoreNode* World::gatedNamed(std::string_view name) const {
  for (const uint16_t id : gatedStores_) {
    if (gated(id).name() == name) return &gated(id);
  }
  return nullptr;
}

bool World::hasRival(const Job& job) const {
  for (const auto& other : jobs_) {
    if (other->index != job.index && other->plan.claim == job.plan.claim) return true;
  }
  return false;
}

bool World::isGivenUp(const ClaimId& claim) const {
  for (const auto& job : jobs_) {
    if (job->giveUpTold && job->plan.claim == claim) return true;
  }
  return false;
}

bool World::isTurned(const Job& job) const {
  if (!hasRegister()) return false;
  const Claim* claim = theRegister().map().find(job.plan.claim);
  return claim != nullptr && claim->source == job.plan.target;
}

Job& World::addJob() {
  jobs_.push_back(std::make_unique<Job>());
  jobs_.back()->index = static_cast<uint32_t>(jobs_.size() - 1);
  return *jobs_.back();
}

StoreNode& World::store(uint16_t id) const { return static_cast<StoreNode&>(*nodes_[id]); }
MoverNode& World::mover(uint16_t id) const { return static_cast<MoverNode&>(*nodes_[id]); }

Report World::run() {
  begin();
  while (advance()) {
  }
  return finish();
}

void World::begin() {
  network_.addNodes(static_cast<uint32_t>(nodes_.size()));
  for (const auto& oracle : oracles_) {
    if (!space_.shared || !oracle->assumesOneWriter()) continue;
    violated("scenario", std::string(oracle->name()) + " would judge keys that several clients write", {});
  }
  for (const auto& job : jobs_) mover(job->mover).take(*job);
  schedule_.start();
  Queued event;
  event.kind = QueuedKind::kControl;
  if (rehearsal() == nullptr) queue_.push(healAtUs(), event);
}

void World::setRate(FaultKind kind, uint32_t perMillion) {
  faults_.set(kind, perMillion);
  if (kind == FaultKind::kReorder) network_.reorder(perMillion);
}

void World::join(Job& job) {
  network_.addNodes(static_cast<uint32_t>(nodes_.size()));
  mover(job.mover).take(job);
}

bool World::isOver() const {
  if (const Rehearsal* model = rehearsal()) {
    const uint64_t mostUs = model->leastUs() * kRehearsedTimes + 60'000'000;
    return queue_.empty() || nowUs_ > mostUs || jobs_.front()->ended();
  }
  if (queue_.empty() || queue_.nextTimeUs() > options_.untilUs + kPatienceUs) return true;
  if (report_.violations.size() >= kViolationsMax || stopped()) return true;
  return nowUs_ >= options_.untilUs && settled();
}

bool World::intervenesNext() const {
  return intervened_ < options_.interventions.size() &&
         options_.interventions[intervened_].timeUs < queue_.nextTimeUs();
}

uint64_t World::nextUs() const {
  if (isOver()) return UINT64_MAX;
  return intervenesNext() ? options_.interventions[intervened_].timeUs : queue_.nextTimeUs();
}

bool World::advance() {
  if (isOver()) return false;
  ++report_.events;
  if (intervenesNext()) {
    const Intervention intervention = options_.interventions[intervened_++];
    nowUs_ = std::max(nowUs_, intervention.timeUs);
    const auto kind = static_cast<uint8_t>(static_cast<uint32_t>(intervention.kind) | 0xE0U);
    hash_.addEvent(nowUs_, kind, 0, (uint64_t{intervention.which} << 32) | intervention.amount);
    carryOut(*this, intervention);
    return true;
  }
  const Queued event = queue_.pop(nowUs_);
  dispatch(event);
  return true;
}

void World::add(const Intervention& intervention) {
  std::vector<Intervention>& all = options_.interventions;
  auto at = all.begin() + static_cast<std::ptrdiff_t>(intervened_);
  while (at != all.end() && at->timeUs <= intervention.timeUs) ++at;
  all.insert(at, intervention);
}

void World::script(const Intervention& intervention) {
  std::vector<Intervention>& all = options_.interventions;
  const auto isLater = [&](const Intervention& other) {
    return other.timeUs >= intervention.timeUs;
  };
  all.insert(std::find_if(all.begin(), all.end(), isLater), intervention);
}

const Report& World::finish() {
  if (!stopped()) {
    for (const auto& oracle : oracles_) oracle->onEnd();
  }
  report_.timeUs = nowUs_;
  report_.hash = hash_.value();
  report_.counts.messages = network_.sent();
  report_.counts.jobs = jobs_.size();
  for (const auto& node : nodes_) report_.nodeEvents.push_back(node->events);
  return report_;
}

void World::dispatch(const Queued& event) {
  switch (event.kind) {
    case QueuedKind::kDeliver: return deliver(event);
    case QueuedKind::kTimer: {
      Node& node = *nodes_[event.node];
      if (!node.isUp() || event.boot != node.boot()) return;
      if (nowUs_ < node.pausedUntilUs) return queue_.push(node.pausedUntilUs, event);
      hash_.addEvent(nowUs_, event.what, event.node, event.arg);
      if (logs()) line("timer " + std::to_string(event.what) + " of node " + std::to_string(event.node));
      node.onTimer(event.what, event.arg);
      return crashAsPlanned(node);
    }
    case QueuedKind::kFault:
      hash_.addEvent(nowUs_, 0xF0, event.node, event.what);
      return schedule_.onEvent(event.what, event.node);
    case QueuedKind::kControl: return heal();
  }
}

void World::deliver(const Queued& event) {
  Node& node = *nodes_[event.node];
  // A paused node takes what has come when it goes on.
  if (node.isUp() && nowUs_ < node.pausedUntilUs) return queue_.push(node.pausedUntilUs, event);
  Message message;
  const bool arrives = network_.take(nowUs_, event.arg, message);
  if (!arrives || !node.isUp() || message.sentUs < node.bornUs) return;
  const auto kind = static_cast<uint8_t>(static_cast<uint32_t>(message.kind) | 0x80U);
  hash_.addEvent(nowUs_, kind, event.node, mix64(message.call) ^ message.checksum);
  if (logs()) {
    line("message " + std::to_string(static_cast<uint32_t>(message.kind)) + " of party " +
         std::to_string(message.party) + ", call " + std::to_string(message.call) + " to node " +
         std::to_string(event.node));
  }
  node.onMessage(std::move(message));
  crashAsPlanned(node);
}

// Right after an event of a node: the single crashes of an exhaustive search.
void World::crashAsPlanned(Node& node) {
  ++node.events;
  if (plannedCrash_ >= options_.crashes.size()) return;
  const PlannedCrash& planned = options_.crashes[plannedCrash_];
  if (planned.node != node.id() || node.events < plannedBase_ + planned.afterEvents) return;
  ++plannedCrash_;
  if (plannedCrash_ < options_.crashes.size()) {
    plannedBase_ = nodes_[options_.crashes[plannedCrash_].node]->events;
  }
  schedule_.crashNow(node);
}

bool World::strikes(Prng& prng, FaultKind kind, const Message& message) {
  if (!prng.chance(faults_.rate(kind))) return false;
  struck(kind, message);
  return true;
}

bool World::strikes(Prng& prng, FaultKind kind, uint16_t node) {
  if (!prng.chance(faults_.rate(kind))) return false;
  struck(kind, node);
  return true;
}

void World::struck(FaultKind kind, const Message& message) {
  if (jobs_.empty()) return;
  const bool ofMover = nodes_[message.from]->kind() == NodeKind::kMover ||
                       nodes_[message.to]->kind() == NodeKind::kMover;
  if (ofMover) struck(kind, *jobs_[message.party]);
}

void World::struck(FaultKind kind, uint16_t node) {
  for (const auto& job : jobs_) {
    const bool works = job->mover == node || node == registerNode_ ||
                       ((job->begun || !job->live) && (job->source == node || job->target == node));
    if (works && !job->ended()) struck(kind, *job);
  }
}

void World::struck(FaultKind kind, const Job& job) { report_.coverage.note(job.state, kind); }

void World::struck(const Disk::Written& written, uint16_t node) {
  if (written.slow) struck(FaultKind::kDiskSlow, node);
  if (written.error == ErrorCode::kStoreFailed) struck(FaultKind::kDiskError, node);
  if (written.tornForUs != 0) {
    schedule_.crashIn(written.delayUs / 2, written.tornForUs, *nodes_[node]);
  }
}

void World::heal() {
  healed_ = true;
  faults_.heal();
  network_.heal();
  schedule_.heal();
  for (const auto& node : nodes_) {
    switch (node->kind()) {
      case NodeKind::kStore: static_cast<StoreNode&>(*node).disk().heal(); break;
      case NodeKind::kRegister: static_cast<RegisterNode&>(*node).disk().heal(); break;
      case NodeKind::kMover:
        static_cast<MoverNode&>(*node).disk().heal();
        static_cast<MoverNode&>(*node).endMeddling();
        break;
      case NodeKind::kClient: break;
    }
  }
}

bool World::settled() const {
  for (const auto& job : jobs_) {
    if (!job->ended() || job->writersLeft != 0) return false;
  }
  return space_.clientsLeft == 0;
}

void World::violated(std::string_view oracle, std::string text, std::string_view key,
                     Harm harm, std::string witness) {
  if (report_.violations.size() >= kViolationsMax) return;
  report_.violations.push_back({std::string(oracle), std::move(text), std::string(key), harm, nowUs_,
                                report_.events, std::move(witness)});
  if (logs() || (!key.empty() && tellsLife(key))) {
    line("VIOLATION of " + report_.violations.back().oracle + ": " +
         report_.violations.back().text);
  }
}

void World::line(std::string text) {
  std::vector<std::string>& life = report_.life;
  if (!options_.log && life.size() >= kLifeMax) life.erase(life.begin());
  life.push_back(std::to_string(nowUs_) + " us  " + std::move(text));
}

}  // namespace keyhaul::sim
