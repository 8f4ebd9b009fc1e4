// Level 5: when it is decided, a journal of the claim durably says that both sides had one digest at
// a position of the serving store's feed. So they do: the digests are taken here once more, behind
// that position nothing of the ranges was written, and nothing was written to either store since
// the record. The receipt says the same. Below level 5 the receipt of a live migration is verified only where its journal
// had vouched for the attempt that was decided.
#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "../gated_store.h"
#include "../register.h"
#include "../world.h"
#include "journal_tap.h"
#include "oracles.h"

namespace keyhaul::sim {
namespace {

class Position : public Oracle {
 public:
  using Oracle::Oracle;
  std::string_view name() const override { return "position"; }

  void onChange(const StoreChange& change) override {
    ++clock_;
    const bool writes = change.cause == ChangeCause::kClient || change.cause == ChangeCause::kApply ||
                        change.cause == ChangeCause::kRot || change.cause == ChangeCause::kExpired;
    if (!writes) return;
    for (const auto& job : world_.jobs()) {
      const bool of = job->source == change.store || job->target == change.store;
      if (of && isProving(*job) && job->contains(change.key)) writtenAt_[change.store] = clock_;
    }
  }
  void onJournal(const Job& job, const JournalPart& part) override {
    if (!isProving(job)) return;
    ++clock_;
    JournalTap tap(part.bytes);
    for (TappedRecord record; tap.next(record);) {
      if (record.type == TappedRecord::kVerified) proofs_[job.index] = {record, clock_};
    }
  }
  void onRegister(const OwnershipMap& before, const OwnershipMap& after) override {
    for (const Claim& claim : after.claims()) {
      const Claim* was = before.find(claim.id);
      const bool decided = claim.state == ClaimState::kDecided &&
                           (was == nullptr || was->state != ClaimState::kDecided);
      if (!decided) continue;
      onDecided(claim);
      epochs_[claim.id].push_back(claim.fenceEpoch());
    }
  }
  void onLiveEnd(const Job& job) override {
    if (!job.live || job.state != MigrationState::kDone || !job.begun) return;
    if (!isProving(job)) return checkVouched(job);
    const auto decided = decided_.find(job.plan.claim);
    if (decided == decided_.end()) return;  // it had moved before
    const Receipt& receipt = job.receipt;
    const std::string who = "job " + std::to_string(job.index);
    if (receipt.level != GuaranteeLevel::kL5) {
      // Another coordinator decided, and has the proof.
      const bool excused = world_.hasRival(job) && receipt.position.empty();
      if (!excused) violated(who + " is done, and names no position");
      return;
    }
    const Seen& seen = receipt.reversed ? decided->second.back : decided->second.there;
    const bool same = receipt.verified && receipt.source == receipt.target &&
                      receipt.source == seen.digest && receipt.position == seen.position &&
                      receipt.epoch == seen.epoch;
    if (!same) violated("the receipt of " + who + " says something else than was decided on");
  }

 private:
  struct Proof {
    TappedRecord record;
    uint64_t at = 0;  // by clock_
  };
  struct Seen {
    Digest digest;
    std::string position;
    uint64_t epoch = 0;
  };
  struct Decided {
    Seen there, back;
  };

  static bool isProving(const Job& job) { return job.live && job.plan.require == GuaranteeLevel::kL5; }

  Digest digestOf(const Job& job, const GatedStoreNode& store) const {
    const EntryHasher hasher(job.plan.digestKey);
    Digest all;
    for (const auto& [key, value] : store.entries()) {
      if (job.contains(key)) all += hasher.hash(key, value);
    }
    return all;
  }

  void onDecided(const Claim& claim) {
    const Job* any = nullptr;
    std::string problem = "decided, and no journal names a position";
    for (const auto& job : world_.jobs()) {
      if (!(job->plan.claim == claim.id) || !isProving(*job)) continue;
      any = job.get();
      const auto proof = proofs_.find(job->index);
      if (proof == proofs_.end()) continue;
      const std::string found = check(*job, claim, proof->second);
      if (found.empty()) return;
      problem = found;
    }
    if (any != nullptr) violated(problem);
  }

  // There is one decision for each way.
  void checkVouched(const Job& job) {
    if (!job.receipt.verified) return;
    const std::vector<uint64_t>& epochs = epochs_[job.plan.claim];
    const size_t way = job.receipt.reversed ? 1 : 0;
    bool vouched = false;
    JournalTap tap(job.journal);
    for (TappedRecord record; tap.next(record);) {
      vouched = vouched || (record.type == TappedRecord::kVerified && way < epochs.size() && record.epoch == epochs[way]);
    }
    if (!vouched) violated("the receipt of job " + std::to_string(job.index) + " is verified, and its journal vouched for no attempt that was decided");
  }

  // Empty: it holds.
  std::string check(const Job& job, const Claim& claim, const Proof& proof) {
    const TappedRecord& record = proof.record;
    const GatedStoreNode& source = *world_.gatedNamed(claim.source);
    const GatedStoreNode& target = *world_.gatedNamed(claim.target);
    if (record.position.empty()) return "decided on a record that names no position";
    if (record.epoch != claim.fenceEpoch()) return "decided at another epoch than is named";
    const Digest there = digestOf(job, source);
    if (record.source != record.target) return "the named digests differ";
    if (record.source != there) return "the source did not have the named digest";
    if (record.target != digestOf(job, target)) return "the target did not have the named digest";
    for (const uint16_t store : {source.id(), target.id()}) {
      if (writtenAt_[store] > proof.at) return "something was written after the position was named";
    }
    const auto at = ChangeLog::decode(record.position);
    const auto& changes = source.log().changes();
    if (!at || at->at > changes.size()) return "the named position is none of the source's";
    const bool behind = std::any_of(changes.begin() + static_cast<long>(at->at), changes.end(),
                                    [&job](const LoggedChange& change) { return job.contains(change.key); });
    if (behind) return "the source had changes behind the named position";
    Decided& decided = decided_[claim.id];
    (claim.source == job.plan.source ? decided.there : decided.back) = {there, record.position, record.epoch};
    return {};
  }

  std::map<uint32_t, Proof> proofs_;          // by job: the last one
  std::map<ClaimId, std::vector<uint64_t>> epochs_;  // of decisions: there, and back
  std::map<ClaimId, Decided> decided_;
  std::map<uint16_t, uint64_t> writtenAt_;    // by store
  uint64_t clock_ = 0;
};

}  // namespace

std::unique_ptr<Oracle> makePosition(World& world) { return std::make_unique<Position>(world); }

}  // namespace keyhaul::sim
