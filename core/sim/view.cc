#include "view.h"

#include <algorithm>
#include <array>

#include "gated_store.h"
#include "json.h"
#include "mover.h"
#include "sides.h"
#include "store.h"
#include "watcher.h"
#include "world.h"

namespace keyhaul::sim {
namespace {

// A range is drawn in so many cells.
constexpr size_t kCells = 48;

std::string n(uint64_t value) { return std::to_string(value); }

std::string_view kindName(NodeKind kind) {
  if (kind == NodeKind::kStore) return "store";
  if (kind == NodeKind::kMover) return "mover";
  if (kind == NodeKind::kRegister) return "register";
  return kind == NodeKind::kClient ? "client" : "other";
}

// What it holds, how much it is written, and what fails together with it: "b"; empty: nothing does.
std::string storeJson(const World& world, const StoreNode& store, Watcher& watcher) {
  uint64_t bytes = 0;
  for (const auto& [key, value] : store.entries()) bytes += key.size() + value.size();
  const std::string zone(store.zone == 0 ? 0 : 1, static_cast<char>('a' + store.zone - 1));
  return std::string(",\"full\":") + (store.disk().isFull(world.nowUs()) ? "1" : "0") + ",\"entries\":" +
         n(store.entries().size()) + ",\"bytes\":" + n(bytes) + ",\"load\":" +
         n(watcher.storeLoad(store.id())) + ",\"zone\":" + quoted(zone);
}

std::string nodeJson(const World& world, const Node& node, Watcher& watcher) {
  const uint64_t nowUs = world.nowUs();
  std::string json = "{\"kind\":" + quoted(kindName(node.kind())) + ",\"name\":" +
                     quoted(nodeName(world, node.id())) + ",\"up\":" + (node.isUp() ? "1" : "0") +
                     ",\"paused\":" + (nowUs < node.pausedUntilUs ? "1" : "0") + ",\"slow\":" +
                     (nowUs < node.slowUntilUs ? "1" : "0") + ",\"boot\":" + n(node.boot());
  if (node.kind() == NodeKind::kMover) {
    const MoverNode& mover = world.mover(node.id());
    json += std::string(",\"full\":") + (mover.disk().isFull(nowUs) ? "1" : "0") + ",\"aheadUs\":" +
            n(mover.clockAheadUs());
  }
  if (node.kind() == NodeKind::kStore) json += storeJson(world, world.store(node.id()), watcher);
  json += ",\"cutFrom\":[";
  bool first = true;
  for (const auto& other : world.nodes()) {
    if (other->id() == node.id() || !world.network().isBlocked(nowUs, node.id(), other->id())) continue;
    json += (first ? "" : ",") + n(other->id());
    first = false;
  }
  return json + "]}";
}

// One digit a cell: how much of it, in ninths, and never 0 for some or 9 for less than all.
std::string digits(const std::array<Cell, kCells>& cells, uint32_t Cell::*part) {
  std::string text;
  for (const Cell& cell : cells) {
    const uint32_t some = cell.*part;
    uint32_t digit = 0;
    if (some != 0) digit = some == cell.keys ? 9 : std::clamp<uint32_t>(some * 9 / cell.keys, 1, 8);
    text += static_cast<char>('0' + digit);
  }
  return text;
}

std::string_view phaseName(Job::Phase phase) {
  switch (phase) {
    case Job::Phase::kWaiting: return "waiting";
    case Job::Phase::kGreeting: return "greeting";
    case Job::Phase::kRunning: return "running";
    case Job::Phase::kStopped: return "stopped";
    case Job::Phase::kEnded: return "ended";
  }
  return "";
}

// What the gate of a store says of the range, for people: "serving, epoch 3". Empty: not live.
std::string gateText(const World& world, const Job& job, uint16_t store,
                     const std::vector<std::string>& keys) {
  if (!job.live || keys.empty()) return {};
  const GateRange* range = world.gated(store).gateAt(keys.front());
  if (range == nullptr || range->state == GateState::kAbsent) return "not here";
  return std::string(gateStateName(range->state)) + ", epoch " + n(range->epoch);
}

// What the engine itself knows while it runs: null when it does not.
std::string engineJson(const World& world, const Job& job) {
  const Engine* engine = world.mover(job.mover).engine();
  if (engine == nullptr || job.phase != Job::Phase::kRunning) return "null";
  const auto seen = engine->inspect(world.mover(job.mover).now(), job.id);
  if (!seen) return "null";
  const auto us = [](Duration duration) {
    return duration.us == UINT64_MAX ? std::string("null") : n(duration.us);
  };
  std::string json = "{\"etaUs\":" + us(seen->eta) + ",\"entries\":" + n(seen->entries) +
                     ",\"totalEntries\":" + n(seen->totalEntries) + ",\"differences\":" +
                     n(seen->differences);
  if (seen->live) {
    const LiveView& live = *seen->live;
    json += ",\"waits\":" + quoted(live.text) + ",\"lag\":" + n(live.lagChanges) +
            ",\"toCompare\":" + n(live.toCompare) + ",\"forecastUs\":" + us(live.forecast) +
            ",\"budgetUs\":" + us(live.budget) + ",\"pausedUs\":" + n(live.paused.us) +
            ",\"postponed\":" + n(live.postponed);
  }
  return json + '}';
}

std::string jobJson(const World& world, const Job& job, Watcher& watcher) {
  const Watcher::Tally& tally = watcher.tally(job.index);
  const std::vector<std::string> keys = keysOf(world, job);
  std::array<Cell, kCells> cells;
  compare(world, job, keys, cells);
  uint64_t atSource = 0, atTarget = 0, differ = 0, sourceBytes = 0, targetBytes = 0;
  for (const Cell& cell : cells) {
    atSource += cell.source;
    atTarget += cell.target;
    differ += cell.differ;
    sourceBytes += cell.sourceBytes;
    targetBytes += cell.targetBytes;
  }
  const Totals& totals = job.receipt.totals;
  std::string json =
      "{\"source\":" + n(job.source) + ",\"target\":" + n(job.target) + ",\"mover\":" + n(job.mover) +
      ",\"mode\":" + quoted(modeName(job.plan.mode)) + ",\"follow\":" + (job.plan.follow ? "1" : "0") +
      ",\"phase\":" + quoted(phaseName(job.phase)) + ",\"state\":" + quoted(stateName(job.state)) +
      ",\"verified\":" + (job.receipt.verified ? "1" : "0") + ",\"epoch\":" + n(job.session) +
      ",\"startUs\":" + n(job.startUs) + ",\"writers\":" + n(job.writersLeft) + ",\"keys\":" +
      n(keys.size()) + ",\"first\":" + quoted(keys.empty() ? "" : keys.front()) +
      ",\"last\":" + quoted(keys.empty() ? "" : keys.back()) + ",\"atSource\":" + n(atSource) +
      ",\"atTarget\":" + n(atTarget) + ",\"differ\":" + n(differ) + ",\"bytes\":[" + n(sourceBytes) +
      ',' + n(targetBytes) + "],\"load\":" + n(watcher.load(job.index)) + ",\"cells\":[" +
      quoted(digits(cells, &Cell::source)) + ',' + quoted(digits(cells, &Cell::target)) + ',' +
      quoted(digits(cells, &Cell::differ)) + "],\"gates\":[" +
      quoted(gateText(world, job, job.source, keys)) + ',' +
      quoted(gateText(world, job, job.target, keys)) + "],\"pages\":" + n(tally.pages) + ",\"followed\":" +
      n(tally.followed) + ",\"retries\":" + n(tally.retries) + ",\"begun\":" + n(tally.begun) +
      ",\"journalBytes\":" + n(tally.journalBytes) + ",\"pauseUs\":" + n(totals.pauseUs) +
      ",\"engine\":" + engineJson(world, job) + ",\"phases\":[";
  for (size_t i = 0; i < tally.phases.size(); ++i) {
    json += (i == 0 ? "[" : ",[") + n(tally.phases[i].fromUs) + ',' +
            quoted(stateName(tally.phases[i].state)) + ']';
  }
  return json + "]}";
}

std::string violationsJson(const Report& report) {
  std::string json;
  for (const Violation& v : report.violations) {
    json += (json.empty() ? "{" : ",{") + ("\"oracle\":" + quoted(v.oracle)) + ",\"text\":" +
            quoted(v.text) + ",\"key\":" + quoted(v.key) + ",\"harm\":" + quoted(harmName(v.harm)) + ",\"timeUs\":" + n(v.timeUs) +
            ",\"event\":" + n(v.event) + '}';
  }
  return json;
}

}  // namespace

std::string viewOf(const World& world, Watcher& watcher, bool ended) {
  const Report& report = world.report();
  const Report::Counts& c = report.counts;
  std::string json = "{\"timeUs\":" + n(world.nowUs()) + ",\"event\":" + n(report.events) +
                     ",\"hash\":" + quoted(hex(world.hash())) + ",\"healed\":" +
                     (world.healed() ? "1" : "0") + ",\"ended\":" + (ended ? "1" : "0") +
                     ",\"checks\":" + n(watcher.checks()) + ",\"ownersMost\":" +
                     n(watcher.ownersMost()) + ",\"clientOps\":" + n(c.clientOps) +
                     ",\"clientAcks\":" + n(c.clientAcks) + ",\"crashes\":" + n(c.crashes) +
                     ",\"resumes\":" + n(c.resumes) + ",\"messages\":" + n(world.network().sent()) +
                     ",\"damaged\":" + n(c.damaged) + ",\"sabotage\":" +
                     quoted(sabotageName(world.options().sabotage)) + ",\"nodes\":[";
  for (const auto& node : world.nodes()) json += (node->id() == 0 ? "" : ",") + nodeJson(world, *node, watcher);
  json += "],\"jobs\":[";
  // Spare ones stand at the end, and most are never needed.
  const auto isIdle = [&](uint32_t job) { return world.job(job).spare && !world.job(job).begun; };
  auto shown = static_cast<uint32_t>(world.jobs().size());
  while (shown > 0 && isIdle(shown - 1)) --shown;
  for (uint32_t i = 0; i < shown; ++i) {
    json += (i == 0 ? "" : ",") + jobJson(world, world.job(i), watcher);
  }
  json += "],\"oracles\":[";
  bool first = true;
  for (const auto& oracle : world.oracles()) {
    if (oracle->name() == "watcher" || oracle->name() == "life") continue;
    json += (first ? "" : ",") + quoted(oracle->name());
    first = false;
  }
  json += "],\"violations\":[" + violationsJson(report) + "],\"rates\":[";
  for (uint32_t i = 0; i < kFaultKinds; ++i) {
    json += (i == 0 ? "" : ",") + n(world.faults().rate(static_cast<FaultKind>(i)));
  }
  json += "],\"flights\":[";
  first = true;
  for (const Flight& f : watcher.takeFlights()) {
    json += (first ? "[" : ",[") + n(f.from) + ',' + n(f.to) + ',' + n(static_cast<uint32_t>(f.kind)) +
            ',' + n(static_cast<uint32_t>(f.fate)) + ',' + n(f.sentUs) + ',' + n(f.arrivalUs) + ',' +
            n(f.bytes) + ',' + n(f.party) + ']';
    first = false;
  }
  json += "],\"log\":[";
  first = true;
  for (const LogLine& l : watcher.takeLog()) {
    json += (first ? "[" : ",[") + n(l.timeUs) + ',' + std::to_string(l.job) + ',' + quoted(l.text) + ']';
    first = false;
  }
  return json + "]}";
}

}  // namespace keyhaul::sim
