// Embind: rare control calls as methods, the data path as one call over words in
// linear memory. Byte strings cross by address, never as std::string.
#include <emscripten/bind.h>

#include <string>
#include <vector>

#include "boundary.h"
#include "journal/receipt_json.h"
#include "keyhaul/engine.h"

namespace keyhaul {
namespace {

using emscripten::val;
using boundary::ActionWord;
using boundary::EventWord;
using boundary::ReadyWord;

constexpr uint32_t kEventsMax = 256;

uint32_t addressOf(const void* pointer) {
  return static_cast<uint32_t>(reinterpret_cast<uintptr_t>(pointer));
}

Instant instant(double us) { return Instant{us > 0 ? static_cast<uint64_t>(us) : 0}; }

uint64_t u64(const val& object, const char* name) {
  const double number = object[name].as<double>();
  return number >= 0 && number < 9.1e15 ? static_cast<uint64_t>(number) : 0;
}

uint32_t u32(const val& object, const char* name) {
  const uint64_t number = u64(object, name);
  return number > UINT32_MAX ? UINT32_MAX : static_cast<uint32_t>(number);
}

bool flag(const val& object, const char* name) { return object[name].as<bool>(); }

std::span<const std::byte> memory(uint32_t address, uint32_t bytes) {
  return {reinterpret_cast<const std::byte*>(static_cast<uintptr_t>(address)), bytes};
}

// Ranges as in a scan's payload: u32 loBytes, u32 hiBytes or 0xFFFFFFFF, lo, hi.
std::vector<KeyRange> readRanges(std::span<const std::byte> bytes, uint32_t count) {
  std::vector<KeyRange> ranges;
  const auto* at = reinterpret_cast<const char*>(bytes.data());
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t lengths[2];
    std::memcpy(lengths, at, sizeof lengths);
    at += sizeof lengths;
    KeyRange range;
    range.lo.assign(at, lengths[0]);
    at += lengths[0];
    if (lengths[1] != UINT32_MAX) {
      range.hi = Bound::at(Key(at, lengths[1]));
      at += lengths[1];
    }
    ranges.push_back(std::move(range));
  }
  return ranges;
}

Plan readPlan(const val& object) {
  Plan plan;
  plan.source = object["source"].as<std::string>();
  plan.target = object["target"].as<std::string>();
  plan.hostInfo = object["hostInfo"].as<std::string>();
  plan.sourceCapabilities.bits = u32(object, "sourceCapabilities");
  plan.targetCapabilities.bits = u32(object, "targetCapabilities");
  plan.mode = static_cast<MigrationMode>(u32(object, "mode"));
  plan.verify = static_cast<VerifyDepth>(u32(object, "verify"));
  plan.require = static_cast<GuaranteeLevel>(u32(object, "require"));
  plan.priority = static_cast<uint8_t>(u32(object, "priority"));
  plan.intoNonempty = flag(object, "intoNonempty");
  plan.repair = flag(object, "repair");
  plan.follow = flag(object, "follow");
  plan.checksumKind = static_cast<ChecksumKind>(u32(object, "checksumKind"));
  plan.pageBytes = u32(object, "pageBytes");
  plan.pageEntries = u32(object, "pageEntries");
  plan.lanes = u32(object, "lanes");
  plan.windowPages = u32(object, "windowPages");
  plan.durablePages = u32(object, "durablePages");
  plan.entryBytesMax = u64(object, "entryBytesMax");
  plan.expectedEntries = u64(object, "expectedEntries");
  plan.expectedBytes = u64(object, "expectedBytes");
  const auto key = memory(u32(object, "digestKeyAddress"), kDigestKeyBytes);
  std::memcpy(plan.digestKey.data(), key.data(), kDigestKeyBytes);
  plan.ranges = readRanges(memory(u32(object, "rangesAddress"), u32(object, "rangesBytes")),
                           u32(object, "rangeCount"));
  return plan;
}

val failure(ErrorCode code) {
  val result = val::object();
  result.set("error", static_cast<uint32_t>(code));
  return result;
}

template <typename T>
val idOr(const Result<T>& result) {
  if (!result.ok()) return failure(result.code());
  val object = failure(ErrorCode::kOk);
  object.set("id", result.value().value);
  return object;
}

class EngineHandle {
 public:
  EngineHandle(Engine engine) : engine_(std::move(engine)) {
    events_.resize(kEventsMax * boundary::kWords<EventWord>);
    ready_.resize(boundary::kWords<ReadyWord>);
  }

