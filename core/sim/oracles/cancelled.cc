// Cancel leaves the target as it was, where its ranges were empty, and the source as it
// is; and that stays so, whatever is still on its way.
#include "../store.h"
#include "../world.h"
#include "oracles.h"

namespace keyhaul::sim {
namespace {

class Cancelled : public Oracle {
 public:
  using Oracle::Oracle;
  std::string_view name() const override { return "cancelled"; }

  void onBegun(const Job& job, const JournalImage* image) override {
    if (image != nullptr) return;
    auto& before = before_[job.index];
    before.clear();
    for (const auto& [key, value] : world_.store(job.target).entries()) {
      if (job.contains(key)) before[key] = value;
    }
  }
  void onState(const Job& job, MigrationState, MigrationState to) override {
    if (to == MigrationState::kCancelled) check(job);
  }
  void onEnd() override {
    for (const auto& job : world_.jobs()) {
      if (job->ended() && job->state == MigrationState::kCancelled) check(*job);
    }
  }

 private:
  void check(const Job& job) {
    const Entries& before = before_[job.index];
    // With versions others may have written what is there.
    if (job.plan.mode == MigrationMode::kVerify || !before.empty() || mergesVersions(job.plan)) return;
    for (const KeyRange& range : job.plan.ranges) {
      const Entries& entries = world_.store(job.target).entries();
      const auto at = entries.lower_bound(range.lo);
      if (at != entries.end() && range.hi.isAbove(at->first)) {
        violated(Harm::kDoubled, "left in the target after cancelling job " + std::to_string(job.index), at->first);
      }
    }
  }

  std::map<uint32_t, Entries> before_;
};

}  // namespace

std::unique_ptr<Oracle> makeCancelled(World& world) { return std::make_unique<Cancelled>(world); }

}  // namespace keyhaul::sim
