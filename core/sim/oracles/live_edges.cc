// Only the changes of state that core/src/migrate/live_state.h draws; what has ended stays so,
// and what was decided is never cancelled or failed. Written from the drawing, not from the
// engine's table.
#include <algorithm>
#include <set>
#include <span>

#include "../world.h"
#include "oracles.h"

namespace keyhaul::sim {
namespace {

using S = MigrationState;

struct Edge {
  S from, to;
};

constexpr Edge kForward[] = {
    {S::kPending, S::kClaiming},
    {S::kClaiming, S::kPreparing},
    {S::kClaiming, S::kUnfencing},   // somebody had it before
    {S::kClaiming, S::kActivating},  // and had decided
    {S::kPreparing, S::kStaging},
    {S::kPreparing, S::kCopying},
    {S::kPreparing, S::kCatchingUp},
    {S::kStaging, S::kStaging},      // it is ours; and now nobody else writes it
    {S::kStaging, S::kPreparing},
    {S::kStaging, S::kCopying},
    {S::kStaging, S::kCatchingUp},
    {S::kStaging, S::kDiscarding},
    {S::kStaging, S::kReleasing},
    {S::kCopying, S::kCatchingUp},
    {S::kCatchingUp, S::kVerifying},
    {S::kCatchingUp, S::kApproaching},
    {S::kVerifying, S::kApproaching},
    {S::kApproaching, S::kFencing},
    {S::kFencing, S::kDraining},
    {S::kDraining, S::kReadFencing},
    {S::kDraining, S::kDeciding},
    {S::kReadFencing, S::kDeciding},
    {S::kDeciding, S::kActivating},
    {S::kActivating, S::kRedirecting},
    {S::kCleaning, S::kClosing},
    {S::kClosing, S::kDone},
    {S::kClosing, S::kCancelled},
    {S::kClosing, S::kFailed},
    {S::kClosing, S::kMismatch},
    {S::kPostponing, S::kUnfencing},
    {S::kAborting, S::kUnfencing},
    {S::kAborting, S::kFailed},      // its claim is gone
    {S::kAborting, S::kCancelled},
    {S::kAborting, S::kMismatch},
    {S::kAborting, S::kDone},        // and the other coordinator has moved it
    {S::kUnfencing, S::kStaging},
    {S::kUnfencing, S::kPreparing},
    {S::kUnfencing, S::kAborting},
    {S::kDiscarding, S::kReleasing},
    {S::kDiscarding, S::kPreparing},
    {S::kReleasing, S::kClosing},
    {S::kReleasing, S::kClaiming},  // a predecessor has staged it since
    // A feed that was lost.
    {S::kPreparing, S::kClaiming},
    {S::kStaging, S::kClaiming},
    {S::kCatchingUp, S::kClaiming},
    {S::kApproaching, S::kClaiming},
    // A resumed one finds that it is over.
    {S::kClaiming, S::kDone},
    {S::kClaiming, S::kCancelled},
    {S::kClaiming, S::kMismatch},
    {S::kClaiming, S::kFailed},
    {S::kPending, S::kCancelled},
    {S::kPending, S::kFailed},
};

// Where there is to be a way back.
constexpr Edge kThere[] = {
    {S::kApproaching, S::kArming},
    {S::kArming, S::kFencing},
    {S::kRedirecting, S::kTurning},
    {S::kTurning, S::kStaging},
};
// Once the claim is turned round.
constexpr Edge kBack[] = {
    {S::kStaging, S::kReversible},
    {S::kStaging, S::kApproaching},  // resumed, nothing is compared, and it goes back
    {S::kCatchingUp, S::kReversible},
    {S::kVerifying, S::kReversible},
    {S::kReversible, S::kApproaching},
    {S::kReversible, S::kCatchingUp},   // a store was away, or too much changed: compared anew
    {S::kApproaching, S::kCatchingUp},
    {S::kReversible, S::kAborting},
    // What was kept is given up: nothing is taken off it.
    {S::kUnfencing, S::kClosing},
    {S::kStaging, S::kClosing},
    {S::kDiscarding, S::kClosing},
};

class LiveEdges : public Oracle {
 public:
  using Oracle::Oracle;
  std::string_view name() const override { return "edges"; }

  void onBegun(const Job& job, const JournalImage*) override {
    if (job.ended()) violated("an ended migration runs again");
  }
  void onState(const Job& job, S from, S to) override {
    if (to == S::kPostponing) ++world_.counts().postponed;
    const bool window = job.plan.reverseWindowMs != 0;
    if (window && world_.isTurned(job)) turned_.insert(job.index);
    const bool turned = turned_.contains(job.index);
    // With a window nobody's source is cleaned up but that of the way back.
    const bool cleans = from == S::kRedirecting && to == S::kCleaning && window == turned;
    if (cleans || (window && isOneOf(kThere, from, to)) || (turned && isOneOf(kBack, from, to))) return;
    if (allowed(from, to)) return;
    violated("job " + std::to_string(job.index) + " went from " + std::string(stateName(from)) +
             " to " + std::string(stateName(to)));
  }

 private:
  static bool isFenced(S state) {
    return state == S::kFencing || state == S::kDraining || state == S::kReadFencing;
  }
  static bool isBefore(S state) {
    return state == S::kStaging || state == S::kPreparing || state == S::kCopying ||
           state == S::kCatchingUp || state == S::kVerifying || state == S::kApproaching ||
           state == S::kClaiming || state == S::kDiscarding || state == S::kArming;
  }
  static bool isOneOf(std::span<const Edge> edges, S from, S to) {
    return std::any_of(edges.begin(), edges.end(),
                       [=](const Edge& edge) { return edge.from == from && edge.to == to; });
  }
  static bool allowed(S from, S to) {
    if (isFinal(from) || from == S::kStopped) return false;
    if (isOneOf(kForward, from, to)) return true;
    if (to == S::kStopped) return true;
    if (to == S::kPostponing) return isFenced(from);
    return to == S::kAborting && (isFenced(from) || isBefore(from));
  }
  std::set<uint32_t> turned_;  // for good
};

}  // namespace

std::unique_ptr<Oracle> makeLiveEdges(World& world) { return std::make_unique<LiveEdges>(world); }

}  // namespace keyhaul::sim
