// A range that was split has moved as a whole where each of its parts says that it has: no key of it was left out
// between two parts, and none is left because nobody went on with the rest. So has one that moves as one what had been
// moved in parts.
#include <algorithm>

#include "../register.h"
#include "../world.h"
#include "oracles.h"

namespace keyhaul::sim {
namespace {

class WholeOracle : public Oracle {
 public:
  using Oracle::Oracle;
  std::string_view name() const override { return "whole"; }

  void onLiveEnd(const Job& job) override {
    if (!job.joined.empty() && job.begun && job.state == MigrationState::kDone) {
      mustOwn(job.plan.target, job.joined, "what had parts has moved to ");
    }
    if (job.partOf == 0 && job.plan.splitMax < 2) return;
    const Job& root = rootOf(job);
    if (root.receipt.splitAt.empty()) return;
    for (const auto& part : world_.jobs()) {
      if (&rootOf(*part) != &root) continue;
      const bool split = !part->receipt.splitAt.empty();
      // One that failed is somebody's to look at, and says so.
      if (!part->ended() || (!split && part->state != MigrationState::kDone)) return;
    }
    mustOwn(root.plan.target, root.plan.ranges, "all parts have moved to ");
  }

 private:
  void mustOwn(const std::string& owner, const std::vector<KeyRange>& ranges, const char* what) {
    for (const KeyRange& range : ranges) {
      for (const Ownership& part : world_.theRegister().map().parts()) {
        if (!part.range.overlaps(range) || part.owner == owner) continue;
        // Of a key that clients know: where a range begins there may be none.
        const auto& keys = world_.space().keys;
        const auto key = std::find_if(keys.begin(), keys.end(), [&](const std::string& one) { return part.range.contains(one) && range.contains(one); });
        violated(what + owner + ", and " + part.owner + " still owns a part", key == keys.end() ? std::string_view() : *key);
      }
    }
  }
  const Job& rootOf(const Job& job) const {
    const Job* root = &job;
    while (root->partOf != 0) root = &world_.job(root->partOf - 1);
    return *root;
  }
};

}  // namespace

std::unique_ptr<Oracle> makeWhole(World& world) { return std::make_unique<WholeOracle>(world); }

}  // namespace keyhaul::sim
