// What clients of live migrations see is one register a key, whoever writes it: S1 to S4 where keys
// have several writers. history.cc asks the same of keys with one writer, and is much quicker, but
// knows nothing of how two writers stand to each other.
//
// Where stores cannot keep readers out, one that gave a range up may show what it held at the
// decision, until it sends readers on and no longer; writes are judged all the same.
//
// The history of a key is what clients asked and were told of it, reads and scans included, and in
// the end what its owner holds. One write is what is sent at one epoch, however often: a store
// carries out each number of a client once. Sent to the next owner it would be a second one.
#include <algorithm>
#include <map>
#include <optional>

#include "../key_history.h"
#include "by_key.h"
#include "oracles.h"
#include "stale_reads.h"

namespace keyhaul::sim {
namespace {

class Linearizable : public Oracle {
 public:
  explicit Linearizable(World& world) : Oracle(world), stale_(world) {}
  std::string_view name() const override { return "linearizable"; }

  void onChange(const StoreChange& change) override {
    if (change.cause == ChangeCause::kExpired && change.before != nullptr) return expire(change);
    if (change.cause != ChangeCause::kSetUp || change.after == nullptr) return;
    Life life{KeyHistory(0), {}};
    life.values.emplace(*change.after, 0);
    lives_.insert_or_assign(std::string(change.key), std::move(life));
  }
  void onRoutedBegun(uint32_t client) override { running_[client] = now(); }
  void onRoutedEnded(uint32_t client) override { running_.erase(client); }
  void onInvoked(const ClientWrite& write) override {
    Life& life = lifeOf(write.key);
    const Value value = write.value ? numberOf(write) : kNil;
    if (write.value) life.values.emplace(*write.value, value);
    if (!write.conditional) return life.history.begin(write.client, write.sequence, value, now());
    const Value expected = write.expected ? seenOf(life, *write.expected) : kNil;
    life.history.beginCas(write.client, write.sequence, expected, value, now());
  }
  void onTaken(const TakenWrite& write) override {
    lifeOf(write.key).history.take(write.client, write.sequence, now());
  }
  void onAcked(const ClientWrite& write) override {
    Life& life = lifeOf(write.key);
    life.history.acknowledge(write.client, write.sequence, now(), write.refused);
    settle(write.key, life);
  }
  void onRoutedRead(const RoutedRead& read) override {
    see(read.client, read.store, read.key, read.value, "a client read ");
  }
  void onRoutedPage(const RoutedPage& page) override {
    forEachOnPage(
        page, lives_,
        [&](std::string_view key, const std::string* value) {
          see(page.client, page.store, key, value, "a scan gave ");
        },
        [this](Harm harm, const char* text, std::string_view key) { violated(harm, text, key); });
  }
  void onRegister(const OwnershipMap& before, const OwnershipMap& after) override {
    stale_.onRegister(before, after, now());
  }
  void onState(const Job& job, MigrationState from, MigrationState to) override {
    stale_.onState(job, from, to, now());
  }
  void onLiveEnd(const Job& job) override {
    if (job.state != MigrationState::kDone || !job.begun) return;
    const char* wrong = stale_.wrongWith(job);
    if (wrong != nullptr) violated("job " + std::to_string(job.index) + ": " + wrong);
  }
  void onEnd() override {
    running_.clear();
    ended_ = true;
    forEachAtItsOwner(
        world_, lives_,
        [this](std::string_view key, const std::string* value) {
          see(kNobody, UINT16_MAX, key, value, "the owner holds ");
        },
        [this](Harm harm, const char* text, std::string_view key) { violated(harm, text, key); });
    for (auto& [key, life] : lives_) judged(key, life, life.history.finish(checker_));
  }

 private:
  // Of moments: below them stand the simulated microseconds.
  static constexpr uint32_t kEventBits = 12;
  // Looks at the owners in the end; no client, as nodes are counted from zero and stores come first.
  static constexpr uint32_t kNobody = 0;
  static constexpr uint32_t kSweepers = 1'000'000;  // and the store: no client

  struct Life {
    KeyHistory history;
    std::map<std::string, Value, std::less<>> values;  // that somebody wrote
  };

  // Rises with every event; says the time.
  Moment now() {
    if (event_ != world_.eventNumber() || ended_) {
      event_ = world_.eventNumber();
      now_ = std::max(now_ + 1, Moment{world_.nowUs()} << kEventBits);
    }
    return now_;
  }
  // As people can read it: the client, and the number of its call.
  static Value numberOf(const ClientWrite& write) {
    return static_cast<Value>(write.client) * 1'000'000 + static_cast<Value>(write.sequence);
  }
  Life& lifeOf(std::string_view key) {
    const auto at = lives_.find(key);
    return at != lives_.end() ? at->second : lives_[std::string(key)];
  }

  // The store is one more client, which knows at once what came of its compare-and-set.
  void expire(const StoreChange& change) {
    Life& life = lifeOf(change.key);
    const uint32_t sweeper = kSweepers + change.store;
    life.history.beginCas(sweeper, ++sweeps_, seenOf(life, *change.before), kNil, now());
    life.history.take(sweeper, sweeps_, now());
    life.history.acknowledge(sweeper, sweeps_, now());
    settle(change.key, life);
  }
  // One that nobody wrote was said to be wrong when it was read.
  static Value seenOf(const Life& life, const std::string& text) {
    const auto at = life.values.find(text);
    return at == life.values.end() ? Value{-1} : at->second;
  }

  void see(uint32_t client, uint16_t store, std::string_view key, const std::string* text, const char* who) {
    Life& life = lifeOf(key);
    Value value = kNil;
    if (text != nullptr) {
      const auto at = life.values.find(*text);
      if (at == life.values.end()) {
        return violated(who + text->substr(0, 60) + ", which nobody wrote", key);
      }
      value = at->second;
    }
    const Moment when = now();
    const auto begun = running_.find(client);
    const Moment asked = begun == running_.end() ? when : begun->second;
    const Moment oldest = stale_.oldest(store, key, asked);
    if (oldest < asked && isOld(key, text)) ++world_.counts().staleReads;
    life.history.read(client, value, oldest, when);
    settle(key, life);
  }
  // The owner holds something else by now.
  bool isOld(std::string_view key, const std::string* text) const {
    const Ownership* owner = world_.theRegister().map().lookup(key);
    const Entries& entries = world_.gatedNamed(owner->owner)->entries();
    const auto at = entries.find(key);
    if (at == entries.end()) return text != nullptr;
    return text == nullptr || *text != at->second;
  }

  void settle(std::string_view key, Life& life) {
    Moment running = kNever;
    for (const auto& [client, begun] : running_) running = std::min(running, begun);
    judged(key, life, life.history.settle(checker_, stale_.oldestOf(key, running)));
  }

  void judged(std::string_view key, const Life& life, KeyHistory::Verdict verdict) {
    using enum KeyHistory::Verdict;
    if (verdict == kNothing) return;
    ++world_.counts().judged;
    if (verdict == kUnjudged) ++world_.counts().unjudged;
    if (verdict != kWrong) return;
    violated(Harm::kStale, "no order of what clients did explains what they saw", key,
             life.history.witness(kEventBits, "microsecond"));
  }

  ByKey<Life> lives_;
  std::map<uint32_t, Moment> running_;  // what each client has under way, since when
  StaleReads stale_;
  LinearizabilityChecker checker_;
  uint64_t event_ = 0, sweeps_ = 0;
  Moment now_ = 0;
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<Oracle> makeLinearizable(World& world) {
  return std::make_unique<Linearizable>(world);
}

}  // namespace keyhaul::sim