  static EngineHandle* create(const val& object) {
    Config config;
    config.slots = u32(object, "slots");
    config.sourceSlots = u32(object, "sourceSlots");
    config.targetSlots = u32(object, "targetSlots");
    config.bytesPerSecond = u64(object, "bytesPerSecond");
    config.progressEvery = milliseconds(u64(object, "progressEveryMs"));
    config.stallBase = milliseconds(u64(object, "stallMs"));
    config.retriesMax = u32(object, "retriesMax");
    config.verifyRoundsMax = u32(object, "verifyRoundsMax");
    config.differencesMax = u32(object, "differencesMax");
    auto engine = Engine::create(config);
    return engine.ok() ? new EngineHandle(std::move(engine).value()) : nullptr;
  }

  uint32_t eventsAddress() const { return addressOf(events_.data()); }
  uint32_t readyAddress() const { return addressOf(ready_.data()); }

  // Returns the next deadline in microseconds, or -1 for none.
  double step(double nowUs, uint32_t eventCount) {
    incoming_.clear();
    for (uint32_t i = 0; i < eventCount && i < kEventsMax; ++i) {
      incoming_.push_back(boundary::readEvent(&events_[i * boundary::kWords<EventWord>]));
    }
    const Ready ready = engine_.step(instant(nowUs), incoming_);
    actions_.clear();
    notices_.clear();
    for (const Action& action : ready.actions) {
      boundary::writeAction(action, addressOf(engine_.bytes(action.payload).data()), actions_);
    }
    for (const Notice& notice : ready.notices) {
      boundary::writeNotice(notice, addressOf(engine_.bytes(notice.payload).data()), notices_);
    }
    const auto set = [this](ReadyWord word, uint32_t value) {
      ready_[static_cast<size_t>(word)] = value;
    };
    set(ReadyWord::actions, addressOf(actions_.data()));
    set(ReadyWord::actionCount, static_cast<uint32_t>(ready.actions.size()));
    set(ReadyWord::notices, addressOf(notices_.data()));
    set(ReadyWord::noticeCount, static_cast<uint32_t>(ready.notices.size()));
    set(ReadyWord::more, ready.more ? 1 : 0);
    return ready.nextDeadline == kNever ? -1.0 : static_cast<double>(ready.nextDeadline.us);
  }

  val addNode(const std::string& name) { return idOr(engine_.addNode(name)); }

  // {error, id} or {error, first, second, missing, field}.
  val start(double nowUs, const val& plan, uint32_t source, uint32_t target, bool journal) {
    PlanProblem problem;
    Result<ValidPlan> valid = validatePlan(readPlan(plan), &problem);
    if (!valid.ok()) {
      val result = failure(valid.code());
      result.set("first", problem.first);
      result.set("second", problem.second);
      result.set("missing", problem.missing);
      result.set("field", std::string(problem.field));
      return result;
    }
    return idOr(engine_.start(instant(nowUs), std::move(valid).value(), NodeId{source},
                              NodeId{target}, journal));
  }
  val resume(double nowUs, uint32_t address, uint32_t bytes, uint32_t source, uint32_t target) {
    Result<JournalImage> image = readJournal(memory(address, bytes));
    if (!image.ok()) return failure(image.code());
    return idOr(engine_.resume(instant(nowUs), std::move(image).value(), NodeId{source},
                               NodeId{target}));
  }

  uint32_t pause(uint32_t id) { return code(engine_.pause(MigrationId{id})); }
  uint32_t unpause(uint32_t id) { return code(engine_.unpause(MigrationId{id})); }
  uint32_t stop(uint32_t id) { return code(engine_.stop(MigrationId{id})); }
  uint32_t cancel(uint32_t id) { return code(engine_.cancel(MigrationId{id})); }
  uint32_t finish(uint32_t id) { return code(engine_.finish(MigrationId{id})); }
  uint32_t forget(uint32_t id) { return code(engine_.forget(MigrationId{id})); }
  uint32_t setRate(double nowUs, uint32_t id, double bytesPerSecond) {
    const auto rate = bytesPerSecond > 0 ? static_cast<uint64_t>(bytesPerSecond) : 0;
    return code(engine_.setRate(instant(nowUs), MigrationId{id}, rate));
  }

  // The address of a fresh buffer, 0 when there is no room; its id is in acquired().
  uint32_t acquire(uint32_t bytes) {
    acquired_ = {};
    const auto span = engine_.acquire(bytes, acquired_);
    return acquired_ ? addressOf(span.data()) : 0;
  }
  uint32_t acquired() const { return acquired_.value; }
  void release(uint32_t id) { engine_.release(BufferId{id}); }

