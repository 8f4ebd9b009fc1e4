// What a receipt of level 5 says, held against what the stores held when it was decided.
#include <cstring>

#include "keyhaul/digest.h"
#include "support/live_world.h"

namespace keyhaul::test {

// Called with the register's new document; both stores are as they are at this moment.
void LiveWorld::noteDecision(const OwnershipMap& before, const OwnershipMap& after) {
  for (const Claim& claim : after.claims()) {
    const Claim* was = before.find(claim.id);
    if (claim.state != ClaimState::kDecided || (was != nullptr && was->state == ClaimState::kDecided)) continue;
    const EntryHasher hasher(plan_.digestKey);
    Decision decision;
    for (const GatedStore& store : stores_) {
      Digest digest;
      for (const auto& [key, value] : store.entries) {
        if (planned(key)) digest += hasher.hash(key, value);
      }
      (store.name == "S" ? decision.source : decision.target) = digest;
      if (store.name == claim.source) decision.position = store.gate.head(plan_.ranges);
    }
    decision.epoch = claim.fenceEpoch();
    decisions_.push_back(decision);
  }
}

std::string LiveWorld::checkProof() const {
  if (plan_.require != GuaranteeLevel::kL5 || state() != MigrationState::kDone) return {};
  const Receipt receipt = *this->receipt();
  // Where a coordinator decided whose journal the last one does not have.
  const bool lost = options_.zombies && receipt.level == GuaranteeLevel::kL4;
  if (lost) return receipt.verified || !receipt.position.empty() ? "level 4 with a proof" : "";
  if (receipt.level != GuaranteeLevel::kL5) return "the receipt is of another level";
  if (!receipt.verified) return "done, and not verified";
  if (receipt.source != receipt.target) return "the digests differ";
  if (decisions_.size() != (receipt.reversed ? 2 : 1)) return "decided another number of times";
  const Decision& decision = decisions_.back();
  if (receipt.source != decision.source) return "the source held something else";
  if (receipt.target != decision.target) return "the target held something else";
  uint64_t position = 0;
  if (receipt.position.size() != 8) return "no position is named";
  std::memcpy(&position, receipt.position.data(), 8);
  if (position != decision.position) return "another position is named";
  return receipt.epoch == decision.epoch ? std::string() : "another epoch is named";
}

}  // namespace keyhaul::test
