// A host for engine tests: stores are std::maps, time is a number, every action
// is carried out at once unless a test holds it back or makes it fail.
#pragma once

#include <algorithm>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "keyhaul/engine.h"
#include "keyhaul/frame.h"

namespace keyhaul::test {

struct MemoryStore {
  std::map<std::string, std::string> entries;
  std::vector<std::pair<std::string, std::optional<std::string>>> log;
  bool recording = false;
  uint64_t trimmed = 0;  // changes of the log that are gone
  uint64_t scans = 0, applies = 0;
  // With feedEarly: what the feed tells of, and scans do not show until show().
  std::map<std::string, std::string> hidden;

  void putEarly(const std::string& key, const std::string& value) {
    hidden[key] = value;
    if (recording) log.emplace_back(key, value);
  }
  void show() {
    for (const auto& [key, value] : std::exchange(hidden, {})) entries[key] = value;
  }
  // For plans with versions: a value is its version in digits of one length, then whatever. False: it was
  // not taken, because something newer is there.
  bool takeNewer(const std::string& key, const std::string& value) {
    const auto at = entries.find(key);
    const auto versionOf = [](const std::string& v) { return v.substr(0, v.find(':')); };
    if (at == entries.end() || versionOf(at->second) < versionOf(value)) {
      put(key, value);
      return true;
    }
    return versionOf(at->second) == versionOf(value);
  }
  void put(const std::string& key, const std::string& value) {
    entries[key] = value;
    if (recording) log.emplace_back(key, value);
  }
  void del(const std::string key) {
    entries.erase(key);
    if (recording) log.emplace_back(key, std::nullopt);
  }
};

class MemoryHost {
 public:
  explicit MemoryHost(Config config = {}) : engine(std::move(Engine::create(config)).value()) {
    source = engine.addNode("source").value();
    target = engine.addNode("target").value();
  }

  // Before an action is carried out: an error fails it; kOk goes on.
  std::function<ErrorCode(const Action&)> fault;
  // True: the action is never answered.
  std::function<bool(const Action&)> hang;
  // So many steps pass before the action is carried out.
  std::function<uint32_t(const Action&)> delay;
  // Called after each step; false ends run(), as a crash would.
  std::function<bool()> onStep;
  std::function<void(const Action&)> onAction;
  std::function<void(const Notice&)> onNotice;

  // Steps until nothing is left to do. False when it did not end in `stepsMax`.
  bool run(uint32_t stepsMax = 100'000) {
    for (uint32_t i = 0; i < stepsMax; ++i) {
      const std::vector<Event> events(waiting_.begin(), waiting_.end());
      waiting_.clear();
      const Ready ready = engine.step(now, events);
      for (const Notice& notice : ready.notices) take(notice);
      const std::vector<Action> actions(ready.actions.begin(), ready.actions.end());
      const Instant deadline = ready.nextDeadline;
      const bool more = ready.more;
      for (const Action& action : actions) carryOut(action);
      if (onStep && !onStep()) return true;
      for (auto& [steps, action] : std::exchange(delayed_, {})) {
        if (--steps > 0) {
          delayed_.emplace_back(steps, action);
        } else {
          answer(action);
        }
      }
      if (!waiting_.empty() || !delayed_.empty() || more) {
        now = now + Duration{10};
        continue;
      }
      if (deadline == kNever) return true;
      now = now < deadline ? deadline : now + Duration{1};
    }
    return false;
  }

