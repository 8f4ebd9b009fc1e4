// Sees what oracles see and what the network carries, judges nothing, and remembers as much of it
// as somebody who watches can take in. It draws nothing and changes nothing: a run with it has the
// hash of one without.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "heat.h"
#include "intervention.h"
#include "network.h"
#include "node.h"
#include "oracle.h"

namespace keyhaul::sim {

// Something that is worth a mark on the line of time.
struct Mark {
  enum class Kind : uint8_t { kState, kFault, kRecovery, kByHand, kViolation, kHealed };
  uint64_t timeUs = 0, event = 0;
  Kind kind = Kind::kState;
  std::string text;
};

struct LogLine {
  uint64_t timeUs = 0;
  int32_t job = -1;  // -1: of no job
  std::string text;
};

// A message on its way.
struct Flight {
  uint16_t from = 0, to = 0;
  uint32_t party = 0;  // the job, or the client
  MessageKind kind = MessageKind::kReply;
  Fate fate = Fate::kArrives;
  uint64_t sentUs = 0, arrivalUs = 0;
  uint64_t bytes = 0;
};

class Watcher : public Oracle, public NetworkWatcher {
 public:
  // Acknowledged writes since `sinceUs` and in the window of time before that.
  struct Rate {
    uint64_t sinceUs = 0, writes = 0, writesBefore = 0;
  };
  // Of one job, over all its incarnations.
  struct Tally {
    uint64_t pages = 0, written = 0, followed = 0, deleted = 0, journalBytes = 0;
    uint64_t retries = 0, begun = 0, changedAtUs = 0;
    Rate rate;  // of its keys
    struct Phase {
      MigrationState state;
      uint64_t fromUs;
    };
    std::vector<Phase> phases;
  };

  explicit Watcher(World& world) : Oracle(world), heat_(world) {}
  std::string_view name() const override { return "watcher"; }

  void onChange(const StoreChange& change) override;
  void onInvoked(const ClientWrite&) override { ++checks_; }
  void onAcked(const ClientWrite& write) override;
  void onRead(std::string_view, const std::string*) override { ++checks_; }
  void onBegun(const Job& job, const JournalImage* image) override;
  void onAction(const Job& job, const Action& action) override;
  void onCompleted(const Job& job, ActionKind kind, const Event& event) override;
  void onJournal(const Job& job, const JournalPart& part) override;
  void onState(const Job& job, MigrationState from, MigrationState to) override;
  void onGate(uint16_t, const GateCall&) override { gatesMoved_ = true; }
  void onSent(uint64_t nowUs, uint64_t arrivalUs, const Message& message, Fate fate) override;

  // After each event: what nobody tells.
  void look();

  const std::vector<Mark>& marks() const { return marks_; }
  const Tally& tally(uint32_t job);
  // Acknowledged writes of its keys by clients, a second, of about the last second.
  uint64_t load(uint32_t job);
  // The same, of writes that this store acknowledged.
  uint64_t storeLoad(uint16_t store);
  // Stores at which the gate of one key took writes, the most at once. 0: nothing moves live.
  uint32_t ownersMost() const { return ownersMost_; }
  Heat& heat() { return heat_; }
  uint64_t checks() const { return checks_; }
  // Since they were last taken; the newest, where there are too many.
  std::vector<LogLine> takeLog() { return std::exchange(log_, {}); }
  std::vector<Flight> takeFlights() { return std::exchange(flights_, {}); }

 private:
  struct Seen {
    uint32_t boot = 1;
    bool up = true, paused = false, slow = false, cut = false, full = false;
    uint64_t aheadUs = 0;
  };
  void mark(Mark::Kind kind, std::string text);
  void say(const Job* job, std::string text);
  void tellByHand(const Intervention& one);
  void lookAt(const Node& node, Seen& seen);
  void countOwners();
  Tally& of(const Job& job);
  Rate& ofStore(uint16_t store);

  std::vector<Mark> marks_;
  std::vector<LogLine> log_;
  std::vector<Flight> flights_;
  std::vector<Tally> tallies_;
  std::vector<Rate> stores_;  // by node
  std::vector<Seen> seen_;
  Heat heat_;
  size_t violations_ = 0, intervened_ = 0;
  bool healed_ = false, gatesMoved_ = true;
  uint32_t ownersMost_ = 0;
  uint64_t checks_ = 0;
};

// "s0", "keyhaul", "client 5".
std::string nodeName(const World& world, uint16_t node);

}  // namespace keyhaul::sim
