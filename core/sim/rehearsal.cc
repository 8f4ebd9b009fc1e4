#include "rehearsal.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "forecaster.h"
#include "gated_store.h"
#include "json.h"
#include "mover.h"
#include "options.h"
#include "register.h"
#include "store.h"
#include "world.h"

namespace keyhaul::sim {
namespace {

constexpr uint64_t kEntriesMost = 20'000;         // simulated
constexpr uint64_t kWritesASecondMost = 1'000;    // simulated
constexpr uint64_t kWritesMost = 40'000;          // simulated, of a whole run
constexpr uint64_t kWritesAClient = 40;           // in a second
constexpr uint64_t kClientsMost = 32;
constexpr uint64_t kRowBytes = 32;
constexpr uint64_t kPageBytesLeast = 1'024;  // of a plan
constexpr uint64_t kBusiestPermille = 950;

std::string keyName(uint64_t index) {
  std::string digits = std::to_string(index);
  return "k" + std::string(9 - digits.size(), '0') + digits;
}

// Of the rates of faults.def, a small part: of a machine that is alive and busy.
void setMildFaults(World& world) {
  Faults& faults = world.faults();
  faults.set(FaultKind::kStoreError, 500);
  faults.set(FaultKind::kDiskSlow, 2'000);
  faults.set(FaultKind::kStorePause, 100);
  faults.set(FaultKind::kStoreSlow, 200);
  faults.set(FaultKind::kMoverPause, 100);
  if (world.hasRegister()) faults.set(FaultKind::kRegisterError, 5'000);
}

Plan planOf(const World& world, const Rehearsal& model, const Job& job) {
  Plan plan;
  plan.source = world.store(job.source).name();
  plan.target = world.store(job.target).name();
  uint32_t bits = 0;
  for (const Capability capability : {Capability::kScan, Capability::kApply, Capability::kStats}) {
    bits |= static_cast<uint32_t>(capability);
  }
  if (model.live()) {
    for (const Capability capability : {Capability::kFeed, Capability::kFence,
                                        Capability::kReadFence, Capability::kActivate}) {
      bits |= static_cast<uint32_t>(capability);
    }
  }
  plan.sourceCapabilities.bits = plan.targetCapabilities.bits = bits;
  plan.mode = static_cast<MigrationMode>(model.mode);
  plan.verify = static_cast<VerifyDepth>(model.verify);
  if (model.mode == 2) plan.verify = std::max(plan.verify, VerifyDepth::kTarget);
  plan.pageEntries = static_cast<uint32_t>(model.pageRows);
  plan.pageBytes = static_cast<uint32_t>(std::max(kPageBytesLeast, model.pageRows * kRowBytes));
  plan.windowPages = static_cast<uint32_t>(model.windowPages);
  plan.durablePages = static_cast<uint32_t>(model.durablePages);
  plan.pauseBudgetMs = static_cast<uint32_t>(std::max<uint64_t>(10, model.pauseBudgetMs));
  plan.durable = true;
  plan.claim[0] = 1;
  plan.ranges.push_back(
      KeyRange::inclusive(keyName(0), keyName(model.simulatedEntries - 1)).value());
  return plan;
}

void addWriters(World& world, const Rehearsal& model) {
  if (model.writes == 0) return;
  // A second holds so many millionths of a simulated write.
  const uint64_t perMillion = model.writes * 1'000'000 / model.scale;
  const uint64_t wanted = perMillion / 1'000'000 / kWritesAClient + 1;
  const auto clients = static_cast<uint32_t>(std::min(wanted, kClientsMost));
  Space& space = world.space();
  space.thinkUs = std::max<uint64_t>(1, clients * 1'000'000'000'000 / std::max<uint64_t>(1, perMillion));
  space.deletePercent = 0;
  space.stopUs = UINT64_MAX;
  for (uint32_t i = 0; i < clients; ++i) world.addRoutedClient(i, clients);
}

void build(World& world, const Rehearsal& model) {
  world.network().inProcess();
  if (model.live()) {
    for (const char* name : {"source", "target"}) world.addGatedStore(name);
    OwnershipMap map;
    const KeyRange all{Key(), Bound::infinity()};
    static_cast<void>(map.assign(all, "source"));
    world.gated(0).setUpGate(all);
    world.addRegister().setUp(map);
  } else {
    for (const char* name : {"source", "target"}) world.addStore(name);
  }
  Config config;
  config.checkpointEvery = seconds(1);  // as the package has it (js/src/migrate.ts)
  if (model.rate != 0) {
    // As many simulated bytes as stand for the real ones.
    const uint64_t simulated = model.simulatedEntries * kRowBytes;
    config.bytesPerSecond =
        std::max<uint64_t>(1, model.rate * simulated / std::max<uint64_t>(1, model.bytes));
  }
  const uint16_t mover = world.addMover(config).id();
  Job& job = world.addJob();
  job.live = model.live();
  job.mover = mover;
  job.source = 0;
  job.target = 1;
  job.startUs = world.options().seed % 97 * 1'000;  // seeds begin at different phases
  if (job.live) job.registerNode = world.registerId();
  job.plan = planOf(world, model, job);
  const std::string value(kRowBytes - keyName(0).size(), 'v');
  for (uint64_t i = 0; i < model.simulatedEntries; ++i) {
    const std::string key = keyName(i);
    world.space().keys.push_back(key);
    world.store(0).setUp(key, value);
  }
  if (job.live) addWriters(world, model);
  if (model.mild != 0) setMildFaults(world);
}

}  // namespace

uint64_t Rehearsal::stretched(uint64_t us) const {
  const uint64_t busy = std::min(writes * putNs / 1'000'000, kBusiestPermille);
  return us * 1'000 / (1'000 - busy);
}

uint64_t Rehearsal::leastUs() const {
  const uint64_t ownNs = live() ? copyNs * 100 / sharePercent : copyNs;
  uint64_t us = entries * std::max({readNs, writeNs, ownNs}) / 1'000;
  if (rate != 0) us = std::max(us, bytes * 1'000 / rate * 1'000);
  if (verify != 0) us += entries * std::max(readNs, verifyNs) / 1'000;
  return us;
}

void Rehearsal::prepare() {
  entries = std::max<uint64_t>(entries, 1);
  const uint64_t writesInAll = writes * (leastUs() / 1'000'000 + 1);
  scale = std::max({uint64_t{1}, (entries + kEntriesMost - 1) / kEntriesMost,
                    writes / kWritesASecondMost, writesInAll / kWritesMost});
  simulatedEntries = std::max<uint64_t>(1, entries / scale);
  const uint64_t entryBytes = std::max<uint64_t>(1, bytes / entries);
  const uint64_t rows = std::max<uint64_t>(1, std::min(pageEntries, pageBytes / entryBytes));
  pageRows = std::max<uint64_t>(1, rows / scale);
  // The simulated pages are small whatever they stand for.
  if (rows * entryBytes >= kLargePageBytes) windowPages = std::min<uint64_t>(windowPages, kLargePagesMost);
}

std::optional<Rehearsal> parseRehearsal(std::string_view text) {
  Rehearsal model;
  while (!text.empty()) {
    const size_t comma = text.find(','), equals = text.find('=');
    if (equals == std::string_view::npos || equals > comma) return std::nullopt;
    const std::string_view name = text.substr(0, equals);
    const std::string_view digits = text.substr(0, comma).substr(equals + 1);
    uint64_t number = 0;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size()) return std::nullopt;
    bool known = false;
#define KEYHAUL_REHEARSED(field, text, standard, most, what) \
  if (name == (text) && number <= (most)) {                  \
    model.field = number;                                    \
    known = true;                                            \
  }
#include "rehearsal.def"
#undef KEYHAUL_REHEARSED
    if (!known) return std::nullopt;
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
  }
  const bool sane = model.sharePercent != 0 && model.pageEntries != 0 && model.pageBytes != 0 &&
                    model.windowPages != 0 && model.durablePages != 0 && model.mode != 0 &&
                    model.mode != 3 && (model.writes == 0 || model.live());
  if (!sane) return std::nullopt;
  model.prepare();
  return model;
}

std::string rehearse(const Options& options) {
  const Rehearsal& model = *options.rehearsal;
  World world(options);
  auto watching = std::make_unique<Forecaster>(world);
  const Forecaster& forecaster = *watching;
  world.addOracle(std::move(watching));
  build(world, model);
  const Report report = world.run();
  const Job& job = world.job(0);
  const Totals& totals = job.receipt.totals;
  const auto number = [](std::string_view name, uint64_t value) {
    return ",\"" + std::string(name) + "\":" + std::to_string(value);
  };
  const std::string state(job.ended() ? stateName(job.state) : "unfinished");
  return "{\"seed\":" + quoted(std::to_string(options.seed)) + ",\"hash\":" +
         quoted(hex(report.hash)) + ",\"state\":" + quoted(state) + ",\"reason\":" +
         quoted(errorName(job.reason)) + number("events", report.events) +
         number("durationUs", forecaster.durationUs()) + number("copyUs", forecaster.copyUs()) +
         number("pauseUs", forecaster.pauseUs()) +
         number("pauseForecastUs", totals.pauseForecastUs) + number("postponed", totals.postponed) +
         number("rounds", forecaster.rounds()) +
         number("lagChanges", forecaster.lagChanges() * model.scale) +
         number("feedChanges", totals.feedChanges * model.scale) +
         number("comparedAgain", totals.rechecked * model.scale) +
         number("retries", totals.retries) + number("scale", model.scale) +
         number("pageEntries", model.pageRows * model.scale) + "}";
}

}  // namespace keyhaul::sim
