// Slots, bytes a second and buffered bytes stay within the configuration, at every step; what a migration copies, within
// the rate that somebody gave it while it ran. Where somebody lowers the slots, as many as are too many of those that
// copy make room.
#include <algorithm>
#include <map>
#include <set>

#include "../mover.h"
#include "../world.h"
#include "oracles.h"

namespace keyhaul::sim {
namespace {

class Limits : public Oracle {
 public:
  using Oracle::Oracle;
  std::string_view name() const override { return "limits"; }

  // Whose journal says that it goes back does so, also where it is another coordinator who was told.
  void onBegun(const Job& job, const JournalImage* image) override {
    if (image != nullptr && image->reversing) {
      back_.insert(job.index);
    } else {
      back_.erase(job.index);
    }
  }
  void onStepped(uint16_t mover, const Engine& engine) override {
    const uint64_t most = world_.mover(mover).config().bufferBytesMax;
    if (engine.bufferBytes() > most) violated("more bytes are buffered than allowed");
    // A page that came for a migration that was just ending is not counted by the engine,
    // and which one that was cannot be seen from here: begin anew, in its favour.
    Debt& debt = debts_[mover];
    if (engine.staleCompletions() != debt.stale) debt.millionths = INT64_MIN / 2;
    debt.stale = engine.staleCompletions();
    watchTooMany(mover);
    for (const auto& job : world_.jobs()) {
      if (job->mover != mover) continue;
      if (madeRoom(*job)) {
        rest_.insert(job->index);
      } else {
        rest_.erase(job->index);
      }
    }
  }
  // When somebody is let in, or goes on after it has made room. Who is undone meanwhile works on without a slot.
  void onState(const Job& job, MigrationState from, MigrationState to) override {
    if (isFinal(to) || to == MigrationState::kStopped) return;  // nobody was let in for that
    const bool goesOn = to == MigrationState::kCatchingUp || to == MigrationState::kVerifying;
    if (from != MigrationState::kPending && (!goesOn || rest_.count(job.index) == 0)) return;
    if (runsTooMany(job, false)) violated("more migrations run than there are slots");
  }
  void onSlots(uint16_t mover) override { tooMany_[mover] = 0; }

  // A page may go into debt, and who comes next waits until it is paid: so at the moment
  // when a page is asked for, nothing is owed.
  void onAction(const Job& job, const Action& action) override {
    if (action.kind == ActionKind::kScan) judgeTooMany(job);
    if (!isRead(action.kind) || job.state == MigrationState::kPreparing || hurries(job)) return;
    // What a clock that goes back showed in between, here, the mover may never have looked at.
    if (!world_.mover(job.mover).clock().measures()) return;
    judge(debts_[job.mover], job, world_.mover(job.mover).config().bytesPerSecond);
    if (action.kind == ActionKind::kScan && job.state == MigrationState::kCopying) judge(own_[job.index], job, job.throttle);
  }
  void onCompleted(const Job& job, ActionKind kind, const Event& event) override {
    const bool page = isRead(kind) && event.kind == EventKind::kPage;
    if (!page || job.state == MigrationState::kPreparing) return;
    const uint64_t bytes = uint64_t{event.payload.bytes} - event.positionBytes - frameBytes(event.count, 0);
    owe(debts_[job.mover], job, world_.mover(job.mover).config().bytesPerSecond, bytes);
    if (kind == ActionKind::kScan && job.state == MigrationState::kCopying) owe(own_[job.index], job, job.throttle, bytes);
  }
  // What went before had no limit, or another one: begin anew, in its favour.
  void onThrottled(const Job& job) override { own_[job.index] = {INT64_MIN / 2, world_.mover(job.mover).now().us, 0}; }
  void onMoverCrash(uint16_t mover) override {
    debts_.erase(mover);
    tooMany_.erase(mover);
  }

