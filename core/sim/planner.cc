#include "planner.h"

#include <algorithm>
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
}

PlannerNode::PlannerNode(World& world, uint16_t id, Rules rules)
    : Node(world, NodeKind::kClient, id), rules_(std::move(rules)), prng_(world.seed(), "planner"), whims_(world.seed(), "planner's whims") {
  ++world.space().clientsLeft;
  timer(rules_.everyUs, kLook);
}

void PlannerNode::onMessage(Message) {}

void PlannerNode::onTimer(uint8_t, uint64_t) {
  look();
  if (!world_.healed()) changeItsMind();
  if (looks_.size() > rules_.lateBy) {
    const size_t at = looks_.size() - 1 - rules_.lateBy;
    bool moves = false;
    while (decide(at)) moves = true;
    for (const auto& job : world_.jobs()) moves = moves || !job->ended();
    if (looks_[at].still && !moves) {
      stopped_ = true;
      --world_.space().clientsLeft;
      return;
    }
  }
  timer(rules_.everyUs, kLook);
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
  seen.still = world_.healed() && world_.space().clientsLeft == 1;
  world_.tell([](Oracle& oracle) { oracle.onLooked(); });
  const uint64_t noise = rules_.noisePercent;
  for (const uint64_t bytes : bytesOf(world_)) {
    const uint64_t told = bytes * (100 - noise + prng_.below(2 * noise + 1)) / 100;
    seen.told.push_back(told);
    seen.least.push_back(told * 100 / (100 + noise));
    seen.most.push_back((told + 1) * 100 / (100 - noise) + 1);
    seen.slack += told / rules_.stores / kSlack;
  }
  for (const KeyRange& range : world_.space().placed) seen.owners.push_back(ownerOf(world_, range));
  looks_.push_back(std::move(seen));
}

// Sabotages: what it saw is taken for what is so, and nothing is under way (`chases-itself`), or nothing comes (`one-target`).
std::vector<PlannerNode::Stock> PlannerNode::takeStock(const Look& seen) const {
  const bool chases = world_.sabotaged(Sabotage::kChasesItself);
  const std::vector<KeyRange>& ranges = world_.space().placed;
  std::vector<Stock> stock(rules_.stores);
  for (size_t i = 0; i < ranges.size(); ++i) {
    const Job* job = moveOf(world_, ranges[i]);
    const uint16_t from = job != nullptr ? job->source : ownerOf(world_, ranges[i]);
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

bool PlannerNode::mayMove(const Look& seen, const std::vector<Stock>& stock, size_t range, uint16_t from, uint16_t to) const {
  const KeyRange& keys = world_.space().placed[range];
  if (moveOf(world_, keys) != nullptr || ownerOf(world_, keys) != from) return false;
  if (stock[from].out >= movesMax()) return false;
  const bool fits = stock[to].in < movesMax() && stock[to].reserved + rules_.most[range] <= rules_.capacities[to];
  if (!fits && !world_.sabotaged(Sabotage::kOneTarget)) return false;
  if (leaves(from)) return true;
  if (world_.sabotaged(Sabotage::kChasesItself)) return stock[from].least > stock[to].most;
  return stock[from].least > stock[to].most + seen.most[range] + seen.slack;
}

// The largest range that helps, from the fullest store to the emptiest; else from or to the next one.
bool PlannerNode::decide(size_t look) {
  const Look& seen = looks_[look];
  const std::vector<Stock> stock = takeStock(seen);
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
        if (larger && mayMove(seen, stock, i, from, *to)) best = i;
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
  world_.tell([&](Oracle& oracle) { oracle.onPlanned(job, look); });
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
