// Only the changes of state that core/src/migrate/state.h draws; what has ended stays so.
// Written from the drawing, not from the engine's table.
#include "../world.h"
#include "oracles.h"

namespace keyhaul::sim {
namespace {

using S = MigrationState;

struct Edge {
  S from, to;
};

constexpr Edge kForward[] = {
    {S::kPending, S::kPreparing},
    {S::kPreparing, S::kCopying},
    {S::kPreparing, S::kVerifying},   // verify only
    {S::kCopying, S::kCatchingUp},
    {S::kCopying, S::kVerifying},
    {S::kCopying, S::kDone},          // nothing is verified
    {S::kCatchingUp, S::kVerifying},
    {S::kCatchingUp, S::kDone},
    {S::kCatchingUp, S::kMismatch},   // the last comparison's differences are real
    {S::kVerifying, S::kVerifying},   // once more, and all of it
    {S::kVerifying, S::kCatchingUp},  // changed meanwhile
    {S::kVerifying, S::kRepairing},
    {S::kVerifying, S::kDeleting},
    {S::kVerifying, S::kDone},
    {S::kVerifying, S::kMismatch},
    {S::kRepairing, S::kVerifying},
    {S::kDeleting, S::kDone},
    {S::kDiscarding, S::kCancelled},
};

class Edges : public Oracle {
 public:
  using Oracle::Oracle;
  std::string_view name() const override { return "edges"; }

  void onBegun(const Job& job, const JournalImage* image) override {
    resumed_[job.index] = image != nullptr;
    if (job.ended()) violated("an ended migration runs again");
  }
  void onState(const Job& job, S from, S to) override {
    if (allowed(job, from, to)) return;
    violated("job " + std::to_string(job.index) + " went from " + std::string(stateName(from)) +
             " to " + std::string(stateName(to)));
  }

 private:
  bool allowed(const Job& job, S from, S to) {
    if (isFinal(from) || from == S::kStopped) return false;
    for (const Edge& edge : kForward) {
      if (edge.from == from && edge.to == to) return true;
    }
    switch (to) {
      case S::kStopped: return true;
      case S::kDiscarding:
      case S::kCancelled: return from != S::kDeleting && job.cancelAsked;
      case S::kFailed: return from == S::kPreparing;
      case S::kCatchingUp:  // a resumed one goes on where it was
      case S::kDeleting:
      case S::kDone: return from == S::kPreparing && resumed_[job.index];
      case S::kPending:
      case S::kPreparing:
      case S::kCopying:
      case S::kVerifying:
      case S::kRepairing:
      KEYHAUL_LIVE_STATES:
      case S::kMismatch: return false;
    }
    return false;
  }

  std::map<uint32_t, bool> resumed_;
};

}  // namespace

std::unique_ptr<Oracle> makeEdges(World& world) { return std::make_unique<Edges>(world); }

}  // namespace keyhaul::sim
