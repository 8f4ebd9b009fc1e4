// Embind: rare control calls, and the data path as one call over words in linear
// memory. Byte strings cross by address; a plan crosses as the journal's plan record.
#include "keyhaul/engine.h"

#include <emscripten/bind.h>

#include "base/bytes.h"
#include "base/json.h"
#include "boundary.h"
#include "handles.h"
#include "journal/codec.h"
#include "journal/receipt_json.h"

namespace keyhaul {
namespace {

using boundary::ActionWord;
using boundary::addressOf;
using boundary::EventWord;
using boundary::failure;
using boundary::instant;
using boundary::memory;
using boundary::ReadyWord;
using boundary::text;

constexpr uint32_t kEventsMax = 256;
constexpr uint8_t kPlanRecord = 1;  // core/src/journal/FORMAT.md

struct Host {
  explicit Host(Engine e) : engine(std::move(e)) {
    events.resize(kEventsMax * boundary::kWords<EventWord>);
    ready.resize(boundary::kWords<ReadyWord>);
  }
  Engine engine;
  std::vector<Event> incoming;
  boundary::Words events, ready, actions, notices;
  BufferId acquired;
};

boundary::Handles<Host>& hosts() {
  static boundary::Handles<Host> all;
  return all;
}

// 0 when the configuration is refused.
uint32_t create(uint32_t words) {
  auto engine = Engine::create(boundary::readConfig(reinterpret_cast<const uint32_t*>(words)));
  return engine.ok() ? hosts().add(std::make_unique<Host>(std::move(engine).value())) : 0;
}
void destroy(uint32_t handle) { hosts().remove(handle); }
uint32_t eventsAddress(uint32_t handle) { return addressOf(hosts()[handle].events.data()); }
uint32_t readyAddress(uint32_t handle) { return addressOf(hosts()[handle].ready.data()); }

// Returns the next deadline in microseconds, or -1 for none.
double step(uint32_t handle, double nowUs, uint32_t eventCount) {
  Host& host = hosts()[handle];
  host.incoming.clear();
  for (uint32_t i = 0; i < eventCount && i < kEventsMax; ++i) {
    host.incoming.push_back(boundary::readEvent(&host.events[i * boundary::kWords<EventWord>]));
  }
  const Ready ready = host.engine.step(instant(nowUs), host.incoming);
  host.actions.clear();
  host.notices.clear();
  for (const Action& action : ready.actions) {
    boundary::writeAction(action, addressOf(host.engine.bytes(action.payload).data()), host.actions);
  }
  for (const Notice& notice : ready.notices) {
    boundary::writeNotice(notice, addressOf(host.engine.bytes(notice.payload).data()), host.notices);
  }
  const auto set = [&host](ReadyWord word, uint32_t value) {
    host.ready[static_cast<size_t>(word)] = value;
  };
  set(ReadyWord::actions, addressOf(host.actions.data()));
  set(ReadyWord::actionCount, static_cast<uint32_t>(ready.actions.size()));
  set(ReadyWord::notices, addressOf(host.notices.data()));
  set(ReadyWord::noticeCount, static_cast<uint32_t>(ready.notices.size()));
  set(ReadyWord::more, ready.more ? 1 : 0);
  return ready.nextDeadline == kNever ? -1.0 : static_cast<double>(ready.nextDeadline.us);
}

template <typename T>
double idOr(const Result<T>& result) {
  return result.ok() ? result.value().value : failure(result.code());
}

double addNode(uint32_t handle, uint32_t address, uint32_t bytes) {
  return idOr(hosts()[handle].engine.addNode(std::string(asView(memory(address, bytes)))));
}

// An id; or an error, with what is wrong in text() as {first, second, missing, field, least, most}.
double start(uint32_t handle, double nowUs, uint32_t address, uint32_t bytes, uint32_t source,
             uint32_t target, uint32_t journal) {
  text().clear();
  Record record;
  if (!decodePayload(kPlanRecord, asView(memory(address, bytes)), record)) return failure(ErrorCode::kInvalidArgument);
  PlanProblem problem;
  auto valid = validatePlan(std::move(std::get<PlanRecord>(record).plan), &problem);
  if (!valid.ok()) {
    JsonObject json(text());
    json.number("first", problem.first);
    json.number("second", problem.second);
    json.number("missing", problem.missing);
    json.text("field", problem.field);
    json.number("least", problem.least);
    json.number("most", problem.most);
    json.close();
    return failure(valid.code());
  }
  return idOr(hosts()[handle].engine.start(instant(nowUs), std::move(valid).value(),
                                           NodeId{source}, NodeId{target}, journal != 0));
}
double resume(uint32_t handle, double nowUs, uint32_t address, uint32_t bytes, uint32_t source,
              uint32_t target) {
  auto image = readJournal(memory(address, bytes));
  if (!image.ok()) return failure(image.code());
  return idOr(hosts()[handle].engine.resume(instant(nowUs), std::move(image).value(),
                                            NodeId{source}, NodeId{target}));
}

uint32_t control(uint32_t handle, uint32_t verb, uint32_t migration) {
  Engine& engine = hosts()[handle].engine;
  const MigrationId id{migration};
  switch (static_cast<boundary::ControlWord>(verb)) {
    case boundary::ControlWord::pause: return static_cast<uint32_t>(engine.pause(id).code());
    case boundary::ControlWord::unpause: return static_cast<uint32_t>(engine.unpause(id).code());
    case boundary::ControlWord::stop: return static_cast<uint32_t>(engine.stop(id).code());
    case boundary::ControlWord::cancel: return static_cast<uint32_t>(engine.cancel(id).code());
    case boundary::ControlWord::finish: return static_cast<uint32_t>(engine.finish(id).code());
    case boundary::ControlWord::forget: return static_cast<uint32_t>(engine.forget(id).code());
    case boundary::ControlWord::removeNode:
      return static_cast<uint32_t>(engine.removeNode(NodeId{migration}).code());
    case boundary::ControlWord::reverse: return static_cast<uint32_t>(engine.reverse(id).code());
    case boundary::ControlWord::closeWindow: return static_cast<uint32_t>(engine.closeWindow(id).code());
    case boundary::ControlWord::giveUpSource: return static_cast<uint32_t>(engine.giveUpSource(id).code());
    case boundary::ControlWord::count_: break;
  }
  return static_cast<uint32_t>(ErrorCode::kInvalidArgument);
}
void setWallClock(uint32_t handle, double nowUs, double unixMs) {
  hosts()[handle].engine.setWallClock(instant(nowUs), unixMs > 0 ? static_cast<uint64_t>(unixMs) : 0);
}
uint32_t setRate(uint32_t handle, double nowUs, uint32_t id, double bytesPerSecond) {
  const auto rate = bytesPerSecond > 0 ? static_cast<uint64_t>(bytesPerSecond) : 0;
  return static_cast<uint32_t>(
      hosts()[handle].engine.setRate(instant(nowUs), MigrationId{id}, rate).code());
}

// The address of a fresh buffer, 0 when there is no room; its id is in acquired().
uint32_t acquire(uint32_t handle, uint32_t bytes) {
  Host& host = hosts()[handle];
  host.acquired = {};
  const auto span = host.engine.acquire(bytes, host.acquired);
  return host.acquired ? addressOf(span.data()) : 0;
}
uint32_t acquired(uint32_t handle) { return hosts()[handle].acquired.value; }
void release(uint32_t handle, uint32_t id) { hosts()[handle].engine.release(BufferId{id}); }

void putViewJson(std::string& out, const MigrationView& view) {
  JsonObject json(out);
  json.text("state", stateName(view.state));
  json.boolean("paused", view.paused);
  json.number("entries", view.entries);
  json.number("bytes", view.bytes);
  json.number("totalEntries", view.totalEntries);
  json.number("totalBytes", view.totalBytes);
  json.number("bytesPerSecond", view.bytesPerSecond);
  if (view.eta.us != UINT64_MAX) json.number("etaUs", view.eta.us);
  json.boolean("caughtUp", view.caughtUp);
  if (view.live) {
    json.member("live");
    boundary::putLiveView(out, *view.live);
  }
  json.close();
}

// The calls below leave JSON in text(); nothing for an unknown id.
void inspect(uint32_t handle, double nowUs, uint32_t id) {
  text().clear();
  const auto view = hosts()[handle].engine.inspect(instant(nowUs), MigrationId{id});
  if (view) putViewJson(text(), *view);
}
void receipt(uint32_t handle, uint32_t id) {
  text().clear();
  if (const auto receipt = hosts()[handle].engine.receipt(MigrationId{id})) {
    putReceiptJson(text(), *receipt);
  }
}
void stats(uint32_t handle) {
  text().clear();
  const Engine& engine = hosts()[handle].engine;
  JsonObject json(text());
  json.number("staleCompletions", engine.staleCompletions());
  json.number("bufferBytes", engine.bufferBytes());
  json.close();
}

}  // namespace

EMSCRIPTEN_BINDINGS(keyhaul_engine) {
  emscripten::function("engineCreate", &create);
  emscripten::function("engineDestroy", &destroy);
  emscripten::function("eventsAddress", &eventsAddress);
  emscripten::function("readyAddress", &readyAddress);
  emscripten::function("step", &step);
  emscripten::function("addNode", &addNode);
  emscripten::function("start", &start);
  emscripten::function("resume", &resume);
  emscripten::function("control", &control);
  emscripten::function("setRate", &setRate);
  emscripten::function("setWallClock", &setWallClock);
  emscripten::function("acquire", &acquire);
  emscripten::function("acquired", &acquired);
  emscripten::function("release", &release);
  emscripten::function("inspect", &inspect);
  emscripten::function("receipt", &receipt);
  emscripten::function("stats", &stats);
}

}  // namespace keyhaul
