// A copy, or a comparison, that goes on: a source that never ends and a target that takes
// everything, or holds the same. The host does the least there is to do, so that what is
// measured is the engine.
#pragma once

#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "keyhaul/engine.h"
#include "keyhaul/frame.h"

namespace keyhaul::test {

class EndlessCopy {
 public:
  struct Shape {
    uint32_t migrations = 1;
    uint32_t pageEntries = 100;
    uint32_t valueBytes = 100;
    uint32_t durablePages = 20;
    bool journal = true;
    bool verify = false;  // compare two endless stores that are equal
  };

  // Keys have 16 bytes: longer than a std::string holds without the heap, as real ones are.
  static constexpr uint32_t kKeyBytes = 16;

  explicit EndlessCopy(const Shape& shape)
      : shape_(shape), engine_(std::move(Engine::create({})).value()), value_(shape.valueBytes, 'v') {
    source_ = engine_.addNode("source").value();
    target_ = engine_.addNode("target").value();
    for (uint32_t i = 0; i < shape.migrations; ++i) start();
    cursors_.resize(2 * size_t{shape.migrations});
  }

  // One step; `before` and `after` are called right around the engine's.
  template <typename Before, typename After>
  void step(Before&& before, After&& after) {
    now_ = now_ + Duration{10};
    std::swap(events_, giving_);
    events_.clear();
    before();
    const Ready ready = engine_.step(now_, giving_);
    after();
    eventsGiven_ += giving_.size();
    for (const Action& action : ready.actions) actions_.push_back(action);
    for (const Action& action : actions_) answer(action);
    actions_.clear();
  }
  void step() {
    step([] {}, [] {});
  }

  uint64_t eventsGiven() const { return eventsGiven_; }
  uint64_t pagesApplied() const { return pagesApplied_; }
  // Durable writes: each is followed by a checkpoint in the step that hears of it.
  uint64_t checkpoints() const { return checkpoints_; }

 private:
  void start() {
    Plan plan;
    plan.source = "source";
    plan.target = "target";
    plan.sourceCapabilities.bits = plan.targetCapabilities.bits =
        static_cast<uint32_t>(Capability::kScan) | static_cast<uint32_t>(Capability::kApply);
    plan.ranges = {KeyRange::all()};
    if (shape_.verify) plan.mode = MigrationMode::kVerify;
    plan.pageEntries = shape_.pageEntries;
    plan.durablePages = shape_.durablePages;
    auto valid = validatePlan(std::move(plan));
    if (!valid.ok()) std::abort();
    auto id = engine_.start(now_, std::move(valid).value(), source_, target_, shape_.journal);
    if (!id.ok()) std::abort();
  }

  void answer(const Action& action) {
    Event event;
    event.op = action.op;
    switch (action.kind) {
      case ActionKind::kScan: scan(action, event); break;
      case ActionKind::kApply:
        ++pagesApplied_;
        checkpoints_ += action.durable ? 1U : 0U;
        break;
      case ActionKind::kJournal: break;
      case ActionKind::kOpenFeed:
      case ActionKind::kPollFeed:
      case ActionKind::kTrimFeed:
      case ActionKind::kCloseFeed:
      case ActionKind::kAbort:
      case ActionKind::kRead:
      case ActionKind::kGate:
      case ActionKind::kRegisterRead:
      case ActionKind::kRegisterSwap:
      case ActionKind::kEstimate: std::abort();  // a copy without a feed asks for none of it
    }
    events_.push_back(event);
  }

  void scan(const Action& action, Event& event) {
    event.kind = EventKind::kPage;
    const bool source = action.node == source_;
    const uint32_t count = source || shape_.verify ? shape_.pageEntries : 0;
    event.end = count == 0;  // the target of a copy is empty
    event.count = count;
    const uint64_t size = frameBytes(count, uint64_t{count} * (kKeyBytes + shape_.valueBytes));
    const auto buffer = engine_.acquire(size, event.payload.buffer);
    event.payload.bytes = static_cast<uint32_t>(size);
    std::byte* row = buffer.data() + kFrameHeaderBytes;
    std::byte* data = row + size_t{count} * kFrameEntryBytes;
    const uint32_t valueBytes = shape_.valueBytes, keyBytes = kKeyBytes;
    uint64_t& cursor = cursors_[2 * action.migration.slot() + (source ? 0U : 1U)];
    for (uint32_t i = 0; i < count; ++i) {
      std::memcpy(row, &keyBytes, 4);
      std::memcpy(row + 4, &valueBytes, 4);
      row += kFrameEntryBytes;
      uint64_t number = cursor++;
      for (size_t at = kKeyBytes; at > 0; number /= 10) {
        data[--at] = static_cast<std::byte>('0' + number % 10);
      }
      std::memcpy(data + kKeyBytes, value_.data(), valueBytes);
      data += kKeyBytes + valueBytes;
    }
  }

  Shape shape_;
  Engine engine_;
  std::string value_;
  NodeId source_, target_;
  Instant now_{1'000};
  std::vector<uint64_t> cursors_;
  std::vector<Event> events_, giving_;
  std::vector<Action> actions_;
  uint64_t eventsGiven_ = 0, pagesApplied_ = 0, checkpoints_ = 0;
};

}  // namespace keyhaul::test
