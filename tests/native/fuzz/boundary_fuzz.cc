// A hostile host: events made of any words and pages of any bytes, given to an
// engine with running migrations. It may refuse them; it may not break.
#include <cstring>
#include <vector>

#include "boundary.h"
#include "keyhaul/engine.h"
#include "keyhaul/frame.h"

namespace {

using namespace keyhaul;

class Input {
 public:
  Input(const uint8_t* data, size_t size) : data_(data), size_(size) {}
  bool empty() const { return size_ == 0; }
  uint8_t byte() {
    if (size_ == 0) return 0;
    --size_;
    return *data_++;
  }
  uint32_t word() {
    uint32_t value = 0;
    for (int i = 0; i < 4; ++i) value = value << 8 | byte();
    return value;
  }

 private:
  const uint8_t* data_;
  size_t size_;
};

Plan planOf(Input& in) {
  Plan plan;
  plan.source = "a";
  plan.target = "b";
  const uint8_t flags = in.byte();
  plan.sourceCapabilities.bits = 3U | ((flags & 1U) != 0 ? 16U : 0U);
  plan.targetCapabilities.bits = 3U;
  plan.ranges = {KeyRange::all()};
  plan.mode = static_cast<MigrationMode>(1 + flags / 2 % 3);
  plan.repair = (flags & 8U) != 0;
  plan.intoNonempty = (flags & 16U) != 0;
  plan.verify = static_cast<VerifyDepth>(flags / 32 % 3);
  plan.pageEntries = 1U + in.byte() % 8U;
  plan.durablePages = 1U + in.byte() % 4U;
  return plan;
}

// Half of the events answer an action that is under way, with a page that is well
// formed or not; the rest are any words.
Event eventOf(Input& in, Engine& engine, std::vector<Action>& waiting) {
  uint32_t words[boundary::kWords<boundary::EventWord>] = {};
  if (waiting.empty() || in.byte() % 4 == 0) {
    for (uint32_t& word : words) word = in.byte() % 2 == 0 ? in.byte() : in.word();
    return boundary::readEvent(words);
  }
  const size_t at = in.byte() % waiting.size();
  const Action action = waiting[at];
  waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(at));
  Event event;
  event.op = action.op;
  event.kind = static_cast<EventKind>(1 + in.byte() % 3);
  event.error = ErrorCode::kStoreFailed;
  event.end = in.byte() % 2 == 0;
  const uint32_t count = in.byte() % 6U;
  uint64_t size = frameBytes(count, 0) + in.byte() % 32U;
  const auto buffer = engine.acquire(size, event.payload.buffer);
  if (buffer.empty()) return event;
  for (uint64_t i = 0; i < size; ++i) buffer[i] = static_cast<std::byte>(in.byte() % 4U);
  if (in.byte() % 4 != 0) {
    // Keys of one byte, ascending: the engine gets on with these.
    size = frameBytes(count, count);
    FrameWriter writer(buffer.first(static_cast<size_t>(std::min<uint64_t>(size, buffer.size()))), count);
    char key = static_cast<char>(in.byte() % 64);
    for (uint32_t i = 0; i < count; ++i, ++key) writer.put(std::string_view(&key, 1), {});
    writer.finish(ChecksumKind::kNone, 0, 0);
  }
  event.count = count;
  event.payload.bytes = static_cast<uint32_t>(size);
  event.positionBytes = in.byte() % 4U;
  return event;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input in(data, size);
  Config config;
  config.retriesMax = 2;
  config.bufferBytesMax = 1U << 20;
  Engine engine = std::move(Engine::create(config)).value();
  const NodeId source = engine.addNode("a").value(), target = engine.addNode("b").value();
  Instant now{1};
  auto plan = validatePlan(planOf(in));
  if (!plan.ok()) return 0;
  const auto id = engine.start(now, std::move(plan).value(), source, target, in.byte() % 2 == 0);
  std::vector<Action> waiting;
  while (!in.empty()) {
    std::vector<Event> events;
    for (int n = in.byte() % 3; n > 0; --n) events.push_back(eventOf(in, engine, waiting));
    const Ready ready = engine.step(now, events);
    for (const Action& action : ready.actions) {
      if (action.kind != ActionKind::kAbort) waiting.push_back(action);
    }
    now = now + Duration{in.byte() * uint64_t{50'000}};
    switch (in.byte() % 32) {
      case 0: static_cast<void>(engine.stop(id.value()).ok()); break;
      case 1: static_cast<void>(engine.cancel(id.value()).ok()); break;
      case 2: static_cast<void>(engine.pause(id.value()).ok()); break;
      case 3: static_cast<void>(engine.unpause(id.value()).ok()); break;
      case 4: static_cast<void>(engine.finish(id.value()).ok()); break;
      case 5: static_cast<void>(engine.setRate(now, id.value(), in.byte()).ok()); break;
    }
  }
  return 0;
}
