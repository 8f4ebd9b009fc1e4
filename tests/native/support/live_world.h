// Two gated stores, a register, clients that write all the time, and movers that may
// die, come back, or wake up late: enough of a world to run live migrations in, small enough
// to crash it at every single effect. Everything is drawn from one seed.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "keyhaul/engine.h"
#include "keyhaul/frame.h"
#include "keyhaul/gate.h"
#include "support/random.h"

namespace keyhaul::test {

struct GatedStore {
  std::string name;
  std::map<std::string, std::string> entries;
  Gate gate;
  std::string durableGate;
  std::map<uint64_t, std::string> log;  // position -> key
  bool recording = false;
  uint32_t feedsOpened = 0, feedsClosed = 0;  // how often that was done
  uint64_t trimmed = 0;
  uint32_t boots = 0;  // what was under way before a crash is gone

  // A write that was admitted and has not landed.
  struct InFlight {
    uint64_t position = 0;
    std::string key;
    std::optional<std::string> value;
  };
  std::vector<InFlight> inFlight;
};

struct LiveOptions {
  uint64_t seed = 1;
  uint32_t keys = 40;
  uint32_t clients = 3;          // each with a cache of its own of who owns what
  uint32_t opsPerTick = 2;       // of clients
  uint32_t tickMs = 0;           // a tick is so long; 0: 1 to 5 ms
  uint32_t valueBytes = 0;       // at least
  uint32_t writesInFlightMax = 4;
  bool readFence = true;
  uint32_t forgetsEvery = 0;     // the target loses one of so many puts and says nothing; 0 = never
  uint32_t lateWrites = 0;       // one that was given up may still arrive, after so many ticks; 0 = never
  bool losesAnswers = false;     // and delivers calls of gates and register twice, late
  uint32_t crashMoverEvery = 0;  // on average so many ticks; 0 = never
  uint32_t crashStoreEvery = 0;
  uint32_t healAfter = 400;      // ticks: nothing crashes any more
  bool zombies = false;          // a crashed mover may go on for a while beside its successor
  uint64_t changedBytesMax = Config{}.changedBytesMax;
  bool wallClock = false;        // movers are told what time it is
  uint32_t slots = 0;
  uint32_t bucketEntries = Config{}.bucketEntries;
  uint64_t crashAtEffect = 0;    // the mover dies right after this effect; 0 = never
  uint64_t crashAgainAfter = 0;  // and its successor so many effects later
};

class LiveWorld {
 public:
  explicit LiveWorld(const LiveOptions& options);

