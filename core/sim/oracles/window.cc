// A reverse window is open for as long as was promised, unless somebody closes it; and whoever was
// told that it goes back gets there. What takes a window away before its time, a feed that was
// lost, stands in the receipt.
#include <map>
#include <utility>

#include "../mover.h"
#include "../register.h"
#include "../store.h"
#include "../world.h"
#include "oracles.h"

namespace keyhaul::sim {
namespace {

class Window : public Oracle {
 public:
  using Oracle::Oracle;
  std::string_view name() const override { return "window"; }

  void onBegun(const Job& job, const JournalImage* image) override {
    if (!job.live) return;
    Known& known = known_[job.index];
    // What is left of it is left to whoever goes on, where both know what time it is.
    const bool goesOn = image != nullptr && image->windowEndsUnixMs != 0 && world_.mover(job.mover).knowsTime();
    known.open = known.open && goesOn;
    known.handedOn = known.open;
    if (!known.open) known.since = kNever;
    // What an earlier process began and nobody wrote down is not begun.
    if (image == nullptr || !image->aborting) known.early = false;
  }
  void onState(const Job& job, MigrationState from, MigrationState to) override {
    if (job.plan.reverseWindowMs == 0 || !world_.isTurned(job)) return;
    // What was given up in the register is only told so once more.
    const Claim* claim = world_.theRegister().map().find(job.plan.claim);
    if (claim->state != ClaimState::kClaimed) return;
    Known& known = known_[job.index];
    const Instant now = world_.mover(job.mover).now();
    // Its time begins once both are near, or runs while they never come near; also on, when a way
    // back that was put off stages once more.
    const bool opens = to == MigrationState::kReversible && !std::exchange(known.open, true);
    const bool begins = from == MigrationState::kStaging && !known.open && known.since == kNever;
    if (opens || begins) known.since = now;
    if (opens || begins) known.handedOn = false;
    // Going on with what an earlier process had begun.
    if (to != MigrationState::kAborting || from == MigrationState::kUnfencing) return;
    known.early = now < known.since + milliseconds(job.plan.reverseWindowMs);
    // Two that disagree about the time have each waited for what they believed was left.
    if (known.handedOn && !world_.mover(job.mover).clock().measures()) known.early = false;
  }
  void onLiveEnd(const Job& job) override {
    if (job.state != MigrationState::kDone || !job.begun || job.plan.reverseWindowMs == 0) return;
    if (job.receipt.reversed || world_.hasRival(job)) return;
    const ErrorCode why = job.receipt.windowError;
    const std::string who = "job " + std::to_string(job.index);
    if (job.receipt.sourceGivenUp && !job.giveUpTold) violated("the source of " + who + " was given up, and nobody said so");
    if (job.receipt.sourceGivenUp) return;
    const bool gone = why == ErrorCode::kNotOwner && world_.store(job.source).lostDisk();
    if (why != ErrorCode::kOk && why != ErrorCode::kFeedPositionLost && !gone) {
      violated("the window of job " + std::to_string(job.index) + " ended for " + std::string(errorName(why)));
    }
    if (why != ErrorCode::kOk) return;
    if (job.reverseDue) violated(who + " was to go back, and did not");
    const Known& known = known_[job.index];
    if (known.early && !job.closeTold) {
      violated("the window of job " + std::to_string(job.index) + " ended before its time");
    }
  }

 private:
  struct Known {
    bool open = false;   // in this incarnation
    bool early = false;  // it was given up before its time
    Instant since = kNever;
    bool handedOn = false;  // to another process, by what time it is
  };
  std::map<uint32_t, Known> known_;
};

}  // namespace

std::unique_ptr<Oracle> makeWindow(World& world) { return std::make_unique<Window>(world); }

}  // namespace keyhaul::sim
