// Writers are paused no longer than the budget: an attempt that has stood behind its fence for
// longer asks for nothing more, and is given up. And nobody lifts a fence before the
// register has said so (single_writer.cc sees to that). How long nobody could write a key, from the fence to the store
// that takes writes again, goes into the report's histogram; where nothing fails, all of it is within the budget.
#include <algorithm>
#include <bit>
#include <map>
#include <vector>

#include "../mover.h"
#include "../world.h"
#include "oracles.h"

namespace keyhaul::sim {
namespace {

class Pause : public Oracle {
 public:
  using Oracle::Oracle;
  std::string_view name() const override { return "pause"; }

  void onState(const Job& job, MigrationState, MigrationState to) override {
    if (to == MigrationState::kFencing) fencedAt_.erase(job.index);
  }
  void onAction(const Job& job, const Action& action) override {
    const bool goesOn = action.kind != ActionKind::kJournal && action.kind != ActionKind::kCloseFeed;
    if (!isFenced(job.state) || !goesOn) return;
    const uint64_t nowUs = world_.mover(job.mover).now().us;
    // What comes before the fence (the journal, the question to the target, the trimming of a feed) keeps nobody from writing.
    const bool fences = action.kind == ActionKind::kGate && action.verb == GateVerb::kFence;
    if (fences) fencedAt_.try_emplace(job.index, nowUs);
    const auto fencedAt = fencedAt_.find(job.index);
    if (fencedAt == fencedAt_.end()) return;
    const uint64_t us = nowUs - fencedAt->second;
    if (us > uint64_t{job.plan.pauseBudgetMs} * 1'000) {
      violated("job " + std::to_string(job.index) + " has kept writers waiting for " +
               std::to_string(us / 1'000) + " ms and goes on");
    }
  }
  void onGate(uint16_t, const GateCall& call) override {
    const bool opens = call.verb == GateVerb::kActivate || call.verb == GateVerb::kUnfence;
    if (!opens && call.verb != GateVerb::kFence) return;
    const std::vector<std::string>& keys = world_.space().keys;
    closedAt_.resize(keys.size(), UINT64_MAX);
    for (size_t i = 0; i < keys.size(); ++i) {
      const auto holds = [&](const KeyRange& range) { return range.contains(keys[i]); };
      if (!std::any_of(call.ranges.begin(), call.ranges.end(), holds)) continue;
      if (opens && closedAt_[i] != UINT64_MAX) note(call.claim, keys[i], world_.nowUs() - closedAt_[i]);
      closedAt_[i] = opens ? UINT64_MAX : std::min(closedAt_[i], world_.nowUs());
    }
  }
  // Where nothing fails, and nobody dies because the scenario wants it, the pause itself is within
  // the budget and a round trip.
  void onEnd() override {
    if (mayFail()) return;
    for (const auto& job : world_.jobs()) {
      const uint64_t mostUs = (uint64_t{job->plan.pauseBudgetMs} + kRoundTripMs) * 1'000;
      if (job->receipt.totals.pauseUs > mostUs) violated("writers were paused for longer than allowed");
    }
  }

 private:
  static constexpr uint64_t kRoundTripMs = 20;
  bool mayFail() const {
    const Options& options = world_.options();
    return world_.counts().crashes != 0 || world_.faultsDrawn() != 0 || !options.crashes.empty() || !options.interventions.empty();
  }
  void note(const ClaimId& claim, const std::string& key, uint64_t us) {
    Pauses& pauses = world_.counts().pauses;
    ++pauses[std::min<size_t>(static_cast<size_t>(std::bit_width(us / 1'000)), pauses.size() - 1)];
    if (mayFail()) return;
    for (const auto& job : world_.jobs()) {
      if (job->plan.claim != claim || us <= (uint64_t{job->plan.pauseBudgetMs} + kRoundTripMs) * 1'000) continue;
      return violated("nobody could write for " + std::to_string(us / 1'000) + " ms", key);
    }
  }
  static bool isFenced(MigrationState state) {
    return state == MigrationState::kFencing || state == MigrationState::kDraining ||
           state == MigrationState::kReadFencing;
  }
  std::map<uint32_t, uint64_t> fencedAt_;
  std::vector<uint64_t> closedAt_;  // by key; UINT64_MAX: it is open
};

}  // namespace

std::unique_ptr<Oracle> makePause(World& world) { return std::make_unique<Pause>(world); }

}  // namespace keyhaul::sim