  val inspect(double nowUs, uint32_t id) const {
    const auto view = engine_.inspect(instant(nowUs), MigrationId{id});
    if (!view) return val::null();
    val object = val::object();
    object.set("state", std::string(stateName(view->state)));
    object.set("paused", view->paused);
    object.set("error", static_cast<uint32_t>(view->error));
    object.set("level", static_cast<uint32_t>(view->level));
    object.set("verified", view->verified);
    const auto number = [&object](const char* name, uint64_t value) {
      object.set(name, static_cast<double>(value));
    };
    number("entries", view->entries);
    number("bytes", view->bytes);
    number("totalEntries", view->totalEntries);
    number("totalBytes", view->totalBytes);
    number("bytesPerSecond", view->bytesPerSecond);
    object.set("etaMs", view->eta.us == UINT64_MAX ? -1.0 : static_cast<double>(view->eta.us) / 1e3);
    object.set("caughtUp", view->caughtUp);
    number("differences", view->differences);
    return object;
  }
  // JSON; empty for an unknown id.
  std::string receipt(uint32_t id) const {
    std::string json;
    if (const auto receipt = engine_.receipt(MigrationId{id})) putReceiptJson(json, *receipt);
    return json;
  }
  double staleCompletions() const { return static_cast<double>(engine_.staleCompletions()); }
  double bufferBytes() const { return static_cast<double>(engine_.bufferBytes()); }

 private:
  static uint32_t code(Status status) { return static_cast<uint32_t>(status.code()); }

  Engine engine_;
  std::vector<Event> incoming_;
  boundary::Words events_, ready_, actions_, notices_;
  BufferId acquired_;
};

// What a resume has to know before it opens stores: the plan and where it stands.
val inspectJournal(uint32_t address, uint32_t bytes) {
  Result<JournalImage> image = readJournal(memory(address, bytes));
  if (!image.ok()) return failure(image.code());
  const Plan& plan = image->plan.plan();
  val object = failure(ErrorCode::kOk);
  object.set("source", plan.source);
  object.set("target", plan.target);
  object.set("mode", std::string(modeName(plan.mode)));
  object.set("level", static_cast<uint32_t>(image->plan.level()));
  object.set("hostInfo", plan.hostInfo);
  object.set("state", std::string(stateName(image->state)));
  object.set("stopped", image->stopped ? static_cast<uint32_t>(image->stopped->code) : 0);
  object.set("torn", image->torn);
  object.set("validBytes", static_cast<double>(image->validBytes));
  object.set("copiedEntries", static_cast<double>(image->totals.copiedEntries));
  object.set("copiedBytes", static_cast<double>(image->totals.copiedBytes));
  object.set("incarnation", image->incarnation);
  std::string receipt;
  if (image->receipt) putReceiptJson(receipt, *image->receipt);
  object.set("receipt", receipt);
  return object;
}

std::string describe(uint32_t address, uint32_t bytes) {
  return describeJournal(memory(address, bytes));
}

}  // namespace

EMSCRIPTEN_BINDINGS(keyhaul_engine) {
  emscripten::class_<EngineHandle>("Engine")
      .class_function("create", &EngineHandle::create, emscripten::allow_raw_pointers())
      .function("eventsAddress", &EngineHandle::eventsAddress)
      .function("readyAddress", &EngineHandle::readyAddress)
      .function("step", &EngineHandle::step)
      .function("addNode", &EngineHandle::addNode)
      .function("start", &EngineHandle::start)
      .function("resume", &EngineHandle::resume)
      .function("pause", &EngineHandle::pause)
      .function("unpause", &EngineHandle::unpause)
      .function("stop", &EngineHandle::stop)
      .function("cancel", &EngineHandle::cancel)
      .function("finish", &EngineHandle::finish)
      .function("forget", &EngineHandle::forget)
      .function("setRate", &EngineHandle::setRate)
      .function("acquire", &EngineHandle::acquire)
      .function("acquired", &EngineHandle::acquired)
      .function("release", &EngineHandle::release)
      .function("inspect", &EngineHandle::inspect)
      .function("receipt", &EngineHandle::receipt)
      .function("staleCompletions", &EngineHandle::staleCompletions)
      .function("bufferBytes", &EngineHandle::bufferBytes);
  emscripten::function("inspectJournal", &inspectJournal);
  emscripten::function("describeJournal", &describe);
}

}  // namespace keyhaul
