// Live migrations whose clients never stop writing: each moves a store of its own, and follows until
// somebody stops it. Like endless_copy.h: the host does the least there is to do.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "keyhaul/engine.h"
#include "keyhaul/frame.h"
#include "keyhaul/ownership.h"
#include "support/random.h"

namespace keyhaul::test {

class EndlessLive {
 public:
  struct Shape {
    uint32_t migrations = 3;
    uint32_t keys = 20'000;  // of each
    uint32_t pageEntries = 4;
    uint32_t durablePages = 1;
    uint32_t ranges = 1;  // of as many keys each
    uint32_t splitMax = 0;  // where it may be split, nobody follows: it goes on to its cutover
    uint32_t written = 20'000;  // of those, the first, which clients write
    uint32_t seed = 1;
    bool versions = false;  // values have them, and feeds are early: writes count only where they are newer
    bool named = false;     // level 5
  };

  // Both longer than a std::string holds without the heap, as real ones are.
  static constexpr uint32_t kKeyBytes = 16, kPositionBytes = 24, kValueBytes = 100;

  explicit EndlessLive(const Shape& shape)
      : shape_(shape), random_(shape.seed), engine_(std::move(Engine::create({})).value()) {
    stores_.resize(shape.migrations);
    for (uint32_t i = 0; i < shape.migrations; ++i) start(i);
  }

  // One step; `before` and `after` are called right around the engine's. Clients write so many keys of
  // each source before it.
  template <typename Before, typename After>
  void step(uint32_t writes, Before&& before, After&& after) {
    for (Store& store : stores_) {
      for (uint32_t i = 0; i < writes; ++i) write(store, static_cast<uint32_t>(random_.below(shape_.written)));
    }
    // Where nobody has anything to say, the time passes that somebody waits for.
    now_ = events_.empty() && now_ + Duration{10} < deadline_ ? deadline_ : now_ + Duration{10};
    std::swap(events_, giving_);
    events_.clear();
    before();
    const Ready ready = engine_.step(now_, giving_);
    after();
    eventsGiven_ += giving_.size();
    deadline_ = ready.nextDeadline;
    for (const Notice& notice : ready.notices) hear(notice);
    actions_.assign(ready.actions.begin(), ready.actions.end());
    for (const Action& action : actions_) answer(action);
  }
  void step(uint32_t writes) {
    step(writes, [] {}, [] {});
  }
  // Clients of each write so many keys, from this one on.
  void writeFrom(uint32_t first, uint32_t count) {
    for (Store& store : stores_) {
      for (uint32_t i = 0; i < count; ++i) write(store, first + i);
    }
  }

  // Whether all of them are in this state.
  bool all(MigrationState state) const {
    for (const Store& store : stores_) {
      if (store.state != state) return false;
    }
    return true;
  }
  // Of the first: pages written of the copy or the feed, keys read again, records written.
  uint64_t applied() const { return stores_[0].applied; }
  uint64_t read() const { return stores_[0].read; }
  uint64_t scans() const { return stores_[0].scans; }
  uint64_t journalled() const { return stores_[0].journalled; }
  uint64_t changes() const { return stores_[0].log.size(); }
  uint64_t eventsGiven() const { return eventsGiven_; }
  bool warned() const { return warned_; }

 private:
  struct Store {
    std::vector<uint32_t> source, target;  // of each key the version; 0: it is not there
    std::vector<uint32_t> log;             // keys, by position
    std::string document;
    uint64_t version = 1;
    MigrationState state = MigrationState::kPending;
    uint64_t applied = 0, read = 0, scans = 0, journalled = 0;
  };

