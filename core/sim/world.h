// The world: time, the network, the nodes, who breaks them and who watches.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "disk.h"
#include "event_queue.h"
#include "fault_schedule.h"
#include "faults.h"
#include "job.h"
#include "network.h"
#include "node.h"
#include "options.h"
#include "oracle.h"
#include "planner.h"
#include "report.h"
#include "trace_hash.h"

namespace keyhaul::sim {

class GatedStoreNode;
class RegisterNode;
class StoreNode;
class MoverNode;

class World {
 public:
  explicit World(const Options& options);
  ~World();

  // The scenario's part.
  StoreNode& addStore(std::string name);
  MoverNode& addMover(const Config& config);
  // At this store it writes `share` of `shares` of the job's keys.
  void addClient(Job& job, uint16_t store, uint32_t share, uint32_t shares);
  Job& addJob();
  GatedStoreNode& addGatedStore(std::string name);
  RegisterNode& addRegister();
  // A client of live migrations: it writes its share of the space's keys, and reads all.
  void addRoutedClient(uint32_t share, uint32_t shares);
  void addPlanner(PlannerNode::Rules rules);
  void addOracle(std::unique_ptr<Oracle> oracle) { oracles_.push_back(std::move(oracle)); }

  Report run();
  // The same in steps: begin(), then advance() until there is nothing more, then finish().
  void begin();
  bool advance();
  const Report& finish();
  // Of what advance() would do; UINT64_MAX: nothing more.
  uint64_t nextUs() const;
  // One that does not lie before anything that took place.
  void add(const Intervention& intervention);
  // A scenario's own, before whatever is done by hand at the same time.
  void script(const Intervention& intervention);
  void crash(Node& node, uint64_t untilUs) { schedule_.crash(node, untilUs); }
  void setRate(FaultKind kind, uint32_t perMillion);
  // A job and its mover that were added to a running world.
  void join(Job& job);
  void sabotage(Sabotage sabotage) { options_.sabotage = sabotage; }
  // How many of the options' interventions took place.
  size_t intervened() const { return intervened_; }
  const Report& report() const { return report_; }
  uint64_t hash() const { return hash_.value(); }
  const std::vector<std::unique_ptr<Oracle>>& oracles() const { return oracles_; }

  uint64_t nowUs() const { return nowUs_; }
  uint64_t seed() const { return options_.seed; }
  // Null where this is none.
  const Rehearsal* rehearsal() const {
    return options_.rehearsal ? &*options_.rehearsal : nullptr;
  }
  bool sabotaged(Sabotage sabotage) const { return options_.sabotage == sabotage; }
  const Options& options() const { return options_; }
  Faults& faults() { return faults_; }
  const Faults& faults() const { return faults_; }
  uint64_t faultsDrawn() const { return report_.faults; }
  bool healed() const { return healed_; }
  uint64_t healAtUs() const { return options_.untilUs / 3 * 2; }
  Network& network() { return network_; }
  const Network& network() const { return network_; }
  EventQueue& queue() { return queue_; }
  Report::Counts& counts() { return report_.counts; }

  const std::vector<std::unique_ptr<Node>>& nodes() const { return nodes_; }
  Node& node(uint16_t id) const { return *nodes_[id]; }
  StoreNode& store(uint16_t id) const;
  MoverNode& mover(uint16_t id) const;
  bool hasRegister() const { return registerNode_ != UINT16_MAX; }
  uint16_t registerId() const { return registerNode_; }
  RegisterNode& theRegister() const;
  GatedStoreNode& gated(uint16_t id) const;
  const std::vector<uint16_t>& gatedStores() const { return gatedStores_; }
  // The gated store of this name; null for none.
  GatedStoreNode* gatedNamed(std::string_view name) const;
  // Is there another coordinator of its plan?
  bool hasRival(const Job& job) const;
  // Was somebody told to give up the store that this claim kept for a way back?
  bool isGivenUp(const ClaimId& claim) const;
  // Does its claim go the way back?
  bool isTurned(const Job& job) const;
  Space& space() { return space_; }
  const Space& space() const { return space_; }
  const std::vector<std::unique_ptr<Job>>& jobs() const { return jobs_; }
  Job& job(uint32_t index) const { return *jobs_[index]; }
  // What happened, for the oracles: tell([&](Oracle& o) { o.onState(…); }).
  template <typename Call>
  void tell(Call call) {
    for (const auto& oracle : oracles_) call(*oracle);
  }
  uint64_t eventNumber() const { return report_.events; }

  // Does it strike now? Counted for the migrations that it strikes: the one a message is
  // of, or those that work with a node.
  bool strikes(Prng& prng, FaultKind kind, const Message& message);
  bool strikes(Prng& prng, FaultKind kind, uint16_t node);
  void struck(FaultKind kind, const Message& message);
  void struck(FaultKind kind, uint16_t node);
  void struck(FaultKind kind, const Job& job);
  void struck(const Disk::Written& written, uint16_t node);

  void addToHash(uint64_t word) { hash_.add(word); }

  // `witness`: the proof, as text of several lines.
  void violated(std::string_view oracle, std::string text, std::string_view key,
                Harm harm = Harm::kNone, std::string witness = {});
  // A line in the log and in the life of `key`; not built when nobody reads it.
  bool tellsLife(std::string_view key) const {
    return options_.log || (!options_.explainKey.empty() && options_.explainKey == key);
  }
  bool logs() const { return options_.log; }
  void line(std::string text);

 private:
  void dispatch(const Queued& event);
  void deliver(const Queued& event);
  void heal();
  bool settled() const;
  void crashAsPlanned(Node& node);
  bool isOver() const;
  bool stopped() const {
    return options_.stopAtEvent != 0 && report_.events == options_.stopAtEvent;
  }
  bool intervenesNext() const;

  Options options_;
  Faults faults_;
  EventQueue queue_;
  Network network_;
  FaultSchedule schedule_;
  TraceHash hash_;
  Report report_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<std::unique_ptr<Job>> jobs_;
  std::vector<std::unique_ptr<Oracle>> oracles_;
  std::vector<uint16_t> gatedStores_;
  uint16_t registerNode_ = UINT16_MAX;
  Space space_;
  uint32_t plannedCrash_ = 0;   // the next one of the options
  uint64_t plannedBase_ = 0;    // what its node had seen when the one before struck
  size_t intervened_ = 0;
  uint64_t nowUs_ = 0;
  bool healed_ = false;
};

}  // namespace keyhaul::sim
