// A plan is safe in each of its parts, gets nearer to what it is for, and comes to an end.
//
// Where ranges have places, and whatever plans (S13): an owner changes only by a move that was asked for and has not ended,
// from where the plan had the range to where it has it next; none comes back because of an older move.
//
// Where a planner balances stores, or two do that know nothing of each other:
//  - at every event what a store holds, its own, what is staged there and what is not yet deleted, fits into its capacity;
//  - at every decision what may be at the target, whichever of the moves that are under way come to pass, fits there too,
//    and no more moves leave or reach a store than may at that time;
//  - every decision lowers the sum of the squares of what stores own, whichever of those moves come to pass. That holds
//    of the bytes as they truly were at the look by which it was made: what clients have written since no planner can
//    know, so of the bytes as they are now it would be false. From `a` to `b` the sum changes by 2w(b + w - a), so it falls
//    where a - b > w, with the least that the source and the most that the target may own. From a store that leaves
//    everything goes, and nothing goes there.
//  - L3: once nothing is broken and nobody writes, no decision by a look since then takes back what the one before it
//    moved (it would have to raise that sum again), there are two for each range at most, and it stops within two minutes;
//    of two planners each waits for a look that is younger than the end of any move, its own too, so they have twice as long.
#include <algorithm>
#include <map>
#include <vector>

#include "../gated_store.h"
#include "../planner.h"
#include "../register.h"
#include "../world.h"
#include "oracles.h"

namespace keyhaul::sim {
namespace {

class PlanOracle : public Oracle {
 public:
  using Oracle::Oracle;
  std::string_view name() const override { return "plan"; }

  void onChange(const StoreChange& change) override {
    // Of 64 bits, so that less of it may be added.
    const auto size = [&](const std::string* value) { return value == nullptr ? uint64_t{0} : uint64_t{change.key.size()} + value->size(); };
    if (held_.size() <= change.store) held_.resize(change.store + size_t{1});
    uint64_t& held = held_[change.store];
    held += size(change.after) - size(change.before);
    const PlannerNode* planner = world_.space().planner;
    if (planner == nullptr || change.after == nullptr || held <= planner->rules().capacities[change.store]) return;
    violated(world_.store(change.store).name() + " holds " + std::to_string(held) + " bytes, and has room for " +
                 std::to_string(planner->rules().capacities[change.store]), change.key);
  }

  void onRegister(const OwnershipMap& before, const OwnershipMap& after) override {
    const std::vector<KeyRange>& ranges = world_.space().placed;
    last_.resize(ranges.size());
    for (size_t i = 0; i < ranges.size(); ++i) {
      const std::string &from = before.lookup(ranges[i].lo)->owner, &to = after.lookup(ranges[i].lo)->owner;
      if (from == to) continue;
      const auto moves = [&](const auto& job) {
        return job->index >= last_[i] && !job->ended() && job->contains(ranges[i].lo) && job->plan.source == from && job->plan.target == to;
      };
      const auto job = std::find_if(world_.jobs().begin(), world_.jobs().end(), moves);
      if (job == world_.jobs().end()) {
        violated("a range went from " + from + " to " + to + ", and no plan wanted that", ranges[i].lo);
      } else {
        last_[i] = (*job)->index;
      }
    }
  }

  void onLooked(const PlannerNode& planner) override {
    looks_[planner.id()].push_back({PlannerNode::bytesOf(world_), isStill()});
    if (isStill() && stillSinceUs_ == UINT64_MAX) stillSinceUs_ = world_.nowUs();
  }
  void onPlanned(const PlannerNode& planner, const Job& planned, uint64_t look) override {
    const std::vector<KeyRange>& ranges = world_.space().placed;
    const Look& seen = looks_[planner.id()][static_cast<size_t>(look)];
    const std::string what = "from " + world_.store(planned.source).name() + " to " + world_.store(planned.target).name();
    uint64_t least = 0, most = 0, room = 0;  // but for what moves
    uint32_t out = 0, in = 0;
    for (size_t i = 0; i < ranges.size(); ++i) {
      const Job* job = PlannerNode::moveOf(world_, ranges[i]);
      if (job == &planned) {
        room += planner.rules().most[i];
        continue;
      }
      const uint16_t owner = job != nullptr ? job->source : PlannerNode::ownerOf(world_, ranges[i]);
      if (owner == planned.source && job == nullptr) least += seen.bytes[i];
      if (owner == planned.target || (job != nullptr && job->target == planned.target)) {
        most += seen.bytes[i];
        room += planner.rules().most[i];
      }
      if (job == nullptr) continue;
      out += job->source == planned.source ? 1U : 0U;
      in += job->target == planned.target ? 1U : 0U;
    }
    const KeyView key = planned.plan.ranges.front().lo;
    if (out >= planner.movesMax() || in >= planner.movesMax()) violated("more moves " + what + " than may be", key);
    if (room > planner.rules().capacities[planned.target]) {
      violated("what is moved " + what + " may have no room there: " + std::to_string(room) + " bytes", key);
    }
    const bool left = planner.leaves(planned.source);
    if (!left && least <= most) violated("the move " + what + " leaves them as far apart as they were", key);
    if (!planner.isMember(planned.target)) violated("something is moved " + what + ", which is no member", key);
    const bool back = before_ != nullptr && before_->contains(key) && before_->source == planned.target;
    if (back) violated("back again, though nobody writes any more: " + what, key);
    before_ = seen.still ? &planned : nullptr;
    if (seen.still && ++further_ > 2 * ranges.size()) violated("nobody writes any more, and it plans on and on");
  }
  void onEnd() override {
    if (world_.space().planner == nullptr) return;
    const bool late = stillSinceUs_ != UINT64_MAX && world_.nowUs() > stillSinceUs_ + kStopsWithinUs * looks_.size();
    if (world_.space().plannersLeft != 0 || late) violated("it did not stop in time once nobody wrote any more");
  }

 private:
  static constexpr uint64_t kStopsWithinUs = 120'000'000;
  struct Look {
    std::vector<uint64_t> bytes;  // by range
    bool still = false;
  };
  bool isStill() const { return world_.healed() && world_.space().clientsLeft == world_.space().plannersLeft; }
  std::vector<uint64_t> held_;  // by store
  std::vector<uint32_t> last_;  // by range: the last job that moved it
  std::map<uint16_t, std::vector<Look>> looks_;  // by planner
  const Job* before_ = nullptr;  // the last one that was planned since nobody writes
  uint64_t stillSinceUs_ = UINT64_MAX, further_ = 0;
};

}  // namespace

std::unique_ptr<Oracle> makePlan(World& world) { return std::make_unique<PlanOracle>(world); }

}  // namespace keyhaul::sim