  void start(uint32_t index) {
    Store& store = stores_[index];
    store.source.assign(shape_.keys, 1);
    store.target.assign(shape_.keys, 0);
    Plan plan;
    plan.source = "source" + std::to_string(index);
    plan.target = "target" + std::to_string(index);
    OwnershipMap map;
    if (!map.assign(KeyRange::all(), plan.source).ok()) std::abort();
    store.document = map.encode();
    uint32_t bits = 0;
    for (const Capability c : {Capability::kScan, Capability::kApply, Capability::kFeed, Capability::kFence,
                               Capability::kReadFence, Capability::kActivate}) {
      bits |= static_cast<uint32_t>(c);
    }
    if (shape_.versions) bits |= static_cast<uint32_t>(Capability::kVersion) | static_cast<uint32_t>(Capability::kFeedEarly);
    plan.sourceCapabilities.bits = plan.targetCapabilities.bits = bits;
    for (uint32_t i = 0; i < shape_.ranges; ++i) {
      plan.ranges.push_back({i == 0 ? Key() : nameOf(shape_.keys / shape_.ranges * i), Bound::infinity()});
      if (i + 1 < shape_.ranges) plan.ranges.back().hi = Bound::at(nameOf(shape_.keys / shape_.ranges * (i + 1)));
    }
    plan.mode = MigrationMode::kLive;
    plan.claim[0] = static_cast<uint8_t>(index + 1);
    plan.durable = true;
    plan.splitMax = shape_.splitMax;
    plan.follow = shape_.splitMax == 0;
    plan.pageEntries = shape_.pageEntries;
    plan.durablePages = shape_.durablePages;
    if (shape_.named) plan.require = GuaranteeLevel::kL5;
    const NodeId source = engine_.addNode(plan.source).value(), target = engine_.addNode(plan.target).value();
    auto valid = validatePlan(std::move(plan));
    if (!valid.ok() || mergesVersions(valid->plan()) != shape_.versions) std::abort();
    const auto id = engine_.start(now_, std::move(valid).value(), source, target, true);
    if (!id.ok() || id.value().slot() != index) std::abort();
  }

  void write(Store& store, uint32_t key) {
    ++store.source[key];
    store.log.push_back(key);
  }

  void hear(const Notice& notice) {
    if (notice.kind == NoticeKind::kState) stores_[notice.migration.slot()].state = notice.state;
    warned_ = warned_ || notice.kind == NoticeKind::kWarning;
  }

  static bool isSource(const Action& action) { return action.node.slot() % 2 == 0; }

  void answer(const Action& action) {
    if (action.kind == ActionKind::kAbort) std::abort();  // every call is answered in time
    Store& store = stores_[action.migration.slot()];
    const auto payload = engine_.bytes(action.payload);
    const char* const bytes = reinterpret_cast<const char*>(payload.data());
    Event event;
    event.op = action.op;
    switch (action.kind) {
      case ActionKind::kScan: scan(store, action, bytes, event); break;
      case ActionKind::kApply: apply(store, action, event); break;
      case ActionKind::kJournal: ++store.journalled; break;
      case ActionKind::kOpenFeed: pack({}, store, true, store.log.size(), event); break;
      case ActionKind::kPollFeed: poll(store, action, bytes, event); break;
      case ActionKind::kRead: readKeys(store, action, bytes, event); break;
      case ActionKind::kRegisterSwap:
        store.document.assign(bytes, payload.size());
        ++store.version;
        event.count = 1;
        event.bytes = store.version;
        break;
      case ActionKind::kRegisterRead: {
        const auto buffer = engine_.acquire(store.document.size(), event.payload.buffer);
        std::memcpy(buffer.data(), store.document.data(), store.document.size());
        event.payload.bytes = static_cast<uint32_t>(store.document.size());
        event.bytes = store.version;
        break;
      }
      case ActionKind::kTrimFeed:
      case ActionKind::kCloseFeed:
      case ActionKind::kEstimate:
      case ActionKind::kGate:
      case ActionKind::kAbort: break;
    }
    events_.push_back(event);
  }

  static Key nameOf(uint32_t key) {
    const std::string digits = std::to_string(key);
    return std::string(kKeyBytes - digits.size(), '0') + digits;
  }
  static uint32_t keyAt(const char* bytes) {
    uint32_t key = 0;
    std::from_chars(bytes, bytes + kKeyBytes, key);
    return key;
  }

  // The first key that is not below: a bound may be the begin of one, or one and a zero.
  static uint32_t firstFrom(std::string_view bound) {
    char digits[kKeyBytes];
    std::memset(digits, '0', kKeyBytes);
    std::memcpy(digits, bound.data(), std::min<size_t>(bound.size(), kKeyBytes));
    return keyAt(digits) + (bound.size() > kKeyBytes ? 1U : 0U);
  }