 private:
  // Between its stores, or all together. `staying`: without those that are about to make room, and those that were
  // given up, which may be undone without a slot.
  bool runsTooMany(const Job& job, bool staying) const {
    const Config& config = world_.mover(job.mover).config();
    uint32_t all = 0, source = 0, target = 0;
    for (const auto& other : world_.jobs()) {
      if (other->mover != job.mover || !isActive(*other) || madeRoom(*other) || isCancelledAtRest(*other)) continue;
      const bool goes = other->undone || other->cancelAsked || other->state == MigrationState::kDiscarding || isHeld(*other);
      if (staying && goes) continue;
      ++all;
      source += other->source == job.source ? 1U : 0U;
      target += other->target == job.target ? 1U : 0U;
    }
    const auto over = [](uint32_t used, uint32_t limit) { return limit != 0 && used > limit; };
    return over(all, config.slots) || over(source, config.sourceSlots) || over(target, config.targetSlots);
  }
  // It had made room when the step began, and is cancelled in it: it is undone without a slot, and nothing says so yet.
  bool isCancelledAtRest(const Job& job) const {
    return job.cancelAsked && rest_.count(job.index) != 0 && job.state == MigrationState::kCopying;
  }
  bool isHeld(const Job& job) const {
    const MoverNode& mover = world_.mover(job.mover);
    return job.state == MigrationState::kCopying && mover.engine()->inspect(mover.now(), job.id)->paused;
  }
  // Steps since somebody changed the slots, while more run than may.
  void watchTooMany(uint16_t mover) {
    const auto at = tooMany_.find(mover);
    if (at == tooMany_.end()) return;
    const auto is = [&](const auto& job) { return job->mover == mover && isActive(*job) && runsTooMany(*job, true); };
    const auto& jobs = world_.jobs();
    if (std::any_of(jobs.begin(), jobs.end(), is)) {
      ++at->second;
    } else {
      tooMany_.erase(at);
    }
  }
  // The engine is told between two steps, and knows from the next one on. Who was told to make room is not judged: what
  // it still asks for is not told apart here from what it had begun.
  void judgeTooMany(const Job& job) {
    const auto at = tooMany_.find(job.mover);
    if (job.state != MigrationState::kCopying || at == tooMany_.end() || at->second < 2) return;
    if (isHeld(job)) return;
    if (runsTooMany(job, true)) violated("job " + std::to_string(job.index) + " copies on, and more run than there are slots");
  }

  static constexpr uint64_t kToleranceUs = 100;
  struct Debt {
    int64_t millionths = 0;  // of a byte; below zero: saved up
    uint64_t lastUs = 0, stale = 0;
    void pay(uint64_t nowUs, uint64_t rate) {
      millionths -= static_cast<int64_t>(rate * (nowUs - lastUs));
      // A tenth of a second may be saved up.
      millionths = std::max(millionths, -static_cast<int64_t>(rate * 100'000));
      lastUs = nowUs;
    }
  };
  void judge(Debt& debt, const Job& job, uint64_t rate) {
    if (rate == 0) return;
    debt.pay(world_.mover(job.mover).now().us, rate);
    if (debt.millionths > static_cast<int64_t>(rate * kToleranceUs)) {
      violated("a page was asked for while " + std::to_string(debt.millionths / 1'000'000) +
               " bytes were not paid for, at " + std::to_string(rate) + " a second");
    }
  }
  void owe(Debt& debt, const Job& job, uint64_t rate, uint64_t bytes) {
    debt.pay(world_.mover(job.mover).now().us, rate);
    debt.millionths += static_cast<int64_t>(bytes * 1'000'000);
  }
  // The last rounds before a fence and behind it no rate holds back, nor one that goes back; who
  // reads next pays for them.
  bool hurries(const Job& job) const {
    return job.state == MigrationState::kApproaching || job.state == MigrationState::kDraining ||
           job.reverseTold || back_.count(job.index) != 0;
  }
  static bool isRead(ActionKind kind) {
    return kind == ActionKind::kScan || kind == ActionKind::kPollFeed;
  }
  static bool isActive(const Job& job) {
    return job.phase == Job::Phase::kRunning && job.state != MigrationState::kPending &&
           job.state != MigrationState::kStopped && job.state != MigrationState::kReversible &&
           !isFinal(job.state);
  }
  // For one of a higher priority, and waits in the line again.
  bool madeRoom(const Job& job) const { return world_.mover(job.mover).madeRoom(job); }
  std::set<uint32_t> back_;  // jobs whose journal says that they go back
  std::set<uint32_t> rest_;  // jobs that had made room when their mover had made a step
  std::map<uint16_t, uint32_t> tooMany_;  // by mover whose slots were changed
  std::map<uint16_t, Debt> debts_;  // of all that a mover moves
  std::map<uint32_t, Debt> own_;    // of a job
};

}  // namespace

std::unique_ptr<Oracle> makeLimits(World& world) { return std::make_unique<Limits>(world); }

}  // namespace keyhaul::sim
