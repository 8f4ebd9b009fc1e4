// Verified means equal: when a migration says so, the stores themselves are compared,
// past the engine. A key that a client wrote since the round began (without a feed: since
// the copy began) is no witness. With versions the target may be newer, and each round is one of its own.
#include <set>

#include "../store.h"
#include "../value.h"
#include "../world.h"
#include "oracles.h"
#include "pairs.h"

namespace keyhaul::sim {
namespace {

class Verified : public Oracle {
 public:
  using Oracle::Oracle;
  std::string_view name() const override { return "verified"; }

  void onChange(const StoreChange& change) override {
    if (change.cause != ChangeCause::kClient) return;
    for (const auto& job : world_.jobs()) {
      const bool either = job->source == change.store || (world_.space().versioned && job->target == change.store);
      if (either && job->contains(change.key)) {
        of(*job).written.insert(std::string(change.key));
      }
    }
  }
  void onState(const Job& job, MigrationState from, MigrationState to) override {
    State& state = of(job);
    const bool feed = job.plan.sourceCapabilities.has(Capability::kFeed);
    if (to == MigrationState::kVerifying) {
      state.looked = true;
      if (feed || mergesVersions(job.plan)) state.written.clear();
    }
    const bool deleting = from == MigrationState::kVerifying && to == MigrationState::kDeleting;
    const bool done = to == MigrationState::kDone && from == MigrationState::kVerifying;
    if (deleting || done) compare(job);
    if (to == MigrationState::kDone && !state.looked && job.plan.verify != VerifyDepth::kNone) {
      violated("job " + std::to_string(job.index) + " is done and never verified");
    }
  }

 private:
  struct State {
    std::set<std::string, std::less<>> written;
    bool looked = false;
  };
  State& of(const Job& job) { return states_[job.index]; }

  void compare(const Job& job) {
    const StoreNode& source = world_.store(job.source);
    const StoreNode& target = world_.store(job.target);
    for (const KeyRange& range : job.plan.ranges) {
      forEachPair(
          source.entries(), target.entries(), range,
          [&](const auto& own) { differs(job, own.first, Harm::kLost, "missing in the target"); },
          [&](const auto& copy) {
            if (!job.plan.intoNonempty) differs(job, copy.first, Harm::kResurrected, "only in the target");
          },
          [&](const auto& own, const auto& copy) {
            const bool newer = mergesVersions(job.plan) && sequenceOf(copy.second) > sequenceOf(own.second);
            if (own.second != copy.second && !newer) differs(job, own.first, Harm::kStale, "different");
          });
    }
  }
  void differs(const Job& job, const std::string& key, Harm harm, std::string_view how) {
    if (of(job).written.count(key) != 0) return;
    violated(harm, "called equal, but the key is " + std::string(how), key);
  }

  std::map<uint32_t, State> states_;
};

}  // namespace

std::unique_ptr<Oracle> makeVerified(World& world) { return std::make_unique<Verified>(world); }

}  // namespace keyhaul::sim