  void scan(Store& store, const Action& action, const char* range, Event& event) {
    uint32_t loBytes = 0, hiBytes = 0;
    std::memcpy(&loBytes, range, 4);
    std::memcpy(&hiBytes, range + 4, 4);
    uint32_t key = firstFrom({range + 8, loBytes});
    const uint32_t end = hiBytes == UINT32_MAX ? shape_.keys : firstFrom({range + 8 + loBytes, hiBytes});
    const auto& versions = isSource(action) ? store.source : store.target;
    ++store.scans;
    rows_.clear();
    for (; key < end && rows_.size() < action.count; ++key) {
      if (versions[key] != 0) rows_.push_back(key);
    }
    while (key < end && versions[key] == 0) ++key;
    pack(rows_, store, isSource(action), UINT64_MAX, event);
    event.end = key >= end;
  }

  void readKeys(Store& store, const Action& action, const char* keys, Event& event) {
    const auto& versions = isSource(action) ? store.source : store.target;
    rows_.clear();
    for (uint32_t i = 0; i < action.count; ++i) {
      const uint32_t key = keyAt(keys + size_t{i} * (4 + kKeyBytes) + 4);
      if (versions[key] != 0) rows_.push_back(key);
    }
    store.read += action.count;
    pack(rows_, store, isSource(action), UINT64_MAX, event);
  }

  void poll(Store& store, const Action& action, const char* position, Event& event) {
    uint64_t at = 0;
    std::memcpy(&at, position, sizeof at);
    rows_.clear();
    while (at < store.log.size() && rows_.size() < action.count) rows_.push_back(store.log[at++]);
    pack(rows_, store, true, at, event);
    event.end = at == store.log.size();
    event.bytes = store.log.size() - at;
  }

  void apply(Store& store, const Action& action, Event& event) {
    if (isSource(action) || action.ifNewer != shape_.versions) std::abort();
    ++store.applied;
    const auto frame = readFrame(engine_.bytes(action.payload));
    for (const EntryView entry : frame.value()) {
      uint32_t version = 0;
      std::memcpy(&version, entry.value.data(), sizeof version);
      uint32_t& held = store.target[keyAt(entry.key.data())];
      if (action.ifNewer && version <= held) {
        ++event.count;
      } else {
        held = version;
      }
    }
  }

  // `position`: it follows the page; UINT64_MAX: nothing does.
  void pack(const std::vector<uint32_t>& keys, const Store& store, bool source, uint64_t position, Event& event) {
    const bool alone = keys.empty() && &keys != &rows_;
    const uint32_t tail = position == UINT64_MAX ? 0 : kPositionBytes;
    const auto count = static_cast<uint32_t>(keys.size());
    const uint64_t size = (alone ? 0 : frameBytes(count, uint64_t{count} * (kKeyBytes + kValueBytes))) + tail;
    const auto buffer = engine_.acquire(size, event.payload.buffer);
    std::memset(buffer.data(), 'v', size);
    std::byte* row = buffer.data() + kFrameHeaderBytes;
    std::byte* data = row + size_t{count} * kFrameEntryBytes;
    for (uint32_t key : keys) {
      const uint32_t version = source ? store.source[key] : store.target[key];
      std::memcpy(row, &kKeyBytes, 4);
      std::memcpy(row + 4, &kValueBytes, 4);
      row += kFrameEntryBytes;
      for (size_t at = kKeyBytes; at > 0; key /= 10) data[--at] = static_cast<std::byte>('0' + key % 10);
      std::memcpy(data + kKeyBytes, &version, sizeof version);
      data += kKeyBytes + kValueBytes;
    }
    if (tail != 0) std::memcpy(buffer.data() + size - tail, &position, sizeof position);
    event.payload.bytes = static_cast<uint32_t>(size);
    if (alone) return;
    event.kind = EventKind::kPage;
    event.count = count;
    event.positionBytes = tail;
  }

  Shape shape_;
  Random random_;
  Engine engine_;
  Instant now_{1'000}, deadline_{0};
  std::vector<Store> stores_;
  std::vector<uint32_t> rows_;
  std::vector<Event> events_, giving_;
  std::vector<Action> actions_;
  uint64_t eventsGiven_ = 0;
  bool warned_ = false;
};

}  // namespace keyhaul::test
