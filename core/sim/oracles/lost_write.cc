// No acknowledged write is lost, and nothing that was overwritten comes back.
//
// Each key has one writer. What may be in it is the last acknowledged write or one begun
// since. While clients run, what they read must be such a value; at the end, the owner of
// each key must hold one: the source, or the target where a move took it away.
#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "../store.h"
#include "../world.h"
#include "oracles.h"

namespace keyhaul::sim {
namespace {

class LostWrite : public Oracle {
 public:
  using Oracle::Oracle;
  std::string_view name() const override { return "lost-write"; }
  bool assumesOneWriter() const override { return true; }

  void onChange(const StoreChange& change) override {
    if (change.cause != ChangeCause::kSetUp || change.after == nullptr) return;
    for (const auto& job : world_.jobs()) {
      if (job->source == change.store && job->contains(change.key)) {
        keys_[std::string(change.key)] = {{0, *change.after}};
      }
    }
  }
  void onInvoked(const ClientWrite& write) override {
    auto& possible = possibleOf(write.key);
    possible.push_back({write.sequence, write.value ? std::optional(*write.value) : std::nullopt});
  }
  void onAcked(const ClientWrite& write) override {
    std::erase_if(possibleOf(write.key),
                  [&write](const Possible& one) { return one.sequence < write.sequence; });
  }
  void onRead(std::string_view key, const std::string* value) override {
    if (allows(key, value)) return;
    // A move may have taken it off the source.
    for (const auto& job : world_.jobs()) {
      if (value == nullptr && job->contains(key) && job->plan.mode == MigrationMode::kMove) return;
    }
    violated(harmOf(key, value), value ? "a client read " + *value : "a client read nothing", key);
  }
  void onEnd() override {
    for (const auto& job : world_.jobs()) {
      for (const std::string& key : job->keys) check(*job, key);
    }
  }

 private:
  struct Possible {
    uint64_t sequence = 0;
    std::optional<std::string> value;
  };

  std::vector<Possible>& possibleOf(std::string_view key) {
    auto& possible = keys_[std::string(key)];
    if (possible.empty()) possible.push_back({0, std::nullopt});
    return possible;
  }
  bool allows(std::string_view key, const std::string* value) {
    for (const Possible& one : possibleOf(key)) {
      if (value ? one.value == *value : !one.value) return true;
    }
    return false;
  }

  // Of a value that may not be in it.
  Harm harmOf(std::string_view key, const std::string* value) {
    if (value == nullptr) return Harm::kLost;
    const auto& possible = possibleOf(key);
    const bool deleted = std::all_of(possible.begin(), possible.end(), [](const Possible& one) {
      return one.sequence != 0 && !one.value;
    });
    return deleted ? Harm::kResurrected : Harm::kStale;
  }

  static const std::string* find(const StoreNode& store, const std::string& key) {
    const auto at = store.entries().find(key);
    return at == store.entries().end() ? nullptr : &at->second;
  }

  void check(const Job& job, const std::string& key) {
    const StoreNode& source = world_.store(job.source);
    const StoreNode& target = world_.store(job.target);
    const std::string* there = find(source, key);
    const std::string* copy = find(target, key);
    const bool done = job.ended() && job.state == MigrationState::kDone;
    const bool mayBeMoved = job.plan.mode == MigrationMode::kMove && there == nullptr;
    if (!mayBeMoved) {
      if (!allows(key, there)) violated(harmOf(key, there), "the source does not hold the last write", key);
    } else if (!target.isRotten(key) && !allows(key, copy)) {
      // Deleted by its writer, perhaps after it had been moved: nobody promised that the
      // target hears of it, unless the writers stopped first.
      const bool strict = done && job.plan.follow;
      if (strict || !allows(key, nullptr)) violated(harmOf(key, copy), "neither store holds the last write", key);
    }
    // Followed to its end, a copy is the same everywhere.
    const bool same = there == copy || (there != nullptr && copy != nullptr && *there == *copy);
    const bool unseen = job.plan.verify == VerifyDepth::kNone && target.isRotten(key);
    if (done && job.plan.follow && job.plan.mode == MigrationMode::kCopy && !same && !unseen) {
      violated(Harm::kStale, "source and target differ after the writers stopped", key);
    }
  }

  std::map<std::string, std::vector<Possible>> keys_;
};

}  // namespace

std::unique_ptr<Oracle> makeLostWrite(World& world) { return std::make_unique<LostWrite>(world); }

}  // namespace keyhaul::sim
