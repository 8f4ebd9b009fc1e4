// What is left when a claim is closed: after a decision nothing of the ranges on the source,
// after an abort nothing on the target and the source serving again, unless that was a way back whose
// end somebody gave up. At the end no store holds
// what it does not own, and each gate says what the register says. A clean-up takes nothing
// away that is anybody's.
#include "../gated_store.h"
#include "../register.h"
#include "../world.h"
#include "oracles.h"

namespace keyhaul::sim {
namespace {

class LeftOver : public Oracle {
 public:
  using Oracle::Oracle;
  std::string_view name() const override { return "left-over"; }

  void onRegister(const OwnershipMap& before, const OwnershipMap& after) override {
    for (const Claim& claim : before.claims()) {
      if (after.find(claim.id) != nullptr) continue;
      const bool decided = claim.state == ClaimState::kDecided;
      for (const KeyRange& range : claim.ranges) {
        onClosed(*world_.gatedNamed(decided ? claim.target : claim.source),
                 *world_.gatedNamed(decided ? claim.source : claim.target), claim, range);
      }
    }
  }
  void onChange(const StoreChange& change) override {
    if (!world_.hasRegister()) return;
    const bool ofJob = change.cause == ChangeCause::kApply || change.cause == ChangeCause::kCleanUp;
    if (!ofJob) return;
    const Ownership* owner = world_.theRegister().map().lookup(change.key);
    if (owner != nullptr && owner->owner == world_.store(change.store).name()) {
      violated("a migration changed what its owner holds", change.key);
    }
    // A second coordinator that does not know yet empties what came back: the better.
    const Job& job = world_.job(change.party);
    const bool litter = change.after == nullptr && change.store == job.source && world_.isGivenUp(job.plan.claim);
    if (litter) return;
    const Claim* claim = claimOf(change.key);
    if (claim == nullptr || claim->id != job.plan.claim) {
      violated("job " + std::to_string(change.party) + " changed a key without a claim on it",
               change.key);
    }
  }
  void onEnd() override {
    const OwnershipMap& map = world_.theRegister().map();
    if (!map.claims().empty()) violated("a claim is left in the register");
    for (const uint16_t id : world_.gatedStores()) {
      const GatedStoreNode& store = world_.gated(id);
      for (const auto& [key, value] : store.entries()) {
        const Ownership* owner = map.lookup(key);
        if (owner->owner != store.name() && !isGivenUp(store, key)) violated(Harm::kDoubled, "left at " + store.name(), key);
      }
      for (const GateRange& part : store.gate().ranges()) {
        const bool staged = part.state == GateState::kStaged && !isGivenUp(store, part.range.lo);
        if (staged) violated("still staged at " + store.name(), part.range.lo);
      }
    }
    for (const Ownership& part : map.parts()) {
      const GateRange* gate = world_.gatedNamed(part.owner)->gateAt(part.range.lo);
      if (gate == nullptr || gate->state != GateState::kServing) {
        violated(part.owner + " does not serve what it owns", part.range.lo);
      }
    }
  }

 private:
  // As its receipt says; what stands there then nobody may be served.
  bool isGivenUp(const GatedStoreNode& store, std::string_view key) const {
    for (const auto& job : world_.jobs()) {
      if (job->receipt.sourceGivenUp && job->plan.source == store.name() && job->contains(key)) return true;
    }
    return false;
  }
  const Claim* claimOf(std::string_view key) const {
    for (const Claim& claim : world_.theRegister().map().claims()) {
      for (const KeyRange& range : claim.ranges) {
        if (range.contains(key)) return &claim;
      }
    }
    return nullptr;
  }
  void onClosed(const GatedStoreNode& owner, const GatedStoreNode& other, const Claim& claim,
                const KeyRange& range) {
    checkServed(owner, range);
    if (world_.isGivenUp(claim.id)) return checkShut(other, range);
    const auto at = other.entries().lower_bound(range.lo);
    // What was left there before keeps a later migration out, and stays.
    const bool left = at != other.entries().end() && range.hi.isAbove(at->first);
    if (left && !isGivenUp(other, at->first)) {
      violated(Harm::kDoubled, "closed, and left at " + other.name(), at->first);
    }
    for (const GateRange& part : other.gate().ranges()) {
      const bool ours = part.claim == claim.id && part.range.overlaps(range);
      if (ours && part.state == GateState::kStaged) {
        violated("closed, and still staged at " + other.name(), part.range.lo);
      }
    }
  }
  void checkServed(const GatedStoreNode& owner, const KeyRange& range) {
    const GateRange* gate = owner.gateAt(range.lo);
    if (gate == nullptr || gate->state != GateState::kServing) {
      violated("closed, and " + owner.name() + " does not serve", range.lo);
    }
  }
  void checkShut(const GatedStoreNode& other, const KeyRange& range) {
    for (const Gate& gate : {other.gate(), other.durableGate()}) {
      for (const GateRange& part : gate.ranges()) {
        const bool shut = part.state == GateState::kStaged || part.state == GateState::kRedirecting;
        if (part.range.overlaps(range) && !shut) violated(Harm::kTwoOwners, "given up, and " + other.name() + " may serve", part.range.lo);
      }
    }
  }
};

}  // namespace

std::unique_ptr<Oracle> makeLeftOver(World& world) { return std::make_unique<LeftOver>(world); }

}  // namespace keyhaul::sim
