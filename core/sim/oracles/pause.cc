// Writers are paused no longer than the budget: at every step of the engine, an attempt that
// has stood behind its fence for longer has been given up. And nobody lifts a fence before the
// register has said so (single_writer.cc sees to that).
#include <map>

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
    if (to == MigrationState::kFencing) fencedAt_[job.index] = world_.mover(job.mover).now().us;
  }
  void onStepped(uint16_t mover, const Engine&) override {
    for (const auto& job : world_.jobs()) {
      if (job->mover != mover || job->phase != Job::Phase::kRunning || !isFenced(job->state)) continue;
      const uint64_t us = world_.mover(mover).now().us - fencedAt_[job->index];
      if (us > uint64_t{job->plan.pauseBudgetMs} * 1'000) {
        violated("job " + std::to_string(job->index) + " has kept writers waiting for " +
                 std::to_string(us / 1'000) + " ms and goes on");
      }
    }
  }

 private:
  static bool isFenced(MigrationState state) {
    return state == MigrationState::kFencing || state == MigrationState::kDraining ||
           state == MigrationState::kReadFencing;
  }
  std::map<uint32_t, uint64_t> fencedAt_;
};

}  // namespace

std::unique_ptr<Oracle> makePause(World& world) { return std::make_unique<Pause>(world); }

}  // namespace keyhaul::sim