  Engine engine;
  NodeId source, target;
  MemoryStore sourceStore, targetStore;
  bool writing() const {
    return std::any_of(delayed_.begin(), delayed_.end(), [](const auto& waits) {
      return waits.second.kind == ActionKind::kApply;
    });
  }
  Instant now{1'000};
  std::string journal;
  std::vector<Notice> notices;
  std::vector<std::pair<DifferenceKind, std::string>> differences;
  std::vector<MigrationState> states;

 private:
  MemoryStore& store(NodeId node) { return node == source ? sourceStore : targetStore; }

  void take(const Notice& notice) {
    if (onNotice) onNotice(notice);
    notices.push_back(notice);
    if (notice.kind == NoticeKind::kState) states.push_back(notice.state);
    if (notice.kind == NoticeKind::kDifference) {
      differences.emplace_back(notice.difference, text(notice.payload));
    }
  }

  std::string text(const BufferRef& ref) {
    const auto bytes = engine.bytes(ref);
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }

  void carryOut(const Action& action) {
    if (onAction) onAction(action);
    if (action.kind == ActionKind::kAbort) {
      Event aborted;
      aborted.kind = EventKind::kFailed;
      aborted.error = ErrorCode::kInterrupted;
      aborted.op = action.reusesOp;
      if (hung_.erase(action.reusesOp.value) != 0) waiting_.push_back(aborted);
      return;
    }
    if (hang && hang(action)) {
      hung_.insert(action.op.value);
      return;
    }
    const uint32_t steps = delay ? delay(action) : 0;
    if (steps > 0) {
      delayed_.emplace_back(steps, action);
    } else {
      answer(action);
    }
  }

  void answer(const Action& action) {
    Event event;
    event.op = action.op;
    const ErrorCode error = fault ? fault(action) : ErrorCode::kOk;
    if (error != ErrorCode::kOk) {
      event.kind = EventKind::kFailed;
      event.error = error;
      waiting_.push_back(event);
      return;
    }
    switch (action.kind) {
      case ActionKind::kScan: scan(action, event); break;
      case ActionKind::kApply: apply(action, event); break;
      case ActionKind::kJournal: journal += text(action.payload); break;
      case ActionKind::kOpenFeed: openFeed(action, event); break;
      case ActionKind::kPollFeed: pollFeed(action, event); break;
      case ActionKind::kCloseFeed: store(action.node).recording = false; break;
      case ActionKind::kTrimFeed: store(action.node).trimmed = readPosition(action); break;
      case ActionKind::kEstimate: event.count = 0; break;
      case ActionKind::kAbort: break;
      case ActionKind::kRead:
      case ActionKind::kGate:
      case ActionKind::kRegisterRead:
      case ActionKind::kRegisterSwap:  // live migrations have a host of their own, live_world.h
        event.kind = EventKind::kFailed;
        event.error = ErrorCode::kUnsupported;
        break;
    }
    waiting_.push_back(event);
  }

  using Write = std::pair<std::string, std::optional<std::string>>;

  void pack(const std::vector<Write>& rows, std::string_view tail, Event& event) {
    uint64_t data = 0;
    for (const auto& [key, value] : rows) data += key.size() + (value ? value->size() : 0);
    const uint64_t size = frameBytes(rows.size(), data) + tail.size();
    const auto buffer = engine.acquire(size, event.payload.buffer);
    if (buffer.empty()) {
      event.kind = EventKind::kFailed;
      event.error = ErrorCode::kLimitExceeded;
      return;
    }
    FrameWriter writer(buffer.first(size), static_cast<uint32_t>(rows.size()));
    for (const auto& [key, value] : rows) value ? writer.put(key, *value) : writer.del(key);
    writer.finish(ChecksumKind::kNone, 0, 0);
    if (!tail.empty()) std::memcpy(buffer.data() + size - tail.size(), tail.data(), tail.size());
    event.kind = EventKind::kPage;
    event.payload.bytes = static_cast<uint32_t>(size);
    event.positionBytes = static_cast<uint32_t>(tail.size());
    event.count = static_cast<uint32_t>(rows.size());
  }

  void scan(const Action& action, Event& event) {
    MemoryStore& from = store(action.node);
    ++from.scans;
    const std::string range = text(action.payload);
    uint32_t lo = 0, hi = 0;
    std::memcpy(&lo, range.data(), 4);
    std::memcpy(&hi, range.data() + 4, 4);
    auto at = from.entries.lower_bound(range.substr(8, lo));
    const auto end = hi == UINT32_MAX ? from.entries.end()
                                      : from.entries.lower_bound(range.substr(8 + lo, hi));
    std::vector<Write> rows;
    uint64_t bytes = 0;
    while (at != end && rows.size() < action.count) {
      bytes += at->first.size() + at->second.size();
      if (!rows.empty() && bytes > action.limitBytes) break;
      rows.emplace_back(at->first, at->second);
      ++at;
    }
    pack(rows, {}, event);
    event.end = at == end;
  }

  void apply(const Action& action, Event& event) {
    MemoryStore& to = store(action.node);
    ++to.applies;
    const auto frame = readFrame(engine.bytes(action.payload));
    for (const EntryView entry : frame.value()) {
      if (action.guarded) {
        const auto at = to.entries.find(std::string(entry.key));
        if (at == to.entries.end()) continue;
        if (at->second == entry.value) {
          to.del(std::string(entry.key));
        } else {
          ++event.count;
        }
      } else if (action.ifNewer) {
        if (entry.deleted) continue;  // a delete has no version
        if (!to.takeNewer(std::string(entry.key), std::string(entry.value))) ++event.count;
      } else if (entry.deleted) {
        to.del(std::string(entry.key));
      } else {
        to.put(std::string(entry.key), std::string(entry.value));
      }
    }
  }

  static std::string position(uint64_t at) {
    std::string bytes(8, '\0');
    std::memcpy(bytes.data(), &at, 8);
    return bytes;
  }

  uint64_t readPosition(const Action& action) {
    uint64_t at = 0;
    std::memcpy(&at, text(action.payload).data(), 8);
    return at;
  }

  static void lose(Event& event) {
    event.kind = EventKind::kFailed;
    event.error = ErrorCode::kFeedPositionLost;
  }

  void openFeed(const Action& action, Event& event) {
    MemoryStore& from = store(action.node);
    const bool again = action.payload.bytes != 0;
    if (again && (!from.recording || readPosition(action) < from.trimmed)) return lose(event);
    from.recording = true;
    const std::string at = again ? text(action.payload) : position(from.log.size());
    const auto buffer = engine.acquire(at.size(), event.payload.buffer);
    if (buffer.empty()) {
      event.kind = EventKind::kFailed;
      event.error = ErrorCode::kLimitExceeded;
      return;
    }
    std::memcpy(buffer.data(), at.data(), at.size());
    event.payload.bytes = static_cast<uint32_t>(at.size());
  }

  void pollFeed(const Action& action, Event& event) {
    MemoryStore& from = store(action.node);
    uint64_t at = readPosition(action);
    if (!from.recording || at < from.trimmed) return lose(event);
    std::vector<Write> rows;
    while (at < from.log.size() && rows.size() < action.count) rows.push_back(from.log[at++]);
    pack(rows, position(at), event);
    event.end = at == from.log.size();
    event.bytes = from.log.size() - at;
  }

  std::deque<Event> waiting_;
  std::vector<std::pair<uint32_t, Action>> delayed_;
  std::set<uint32_t> hung_;
};

inline Plan copyPlan(KeyRange range = KeyRange::all()) {
  Plan plan;
  plan.source = "source";
  plan.target = "target";
  plan.sourceCapabilities.bits = plan.targetCapabilities.bits =
      static_cast<uint32_t>(Capability::kScan) | static_cast<uint32_t>(Capability::kApply);
  plan.ranges = {std::move(range)};
  plan.pageEntries = 10;
  plan.durablePages = 3;
  plan.digestKey[5] = std::byte{7};
  return plan;
}

inline void fill(MemoryStore& store, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) {
    char key[16];
    std::snprintf(key, sizeof key, "k%07u", i * 7919 % 1'000'003);
    store.entries[key] = std::string(i % 40, static_cast<char>('a' + i % 26));
  }
}

}  // namespace keyhaul::test
