#include "watcher.h"

#include <utility>

#include "gated_store.h"
#include "mover.h"
#include "store.h"
#include "world.h"

namespace keyhaul::sim {
namespace {

constexpr size_t kMarksMax = 4'000, kLogMax = 200, kFlightsMax = 240, kPhasesMax = 200;
constexpr uint64_t kLoadWindowUs = 1'000'000;

// For what the engine asks, and why: the state says why.
std::string saying(const World& world, const Job& job, const Action& action) {
  const std::string n = std::to_string(action.count) + (action.count == 1 ? " entry" : " entries");
  const std::string from = nodeName(world, job.source), to = nodeName(world, job.target);
  switch (action.kind) {
    case ActionKind::kScan:
      if (job.state == MigrationState::kVerifying) return "read a page back, to compare";
      if (job.state == MigrationState::kDeleting) return "read what may be deleted";
      return "read the next page, at most " + n;
    case ActionKind::kApply:
      if (action.guarded || action.cleanUp) {
        return "delete " + n + " from " + from + ", if unchanged";
      }
      return "write " + n + " to " + to + (action.durable ? ", durably" : "");
    case ActionKind::kJournal:
      return "note in the journal, and wait until it is on disk (" +
             std::to_string(action.payload.bytes) + " bytes)";
    case ActionKind::kOpenFeed: return "record what clients change on " + from;
    case ActionKind::kPollFeed: return "ask what clients changed meanwhile";
    case ActionKind::kTrimFeed: return "forget the changes that are carried over";
    case ActionKind::kCloseFeed: return "stop recording changes";
    case ActionKind::kAbort: return "give up a call that takes too long";
    case ActionKind::kEstimate: return "guess how much there is to do";
    case ActionKind::kRead: return "look again at " + n + " that changed";
    case ActionKind::kGate: return "turn the gate in front of a store";
    case ActionKind::kRegisterRead: return "read who owns the range";
    case ActionKind::kRegisterSwap: return "change who owns the range, if nobody else did";
  }
  return {};
}

template <typename T>
void keep(std::vector<T>& list, T item, size_t most) {
  if (list.size() == most) list.erase(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(most / 4));
  list.push_back(std::move(item));
}

// Moves what was counted on, to the window in which this time is.
void turnTo(Watcher::Rate& rate, uint64_t nowUs) {
  const uint64_t windows = (nowUs - rate.sinceUs) / kLoadWindowUs;
  if (windows == 0) return;
  rate.writesBefore = windows == 1 ? rate.writes : 0;
  rate.writes = 0;
  rate.sinceUs += windows * kLoadWindowUs;
}

void count(Watcher::Rate& rate, uint64_t nowUs) {
  turnTo(rate, nowUs);
  ++rate.writes;
}

uint64_t perSecond(Watcher::Rate& rate, uint64_t nowUs) {
  turnTo(rate, nowUs);
  const uint64_t leftUs = kLoadWindowUs - (nowUs - rate.sinceUs);
  return rate.writes + rate.writesBefore * leftUs / kLoadWindowUs;
}

}  // namespace

std::string nodeName(const World& world, uint16_t node) {
  const NodeKind kind = world.node(node).kind();
  if (kind == NodeKind::kStore) return world.store(node).name();
  if (kind == NodeKind::kMover) {
    uint32_t place = 1;
    for (uint16_t other = 0; other < node; ++other) {
      place += world.node(other).kind() == NodeKind::kMover ? 1U : 0U;
    }
    return place == 1 ? "keyhaul" : "keyhaul " + std::to_string(place);
  }
  if (kind == NodeKind::kRegister) return "register";
  if (kind == NodeKind::kClient) return "client " + std::to_string(node);
  return "node " + std::to_string(node);
}

Watcher::Tally& Watcher::of(const Job& job) {
  if (tallies_.size() <= job.index) tallies_.resize(job.index + 1);
  return tallies_[job.index];
}

Watcher::Rate& Watcher::ofStore(uint16_t store) {
  if (stores_.size() <= store) stores_.resize(store + 1U);
  return stores_[store];
}

const Watcher::Tally& Watcher::tally(uint32_t job) {
  if (tallies_.size() <= job) tallies_.resize(job + 1);
  return tallies_[job];
}

void Watcher::mark(Mark::Kind kind, std::string text) {
  if (marks_.size() < kMarksMax) marks_.push_back({world_.nowUs(), world_.report().events, kind, std::move(text)});
}

void Watcher::say(const Job* job, std::string text) {
  keep(log_, {world_.nowUs(), job == nullptr ? -1 : static_cast<int32_t>(job->index), std::move(text)}, kLogMax);
}

void Watcher::onChange(const StoreChange& change) {
  ++checks_;
  for (const auto& job : world_.jobs()) {
    if (change.cause == ChangeCause::kApply && change.party == job->index) {
      of(*job).changedAtUs = world_.nowUs();
    }
  }
}

void Watcher::onAcked(const ClientWrite& write) {
  ++checks_;
  heat_.onAcked(write.key);
  count(ofStore(write.store), world_.nowUs());
  for (const auto& job : world_.jobs()) {
    if (job->contains(write.key)) count(of(*job).rate, world_.nowUs());
  }
}

uint64_t Watcher::load(uint32_t job) {
  tally(job);
  return perSecond(tallies_[job].rate, world_.nowUs());
}

uint64_t Watcher::storeLoad(uint16_t store) { return perSecond(ofStore(store), world_.nowUs()); }

void Watcher::countOwners() {
  gatesMoved_ = false;
  for (const auto& job : world_.jobs()) {
    if (!job->live || job->plan.ranges.empty()) continue;
    uint32_t owners = 0;
    for (const uint16_t id : world_.gatedStores()) {
      const GateRange* range = world_.gated(id).gateAt(job->plan.ranges.front().lo);
      owners += range != nullptr && range->state == GateState::kServing ? 1U : 0U;
    }
    if (owners > ownersMost_) ownersMost_ = owners;
  }
}

void Watcher::onBegun(const Job& job, const JournalImage* image) {
  ++of(job).begun;
  if (image == nullptr) return say(&job, "begins");
  mark(Mark::Kind::kRecovery, "job " + std::to_string(job.index) + " resumes from its journal");
  say(&job, "resumes from its journal");
}

void Watcher::onAction(const Job& job, const Action& action) {
  ++checks_;
  say(&job, std::string(stateName(job.state)) + ": " + saying(world_, job, action));
}

void Watcher::onCompleted(const Job& job, ActionKind kind, const Event& event) {
  ++checks_;
  Tally& tally = of(job);
  if (event.kind == EventKind::kFailed) {
    ++tally.retries;
    return say(&job, "failed: " + std::string(errorName(event.error)));
  }
  if (kind == ActionKind::kScan) ++tally.pages;
  if (kind == ActionKind::kPollFeed) tally.followed += event.count;
  if (kind == ActionKind::kApply) ++tally.written;
}

void Watcher::onJournal(const Job& job, const JournalPart& part) {
  ++checks_;
  of(job).journalBytes += part.bytes.size();
}

void Watcher::onState(const Job& job, MigrationState, MigrationState to) {
  ++checks_;
  Tally& tally = of(job);
  if (tally.phases.size() < kPhasesMax) tally.phases.push_back({to, world_.nowUs()});
  mark(Mark::Kind::kState, "job " + std::to_string(job.index) + ": " + std::string(stateName(to)));
  say(&job, "is " + std::string(stateName(to)));
}

void Watcher::onSent(uint64_t nowUs, uint64_t arrivalUs, const Message& message, Fate fate) {
  keep(flights_,
       {message.from, message.to, message.party, message.kind, fate, nowUs, arrivalUs, message.size()},
       kFlightsMax);
}

void Watcher::lookAt(const Node& node, Seen& seen) {
  const uint64_t nowUs = world_.nowUs();
  const auto tell = [&](bool is, bool& was, const char* begins, const char* ends) {
    if (is == was) return;
    was = is;
    const std::string text = nodeName(world_, node.id()) + (is ? begins : ends);
    mark(is ? Mark::Kind::kFault : Mark::Kind::kRecovery, text);
    say(nullptr, text);
  };
  gatesMoved_ = gatesMoved_ || node.isUp() != seen.up;  // it may have forgotten a gate
  bool down = !seen.up;
  tell(!node.isUp(), down, " dies", " is back");
  seen.up = !down;
  tell(node.isUp() && nowUs < node.pausedUntilUs, seen.paused, " stands still", " goes on");
  tell(node.isUp() && nowUs < node.slowUntilUs, seen.slow, " becomes slow", " is as fast as before");
  const auto* mover = node.kind() == NodeKind::kMover ? &world_.mover(node.id()) : nullptr;
  const bool full = mover != nullptr ? mover->disk().isFull(nowUs)
                                     : node.kind() == NodeKind::kStore && world_.store(node.id()).disk().isFull(nowUs);
  tell(node.isUp() && full, seen.full, " has a full disk", " has room on its disk again");
  if (mover != nullptr && mover->clockAheadUs() != seen.aheadUs) {
    seen.aheadUs = mover->clockAheadUs();
    bool jumped = false;
    tell(true, jumped, "'s clock jumps ahead", "");
  }
  // From most of the others: where one is cut off, the others miss only that one.
  uint32_t missed = 0, others = 0;
  for (const auto& other : world_.nodes()) {
    if (other->kind() == NodeKind::kClient || other->id() == node.id()) continue;
    ++others;
    missed += world_.network().isBlocked(nowUs, node.id(), other->id()) ? 1U : 0U;
  }
  tell(missed * 2 > others, seen.cut, " is cut off", " is connected again");
}

void Watcher::tellByHand(const Intervention& one) {
  const InterventionInfo& info = kInterventionInfos[static_cast<size_t>(one.kind)];
  const auto name = [this](uint32_t node) {
    return node < world_.nodes().size() ? nodeName(world_, static_cast<uint16_t>(node)) : "nobody";
  };
  std::string text = "by hand: " + std::string(info.name) + ' ';
  switch (info.argument) {
    case InterventionArgument::kNode: text += name(one.which); break;
    case InterventionArgument::kNodes:
      text += name(one.which >> 16) + " and " + name(one.which & 0xFFFFU);
      break;
    case InterventionArgument::kFault: text += kFaultInfos[one.which].name; break;
    case InterventionArgument::kSabotage:
      text += sabotageName(static_cast<Sabotage>(one.which));
      break;
  }
  mark(Mark::Kind::kByHand, text);
  say(nullptr, std::move(text));
}

void Watcher::look() {
  while (intervened_ < world_.intervened()) {
    tellByHand(world_.options().interventions[intervened_++]);
  }
  seen_.resize(world_.nodes().size());
  for (const auto& node : world_.nodes()) {
    if (node->kind() != NodeKind::kClient) lookAt(*node, seen_[node->id()]);
  }
  if (gatesMoved_) countOwners();
  if (world_.healed() != healed_) {
    healed_ = world_.healed();
    mark(Mark::Kind::kHealed, "everything heals");
    say(nullptr, "everything heals; from here on every migration has to end well");
  }
  const auto& violations = world_.report().violations;
  for (; violations_ < violations.size(); ++violations_) {
    const Violation& violation = violations[violations_];
    mark(Mark::Kind::kViolation, violation.oracle + ": " + violation.text);
    say(nullptr, "VIOLATION of " + violation.oracle + ": " + violation.text);
  }
}

}  // namespace keyhaul::sim
