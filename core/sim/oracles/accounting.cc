// What a receipt counts is what was acknowledged: entries copied, entries verified.
#include "../store.h"
#include "../world.h"
#include "oracles.h"

namespace keyhaul::sim {
namespace {

class Accounting : public Oracle {
 public:
  using Oracle::Oracle;
  std::string_view name() const override { return "accounting"; }

  void onBegun(const Job& job, const JournalImage* image) override {
    Count& count = counts_[job.index];
    count = {};
    if (image != nullptr) count.copied = image->totals.copiedEntries;
  }
  void onAction(const Job& job, const Action& action) override {
    if (action.kind == ActionKind::kApply && job.state == MigrationState::kCopying) {
      counts_[job.index].inFlight[action.op.value] = action.count;
    }
  }
  void onCompleted(const Job& job, ActionKind kind, const Event& event) override {
    if (kind != ActionKind::kApply) return;
    Count& count = counts_[job.index];
    const auto at = count.inFlight.find(event.op.value);
    if (at == count.inFlight.end()) return;
    if (event.kind == EventKind::kDone) count.copied += at->second;
    count.inFlight.erase(at);
  }
  void onState(const Job& job, MigrationState, MigrationState to) override {
    counts_[job.index].concluded = to == MigrationState::kDone;
  }
  void onEnd() override {
    for (const auto& job : world_.jobs()) {
      if (!job->ended()) continue;
      if (job->plan.mode == MigrationMode::kLive) {
        // One that found in its journal that another had ended it has that one's receipt (seed 894681 of live-swarm).
        if (counts_[job->index].concluded) checkCopied(*job);
        continue;
      }
      Report::Counts& counts = world_.counts();
      counts.done += job->state == MigrationState::kDone ? 1U : 0U;
      counts.mismatched += job->state == MigrationState::kMismatch ? 1U : 0U;
      counts.cancelled += job->state == MigrationState::kCancelled ? 1U : 0U;
      counts.verified += job->receipt.verified ? 1U : 0U;
      counts.copiedEntries += job->receipt.totals.copiedEntries;
      counts.feedChanges += job->receipt.totals.feedChanges;
      if (job->state == MigrationState::kDone) check(*job);
    }
  }

 private:
  struct Count {
    uint64_t copied = 0;
    bool concluded = false;
    std::map<uint32_t, uint64_t> inFlight;  // op -> entries
  };

  void checkCopied(const Job& job) {
    const Receipt& receipt = job.receipt;
    const uint64_t copied = counts_[job.index].copied;
    if (job.plan.mode != MigrationMode::kVerify && receipt.totals.copiedEntries != copied) {
      violated("job " + std::to_string(job.index) + " says it copied " +
               std::to_string(receipt.totals.copiedEntries) + " entries; acknowledged were " +
               std::to_string(copied));
    }
  }
  // Of a live one both sides are written while they are read, and `position` looks at what it proves.
  void check(const Job& job) {
    const Receipt& receipt = job.receipt;
    checkCopied(job);
    if (receipt.verified && receipt.source != receipt.target && !mergesVersions(job.plan)) {
      violated("a receipt says verified, with two different digests");
    }
    if (receipt.verified && receipt.totals.verifiedEntries != receipt.target.entries) {
      violated("a receipt counts other entries than its digest");
    }
  }

  std::map<uint32_t, Count> counts_;
};

}  // namespace

std::unique_ptr<Oracle> makeAccounting(World& world) { return std::make_unique<Accounting>(world); }

}  // namespace keyhaul::sim
