#include "planner.h"

#include <algorithm>
#include <string>
#include <utility>

#include "gated_store.h"
#include "mover.h"
#include "register.h"
#include "scenario_cluster.h"
#include "scenario_live.h"
#include "sort_few.h"
#include "world.h"

namespace keyhaul::sim {
namespace {
constexpr uint64_t kSlack = 16;  // of what a store has on average, the part by which two may differ

std::string suffixOf(const PlannerNode::Rules& rules) { return rules.number == 0 ? "" : " " + std::to_string(rules.number); }
}  // namespace

PlannerNode::PlannerNode(World& world, uint16_t id, Rules rules)
    : Node(world, NodeKind::kClient, id), rules_(std::move(rules)), prng_(world.seed(), "planner" + suffixOf(rules_)), whims_(world.seed(), "planner's whims" + suffixOf(rules_)) {
  ++world.space().clientsLeft;
  ++world.space().plannersLeft;
  timer(rules_.everyUs, kLook);
}

void PlannerNode::onMessage(Message) {}

void PlannerNode::onTimer(uint8_t what, uint64_t) {
  if (what == kBack) return timer(rules_.everyUs, kLook);
  look();
  if (!world_.healed()) changeItsMind();
  if (looks_.size() > rules_.lateBy) {
    const size_t at = looks_.size() - 1 - rules_.lateBy;
    bool moves = false;
    while (decide(at)) {
      moves = true;
      if (!died_ && world_.nowUs() >= rules_.diesAtUs) return die();
    }
    for (const auto& job : world_.jobs()) moves = moves || !job->ended();
    if (looks_[at].still && !moves && knowsAll(looks_[at])) {
      stopped_ = true;
      --world_.space().clientsLeft;
      --world_.space().plannersLeft;
      return;
    }
  }
  timer(rules_.everyUs, kLook);
}

// Nothing was asked for since this look, nor was anything under way: else it has to look once more.
bool PlannerNode::knowsAll(const Look& seen) const {
  const auto isNone = [](const Job* job) { return job == nullptr; };
  return rules_.alone || (seen.jobs == world_.jobs().size() && std::all_of(seen.moves.begin(), seen.moves.end(), isNone));
}

// After the first of what it wanted to ask for.
void PlannerNode::die() {
  died_ = true;
  firstLook_ += looks_.size();
  looks_.clear();
  asked_.clear();
  timer(rules_.awayUs, kBack);
}

uint32_t PlannerNode::movesMax() const { return world_.nowUs() < rules_.loweredAtUs ? rules_.movesMax : 1; }
bool PlannerNode::leaves(uint16_t store) const { return store == rules_.leaves && world_.nowUs() >= rules_.leavesAtUs; }
bool PlannerNode::isMember(uint16_t store) const {
  return !leaves(store) && (store != rules_.joins || world_.nowUs() >= rules_.joinsAtUs);
}

uint16_t PlannerNode::ownerOf(const World& world, const KeyRange& range) {
  return world.gatedNamed(world.theRegister().map().lookup(range.lo)->owner)->id();
}

const Job* PlannerNode::moveOf(const World& world, const KeyRange& range) {
  for (const auto& job : world.jobs()) {
    if (!job->ended() && job->contains(range.lo)) return job.get();
  }
  return nullptr;
}

std::vector<uint64_t> PlannerNode::bytesOf(const World& world) {
  std::vector<uint64_t> all;
  for (const KeyRange& range : world.space().placed) {
    const Entries& entries = world.store(ownerOf(world, range)).entries();
    uint64_t bytes = 0;
    for (auto at = entries.lower_bound(range.lo); at != entries.end() && range.contains(at->first); ++at) {
      bytes += at->first.size() + at->second.size();
    }
    all.push_back(bytes);
  }
  return all;
}

void PlannerNode::look() {
  Look seen;
  seen.still = world_.healed() && world_.space().clientsLeft == world_.space().plannersLeft;
  seen.jobs = world_.jobs().size();
  world_.tell([this](Oracle& oracle) { oracle.onLooked(*this); });
  const uint64_t noise = rules_.noisePercent;
  for (const uint64_t bytes : bytesOf(world_)) {
    const uint64_t told = bytes * (100 - noise + prng_.below(2 * noise + 1)) / 100;
    seen.told.push_back(told);
    seen.least.push_back(told * 100 / (100 + noise));
    seen.most.push_back((told + 1) * 100 / (100 - noise) + 1);
    seen.slack += told / rules_.stores / kSlack;
  }
  for (const KeyRange& range : world_.space().placed) {
    seen.owners.push_back(ownerOf(world_, range));
    seen.moves.push_back(moveOf(world_, range));
  }
  looks_.push_back(std::move(seen));
}

const Job* PlannerNode::moveOf(const Look& seen, size_t range, bool truly) const {
  const KeyRange& keys = world_.space().placed[range];
  const bool forgets = died_ && world_.sabotaged(Sabotage::kPlannerForgets);
  if (truly || (rules_.alone && !forgets)) return moveOf(world_, keys);
  for (const Job* job : asked_) {
    if (!job->ended() && job->contains(keys.lo)) return job;
  }
  return forgets ? nullptr : seen.moves[range];
}

uint16_t PlannerNode::ownerOf(const Look& seen, size_t range, bool truly) const {
  return truly || rules_.alone ? ownerOf(world_, world_.space().placed[range]) : seen.owners[range];
}

// Sabotages: what it saw is taken for what is so, and nothing is under way (`chases-itself`), or nothing comes (`one-target`).
std::vector<PlannerNode::Stock> PlannerNode::takeStock(const Look& seen, bool truly) const {
  const bool chases = world_.sabotaged(Sabotage::kChasesItself);
  const std::vector<KeyRange>& ranges = world_.space().placed;
  std::vector<Stock> stock(rules_.stores);
  for (size_t i = 0; i < ranges.size(); ++i) {
    const Job* job = moveOf(seen, i, truly);
    const uint16_t from = job != nullptr ? job->source : ownerOf(seen, i, truly);
    Stock& here = stock[from];
    here.reserved += rules_.most[i];
    if (chases) {
      stock[seen.owners[i]].least += seen.told[i];
      stock[seen.owners[i]].most += seen.told[i];
    } else {
      here.most += seen.most[i];
      if (job == nullptr) here.least += seen.least[i];
    }
    if (job == nullptr) continue;
    Stock& there = stock[job->target];
    ++here.out;
    ++there.in;
    there.reserved += rules_.most[i];
    if (!chases && !world_.sabotaged(Sabotage::kOneTarget)) there.most += seen.most[i];
  }
  return stock;
}

bool PlannerNode::hasRoom(const std::vector<Stock>& stock, size_t range, uint16_t from, uint16_t to) const {
  if (stock[from].out >= movesMax()) return false;
  const bool fits = stock[to].in < movesMax() && stock[to].reserved + rules_.most[range] <= rules_.capacities[to];
  return fits || world_.sabotaged(Sabotage::kOneTarget);
}

// Of who asks it knows at which look he decided, and what he has asked for before.
bool PlannerNode::isAdmitted(const Look& seen, size_t range, uint16_t from, uint16_t to) const {
  const KeyRange& keys = world_.space().placed[range];
  if (moveOf(world_, keys) != nullptr || ownerOf(world_, keys) != from) return false;
  if (world_.sabotaged(Sabotage::kAdmitsAll)) return true;
  if (!hasRoom(takeStock(seen, true), range, from, to)) return false;
  for (const auto& job : world_.jobs()) {
    const bool touches = job->source == from || job->source == to || job->target == from || job->target == to;
    const bool wasUnderWay = std::find(seen.moves.begin(), seen.moves.end(), job.get()) != seen.moves.end();
    const bool asked = std::find(asked_.begin(), asked_.end(), job.get()) != asked_.end();
    const bool isNews = job->index >= seen.jobs ? !asked || job->ended() : wasUnderWay && job->ended();
    if (touches && isNews) return false;
  }
  return true;
}

bool PlannerNode::mayMove(const Look& seen, const std::vector<Stock>& stock, size_t range, uint16_t from, uint16_t to) const {
  if (moveOf(seen, range, false) != nullptr || ownerOf(seen, range, false) != from) return false;
  if (!hasRoom(stock, range, from, to)) return false;
  if (leaves(from)) return true;
  if (world_.sabotaged(Sabotage::kChasesItself)) return stock[from].least > stock[to].most;
  return stock[from].least > stock[to].most + seen.most[range] + seen.slack;
}

// The largest range that helps, from the fullest store to the emptiest; else from or to the next one.
bool PlannerNode::decide(size_t look) {
  const Look& seen = looks_[look];
  const std::vector<Stock> stock = takeStock(seen, false);
  std::vector<uint16_t> stores;
  for (uint16_t i = 0; i < rules_.stores; ++i) stores.push_back(i);
  stableSortFew(stores.begin(), stores.end(), [&](uint16_t a, uint16_t b) {
    return leaves(a) != leaves(b) ? leaves(a) : stock[a].least > stock[b].least;
  });
  for (const uint16_t from : stores) {
    for (auto to = stores.rbegin(); to != stores.rend(); ++to) {
      if (*to == from || !isMember(*to)) continue;
      size_t best = rules_.most.size();
      for (size_t i = 0; i < rules_.most.size(); ++i) {
        const bool larger = best == rules_.most.size() || seen.told[i] > seen.told[best];
        if (!larger || !mayMove(seen, stock, i, from, *to)) continue;
        const bool admitted = rules_.alone || isAdmitted(seen, i, from, *to);
        if (admitted) best = i;
        refused_ += admitted ? 0U : 1U;
      }
      if (best == rules_.most.size()) continue;
      move(best, from, *to, look);
      return true;
    }
  }
  return false;
}

void PlannerNode::move(size_t range, uint16_t from, uint16_t to, size_t look) {
  Job& job = world_.addJob();
  makeLive(world_, job, rules_.mover, {world_.space().placed[range]});
  job.onward = true;
  job.source = from;
  job.target = to;
  job.startUs = world_.nowUs();
  drawClusterPlan(prng_, job.plan);
  asked_.push_back(&job);
  world_.tell([&](Oracle& oracle) { oracle.onPlanned(*this, job, firstLook_ + look); });
  world_.join(job);
}

// Until it has heard how a move ended it takes it for one that is under way.
void PlannerNode::changeItsMind() {
  const bool cancels = whims_.below(100) < rules_.cancelPercent, throttles = whims_.below(100) < rules_.throttlePercent;
  if (!cancels && !throttles) return;
  for (const auto& job : world_.jobs()) {
    if (job->ended() || job->cancelAtUs != 0 || whims_.below(2) == 0) continue;
    MoverNode& mover = world_.mover(job->mover);
    if (throttles) mover.throttle(*job, whims_.between(1'000, 8'000));
    if (!cancels) continue;
    job->cancelAtUs = world_.nowUs();
    mover.onCancelled(*job);
  }
}

}  // namespace keyhaul::sim