  Plan plan() const;
  // Starts the migration of all keys from S to T, or of a plan from T to S. Runs until it has ended; false when it
  // does not within `ticksMax`.
  void start(Plan plan, bool journal = true);
  bool run(uint32_t ticksMax = 20'000);
  void tick();
  void cancel();
  void stop() { (void)current().engine.stop(current().id); }
  void setRate(uint64_t bytesPerSecond) {
    (void)current().engine.setRate(now_, current().id, bytesPerSecond);
  }
  void finish() { (void)current().engine.finish(current().id); }
  Status giveUpSource() { return current().engine.giveUpSource(current().id); }
  Status closeWindow() { return current().engine.closeWindow(current().id); }
  Status reverse() { return current().engine.reverse(current().id); }
  void crashMover();
  // Another process goes on from this journal; an empty one begins the same claim anew. The one
  // before is dead, or goes on beside it for so many ticks.
  void replace(const std::string& journal, uint32_t ticksLeft = 0);
  // Another migration of the same engine, between stores of its own that never answer.
  MigrationId startBeside(uint8_t priority);
  MigrationState stateOf(MigrationId id) { return current().engine.inspect(now_, id)->state; }
  void stop(MigrationId id) { (void)current().engine.stop(id); }
  // Nobody runs meanwhile.
  void passTime(Duration time) { now_ = now_ + time; }
  const std::string& journal() const { return movers_.back()->journal; }
  // Of the mover before the present one.
  MigrationState stateBefore() const { return movers_[movers_.size() - 2]->state; }
  ErrorCode errorBefore() const { return movers_[movers_.size() - 2]->error; }

  MigrationState state() const { return movers_.back()->state; }
  ErrorCode error() const { return movers_.back()->error; }
  std::optional<Receipt> receipt() const { return movers_.back()->receipt; }
  // Whether an action of the last mover is for S.
  bool isOfS(NodeId node) const { return node == movers_.back()->source; }
  bool isOfS(const Action& action) const { return isOfS(action.node); }
  MigrationView view() const { return *movers_.back()->engine.inspect(now_, movers_.back()->id); }
  // What went wrong so far; empty: nothing.
  const std::string& violation() const { return violation_; }
  // At the end: nothing was lost, and nothing of the migration is left.
  // `givenUp`: S was, so entries may stand there, and nobody is served any.
  std::string checkEnd(bool givenUp = false);
  // Comes back with what is durable.
  void restart(GatedStore& store) { crashStore(store); }
  OwnershipMap ownership() const { return OwnershipMap::decode(std::as_bytes(std::span(document_))).value(); }

  GatedStore& source() { return stores_[0]; }
  GatedStore& target() { return stores_[1]; }
  uint64_t effects() const { return effects_; }
  uint64_t acknowledged() const { return acknowledged_; }
  uint64_t refused() const { return refused_; }
  bool quietClients = false;
  void setTickMs(uint32_t ms) { options_.tickMs = ms; }
  void setOpsPerTick(uint32_t ops) { options_.opsPerTick = ops; }
  size_t acting = 0;  // whose action or state it is, in the hooks below: 0 is the first mover

  // Before an effect: an error fails the action instead.
  std::function<ErrorCode(const Action&)> fault;
  // Before an effect, with its payload.
  std::function<void(const Action&, const std::string&)> seen;
  std::function<void(const Notice&)> onNotice;
  // Of a notice that is being told, of the last mover.
  std::string textOf(const Notice& notice) {
    const auto bytes = current().engine.bytes(notice.payload);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  std::function<void(MigrationState)> onState;
  std::function<bool(const std::string&)> forgets;  // true: the target loses this put
  std::function<bool(const Action&)> stall;  // true: it waits
  bool autoResume = true;                    // go on where a mover stopped

 private:
  struct Pending {
    Action action;
    std::string payload;
    bool started = false;  // a gate call waits for what is in flight; a write was admitted
    std::vector<uint64_t> tickets;
    uint32_t boots = 0;    // of the store, when it was admitted
  };
  struct Mover {
    explicit Mover(Engine e) : engine(std::move(e)) {}
    Engine engine;
    NodeId source, target;
    MigrationId id;
    std::vector<Pending> pending;
    std::vector<Event> events;
    std::string journal;
    bool dead = false;
    uint32_t ticksLeft = UINT32_MAX;  // of a zombie
    MigrationState state = MigrationState::kPending;
    ErrorCode error = ErrorCode::kOk;
    std::optional<Receipt> receipt;
    std::string refusal;
  };

  // What both stores held in the ranges when it was decided, and how far the feed was.
  struct Decision {
    Digest source, target;
    uint64_t position = 0, epoch = 0;
  };

  Mover& current() { return *movers_.back(); }
  std::unique_ptr<Mover> makeMover();
  bool resume(const std::string& journal);
  void step(Mover& mover);
  void carryOut(Mover& mover, size_t index);
  bool perform(Mover& mover, Pending& pending, Event& event);
  void late();

  bool toS() const { return plan_.source == "T"; }
  GatedStore& at(const Mover& mover, NodeId node) { return stores_[node == mover.source ? 0 : 1]; }
  bool gateCall(GatedStore& store, Pending& pending, Event& event);
  void pack(Mover& mover, const std::vector<std::pair<std::string, std::optional<std::string>>>& rows,
            std::string_view tail, Event& event);
  void attach(Mover& mover, std::string_view bytes, Event& event);
  void scan(Mover& mover, const Pending& pending, Event& event);
  void read(Mover& mover, const Pending& pending, Event& event);
  bool apply(GatedStore& store, Pending& pending, Event& event);
  void giveUp(const Mover& mover, Pending& pending);
  bool admit(GatedStore& store, Pending& pending, Event& event);
  void arriveLate(uint32_t within);
  bool planned(const std::string& key) const;
  void noteDecision(const OwnershipMap& before, const OwnershipMap& after);
  std::string checkProof() const;
  void pollFeed(Mover& mover, const Pending& pending, Event& event);
  void swap(Mover& mover, const Pending& pending, Event& event);

  void clients();
  void landSome(GatedStore& store, bool all);
  void crashStore(GatedStore& store);
  void violated(const std::string& what) {
    if (violation_.empty()) violation_ = what;
  }

  LiveOptions options_;
  Random random_;
  GatedStore stores_[2];
  std::string document_;
  uint64_t version_ = 0;
  std::vector<Decision> decisions_;
  std::vector<OwnershipMap> caches_;  // one a client
  std::vector<std::unique_ptr<Mover>> movers_;
  std::vector<std::pair<int, GateCall>> lateCalls_;
  std::vector<std::pair<int, Pending>> lateWrites_;
  Plan plan_;
  std::map<std::string, std::string> expected_;  // what was acknowledged
  std::map<std::string, uint64_t> epochServed_;
  uint64_t effects_ = 0, acknowledged_ = 0, refused_ = 0, values_ = 0;
  uint64_t crashAt_ = 0;
  uint32_t besides_ = 0;
  uint32_t ticks_ = 0;
  Instant now_{1'000'000};
  std::string violation_;
};

}  // namespace keyhaul::test
