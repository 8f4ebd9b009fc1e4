// At most one store takes writes of a key in one epoch, and epochs only grow. A store serves
// only what the register gives it; and nothing that is only staged is shown.
//
// Where a key has several writers, one that a store had admitted may land behind one that it
// admitted later, when a fence that was never acknowledged has been lifted between: at the same
// store, and if no other has taken one since, nobody can tell.
#include <map>

#include "../gated_store.h"
#include "../register.h"
#include "../world.h"
#include "oracles.h"

namespace keyhaul::sim {
namespace {

class SingleWriter : public Oracle {
 public:
  using Oracle::Oracle;
  std::string_view name() const override { return "single-writer"; }

  void onTaken(const TakenWrite& write) override {
    const auto [store, client, sequence, key, epoch] = write;
    auto at = last_.find(key);
    if (at == last_.end()) at = last_.emplace(std::string(key), Last{}).first;
    Last& last = at->second;
    const bool isLate = world_.space().shared && store == last.store && epoch < last.epoch &&
                        epoch > last.elsewhere;
    if (epoch < last.epoch && !isLate) {
      violated(Harm::kTwoOwners, "a write at epoch " + std::to_string(epoch) + " was taken after one at " +
                   std::to_string(last.epoch), key);
    } else if (epoch == last.epoch && store != last.store) {
      violated(Harm::kTwoOwners, "two stores took writes in epoch " + std::to_string(epoch), key);
    }
    if (!isLate) last = {epoch, store != last.store ? last.epoch : last.elsewhere, store};
    const Ownership* owner = world_.theRegister().map().lookup(key);
    if (owner == nullptr || owner->owner != world_.store(store).name()) {
      violated(Harm::kTwoOwners, world_.store(store).name() + " took a write of what it does not own", key);
    }
  }
  void onShown(uint16_t store, std::string_view key) override {
    const GateRange* part = world_.gated(store).gateAt(key);
    const bool may = part != nullptr && (part->state == GateState::kServing ||
                                         part->state == GateState::kFenced);
    if (!may) violated(world_.store(store).name() + " shows what it may not", key);
  }
  // Who begins to serve is the owner, now and by nobody's leave but the register's.
  void onGate(uint16_t store, const GateCall& call) override {
    if (!Gate::opens(call.verb)) return;
    const std::string& name = world_.store(store).name();
    for (const KeyRange& range : call.ranges) {
      const Ownership* owner = world_.theRegister().map().lookup(range.lo);
      if (owner == nullptr || owner->owner != name || owner->epoch < call.epoch) {
        violated(Harm::kTwoOwners, name + " begins to serve at epoch " + std::to_string(call.epoch) +
                     ", and the register does not say so", range.lo);
      }
    }
  }
  // Who loses a range serves it no longer, and would not after a crash; but shows it, where it
  // cannot do otherwise.
  void onRegister(const OwnershipMap& before, const OwnershipMap& after) override {
    for (const Ownership& part : after.parts()) {
      const Ownership* was = before.lookup(part.range.lo);
      if (was == nullptr || was->owner == part.owner) continue;
      const GatedStoreNode* loser = world_.gatedNamed(was->owner);
      if (serves(loser->gate(), part.range) || serves(loser->durableGate(), part.range)) {
        violated(Harm::kTwoOwners, was->owner + " still serves what the register has given to " + part.owner,
                 part.range.lo);
      }
    }
  }

 private:
  bool serves(const Gate& gate, const KeyRange& range) const {
    for (const GateRange& part : gate.ranges()) {
      const bool shows = part.state == GateState::kFenced && world_.space().readFence;
      const bool open = part.state == GateState::kServing || shows;
      if (open && part.range.overlaps(range)) return true;
    }
    return false;
  }
  struct Last {
    uint64_t epoch = 0;
    uint64_t elsewhere = 0;  // that another store took a write at
    uint16_t store = 0;
  };
  std::map<std::string, Last, std::less<>> last_;
};

}  // namespace

std::unique_ptr<Oracle> makeSingleWriter(World& world) {
  return std::make_unique<SingleWriter>(world);
}

}  // namespace keyhaul::sim
