// Where values carry versions and others write the target too, a migration never puts an older value in
// the place of a newer one, nor another of the same version, and takes nothing away. And each store ends
// with the newest value that it acknowledged to a client, or a newer one.
#include <map>
#include <utility>

#include "../value.h"
#include "../world.h"
#include "newer.h"
#include "oracles.h"

namespace keyhaul::sim {
namespace {

class Versions : public Oracle {
 public:
  using Oracle::Oracle;
  std::string_view name() const override { return "versions"; }

  void onChange(const StoreChange& change) override {
    if (change.cause != ChangeCause::kApply || !mergesVersions(world_.job(change.party).plan)) return;
    if (change.after == nullptr) return violated(Harm::kLost, "a migration deleted what others may have written", change.key);
    if (change.before == nullptr || *change.before == *change.after) return;
    const uint64_t before = sequenceOf(*change.before), after = sequenceOf(*change.after);
    if (after < before) violated(Harm::kStale, "an older version replaced a newer one", change.key);
    if (after == before) violated(Harm::kStale, "a version was replaced by itself, with another value", change.key);
  }
  // A delete that nobody has acknowledged may have taken place.
  void onInvoked(const ClientWrite& write) override {
    if (write.value == nullptr) newest_[{write.store, std::string(write.key)}] = 0;
  }
  void onAcked(const ClientWrite& write) override {
    if (write.value != nullptr) newest_[{write.store, std::string(write.key)}] = sequenceOf(*write.value);
  }
  void onEnd() override {
    for (const auto& job : world_.jobs()) {
      for (const std::string& key : job->keys) {
        // A move takes off its source what the target has.
        if (job->plan.mode != MigrationMode::kMove) check(job->source, key);
        check(job->target, key);
      }
    }
  }

 private:
  void check(uint16_t store, const std::string& key) {
    const auto at = newest_.find({store, key});
    if (at == newest_.end() || at->second == 0 || world_.store(store).everRotted()) return;
    const std::string* value = valueAt(world_.store(store), key);
    if (value != nullptr && sequenceOf(*value) >= at->second) return;
    violated(Harm::kLost, world_.store(store).name() + " does not hold the newest version that it acknowledged", key);
  }

  // By store and key, of which each pair has one writer; 0: it may have been deleted since.
  std::map<std::pair<uint16_t, std::string>, uint64_t> newest_;
};

}  // namespace

std::unique_ptr<Oracle> makeVersions(World& world) { return std::make_unique<Versions>(world); }

}  // namespace keyhaul::sim
