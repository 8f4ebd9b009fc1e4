#include "mover.h"

#include <algorithm>
#include <utility>

#include "register.h"
#include "store.h"
#include "world.h"

namespace keyhaul::sim {
namespace {
constexpr uint64_t kUnixStartMs = 1'800'000'000'000;
}

MoverNode::MoverNode(World& world, uint16_t id, const Config& config)
    : Node(world, NodeKind::kMover, id),
      config_(config),
      configured_(config),
      disk_(world.seed(), "disk mover " + std::to_string(id), world.faults()),
      prng_(world.seed(), "mover " + std::to_string(id)),
      memoryPrng_(world.seed(), "memory of mover " + std::to_string(id)),
      versionPrng_(world.seed(), "version of mover " + std::to_string(id)) {
  if (const Rehearsal* model = world.rehearsal()) disk_.syncsIn(model->syncs());
}

Instant MoverNode::now() const { return {clock_.nowUs(world_.nowUs())}; }

bool MoverNode::waitsForTurn(const Job& job) const {
  return job.after != 0 && !world_.job(job.after - 1).ended();
}

void MoverNode::take(Job& job) {
  jobs_.push_back(&job);
  const uint64_t nowUs = world_.nowUs();
  if (!waitsForTurn(job)) timer(std::max(job.startUs, nowUs) - nowUs, kBegin, job.index);
  if (job.cancelAtUs != 0) timer(job.cancelAtUs, kCommand, job.index);
  watchRate(job);
}

void MoverNode::onCrash() {
  world_.tell([this](Oracle& oracle) { oracle.onMoverCrash(id()); });
  for (Job* job : jobs_) {
    loseJournal(*job);
    if (!job->ended()) job->phase = Job::Phase::kWaiting;
  }
  engine_.reset();
  nodes_.clear();
  work_.clear();
  running_.clear();
  events_.clear();
  paused_.clear();
  stepPosted_ = false;
  armedUs_ = deadlineUs_ = UINT64_MAX;
  clock_.restart();
  config_ = configured_;
}

void MoverNode::onRestart() {
  older_ = world_.strikes(versionPrng_, FaultKind::kVersionSkew, id());
  if (older_) timer(versionPrng_.between(100'000, 3'000'000), kUpgrade);
  for (Job* job : jobs_) {
    if (job->ended()) watchReturn(*job);
    if (!job->ended()) watchRate(*job);
    if (job->ended() || waitsForTurn(*job)) continue;
    const uint64_t inUs = job->startUs > world_.nowUs() ? job->startUs - world_.nowUs() : 0;
    timer(inUs + prng_.below(50'000), kBegin, job->index);
    watchSource(*job);
    if (job->cancelAtUs > world_.nowUs()) {
      timer(job->cancelAtUs - world_.nowUs(), kCommand, job->index);
    }
  }
}

void MoverNode::onTimer(uint8_t what, uint64_t arg) {
  switch (static_cast<What>(what)) {
    case kBegin: return begin(world_.job(static_cast<uint32_t>(arg)));
    case kStep:
      stepPosted_ = false;
      return step();
    case kDeadline:
      armedUs_ = UINT64_MAX;
      return step();
    case kRepeat: return repeat(arg);
    case kJournalDone: return onJournalDone(world_.job(static_cast<uint32_t>(arg)));
    case kCommand: {
      Job& job = world_.job(static_cast<uint32_t>(arg));
      if (job.phase == Job::Phase::kRunning) command(job);
      return;
    }
    case kWindow: return onWindow(world_.job(static_cast<uint32_t>(arg)));
    case kSourceDies: return onSourceDies(world_.job(static_cast<uint32_t>(arg)));
    case kGiveUp: return giveUp(world_.job(static_cast<uint32_t>(arg)));
    case kLiftRate: {
      Job& job = world_.job(static_cast<uint32_t>(arg));
      if (job.phase != Job::Phase::kRunning) return;
      limitRate(job);
      return wake();
    }
    case kComesBack: return onComesBack(world_.job(static_cast<uint32_t>(arg)));
    case kUpgrade: return world_.crash(*this, world_.nowUs() + 100'000);
  }
}

bool MoverNode::wantsCancel(const Job& job) const {
  return job.startOver || (job.cancelAtUs != 0 && world_.nowUs() >= job.cancelAtUs);
}

void MoverNode::command(Job& job) {
  if (job.plan.follow && job.writersLeft == 0) static_cast<void>(engine_->finish(job.id));
  giveUp(job);
  if (wantsCancel(job)) {
    job.cancelAsked = true;
    const Status status = engine_->cancel(job.id);
    const bool late = job.live && status.code() == ErrorCode::kCancelTooLate;
    if (late && world_.sabotaged(Sabotage::kCancelTail)) {
      running_.erase(job.id.value);
      return ended(job, MigrationState::kCancelled, {});
    }
  }
  wake();
}

void MoverNode::begin(Job& job) {
  if (job.phase != Job::Phase::kWaiting && job.phase != Job::Phase::kStopped) return;
  if (work_[job.index].journalBusy != 0) return again(job, 10'000);
  if (older_ && cannotRead(job)) return;
  if (!engine_) {
    Config config = config_;
    if (world_.sabotaged(Sabotage::kIgnoreLimits)) {
      config.slots = config.sourceSlots = config.targetSlots = 0;
      config.bytesPerSecond = 0;
    }
    engine_.emplace(std::move(Engine::create(config)).value());
  }
  if (job.live && !beginLive(job)) return;
  if (knowsTime_) engine_->setWallClock(now(), kUnixStartMs + world_.nowUs() / 1'000);
  ++job.session;
  job.phase = Job::Phase::kGreeting;
  work_[job.index] = {};
  if (job.live) return launch(job);
  greet(job);
}

void MoverNode::again(Job& job, uint64_t delayUs) { timer(delayUs, kBegin, job.index); }

void MoverNode::greet(Job& job) {
  for (const uint16_t store : {job.source, job.target}) {
    Message hello;
    hello.kind = MessageKind::kHello;
    hello.to = store;
    call(job, {}, ActionKind::kAbort, std::move(hello));
  }
}

void MoverNode::onGreeted(Job& job, const Message& reply) {
  if (reply.error == ErrorCode::kStoreClosed) {  // it restarted meanwhile
    job.phase = Job::Phase::kWaiting;
    return again(job, 1'000);
  }
  Work& work = work_[job.index];
  if (reply.error != ErrorCode::kOk) {  // its disk
    Message hello;
    hello.kind = MessageKind::kHello;
    hello.to = reply.from;
    return call(job, {}, ActionKind::kAbort, std::move(hello));
  }
  (reply.from == job.source ? work.sourceGreeted : work.targetGreeted) = true;
  if (work.sourceGreeted && work.targetGreeted) launch(job);
}

void MoverNode::launch(Job& job) {
  for (const uint16_t store : {job.source, job.target}) {
    if (nodes_.count(store) != 0) continue;
    nodes_[store] = engine_->addNode(world_.store(store).name()).value();
  }
  job.phase = Job::Phase::kRunning;
  job.state = MigrationState::kPending;
  job.throttle = 0;
  Result<JournalImage> image = readJournal(std::as_bytes(std::span(job.journal)));
  if (image.ok()) return resume(job, std::move(image).value());
  if (!job.journal.empty() && image.code() != ErrorCode::kJournalTorn) {
    if (world_.logs()) world_.line(describeJournal(std::as_bytes(std::span(job.journal))));
    world_.violated("journal", "cannot be read: " + std::string(errorName(image.code())), {});
    return ended(job, MigrationState::kFailed, {});
  }
  job.journal.clear();
  Plan wanted = job.plan;
  if (world_.sabotaged(Sabotage::kBudgetInSeconds)) {
    wanted.pauseBudgetMs = std::min(wanted.pauseBudgetMs * 1'000, 3'600'000U);
  }
  if (world_.sabotaged(Sabotage::kPriorityLost)) wanted.priority = 0;
  Result<ValidPlan> plan = validatePlan(std::move(wanted));
  if (!plan.ok()) {
    world_.violated("scenario", "a plan is " + std::string(errorName(plan.code())), {});
    return ended(job, MigrationState::kFailed, {});
  }
  job.id = engine_->start(now(), std::move(plan).value(), nodes_[job.source], nodes_[job.target],
                          true).value();
  running_[job.id.value] = &job;
  limitRate(job);
  world_.tell([&job](Oracle& oracle) { oracle.onBegun(job, nullptr); });
  command(job);
}

void MoverNode::resume(Job& job, JournalImage image) {
  if (image.receipt) return ended(job, image.receipt->state, *image.receipt);
  ++world_.counts().resumes;
  job.reverseDue = job.reverseDue && image.reversing;
  if (!world_.sabotaged(Sabotage::kKeepTornTail)) {
    job.journal.resize(static_cast<size_t>(image.validBytes));
  }
  world_.tell([&](Oracle& oracle) { oracle.onBegun(job, &image); });
  if (world_.sabotaged(Sabotage::kCountsAnew)) image.totals.copiedEntries = 0;
  if (world_.sabotaged(Sabotage::kResumePastCheckpoint)) {
    for (size_t i = 0; i < image.ranges.size(); ++i) {
      auto& range = image.ranges[i];
      if (range.copied || range.leaves.empty()) continue;
      const Entries& entries = world_.store(job.source).entries();
      auto at = entries.lower_bound(range.leaves.lastUpto());
      for (uint32_t skip = 0; skip < job.plan.pageEntries && at != entries.end(); ++skip) ++at;
      if (at != entries.end() && job.plan.ranges[i].contains(at->first)) {
        range.leaves.add(at->first, {});
      }
    }
  }
  if (forgotten_.erase(job.index) != 0) {
    for (auto& range : image.ranges) range = {};
  }
  job.id = engine_->resume(now(), std::move(image), nodes_[job.source], nodes_[job.target])
               .value();
  running_[job.id.value] = &job;
  limitRate(job);
  command(job);
}

void MoverNode::ended(Job& job, MigrationState state, const Receipt& receipt) {
  if (job.startOver && state == MigrationState::kCancelled) {
    job.startOver = job.cancelAsked = false;
    job.journal.clear();
    job.phase = Job::Phase::kWaiting;
    return again(job, 10'000);
  }
  // Refused by a process that does not know the document, before it had claimed anything: one that does begins it,
  // also where the older one died before it could tell.
  if (job.refusedAsLater && state == MigrationState::kFailed && job.reason == ErrorCode::kRegisterCorrupt) {
    if (world_.theRegister().map().find(job.plan.claim) != nullptr && !world_.hasRival(job)) {
      world_.violated("journal", "job " + std::to_string(job.index) + " did not know the document, and had claimed something", {});
    }
    job.refusedAsLater = false;
    job.journal.clear();
    job.phase = Job::Phase::kWaiting;
    return older_ ? void() : again(job, 10'000);
  }
  job.phase = Job::Phase::kEnded;
  job.receipt = receipt;
  job.state = state;
  if (job.live) endedLive(job);
}

void MoverNode::stopped(Job& job) {
  if (job.live) {
    job.phase = Job::Phase::kStopped;
    uint64_t delayUs = prng_.between(50'000, 1'000'000);
    // Who was superseded leaves it to the other for a while, and looks again.
    if (job.error == ErrorCode::kSuperseded) {
      delayUs = prng_.between(1, 4) * 1'000'000 << std::min<uint32_t>(job.superseded++, 4);
    }
    return again(job, delayUs);
  }
  if (job.error == ErrorCode::kFeedPositionLost) job.startOver = true;
  // Before its journal says anything there is nothing to cancel.
  if (job.startOver && job.journal.empty()) job.startOver = false;
  job.phase = Job::Phase::kStopped;
  again(job, prng_.between(50'000, 1'000'000));
}

bool MoverNode::madeRoom(const Job& job) const {
  const bool slots = config_.slots != 0 || config_.sourceSlots != 0 || config_.targetSlots != 0;
  if (!slots || job.state != MigrationState::kCopying || jobOf(job.id) != &job) return false;
  const auto seen = engine_->inspect(now(), job.id);
  return seen && seen->waits;
}

void MoverNode::wake() {
  if (std::exchange(stepPosted_, true)) return;
  const uint64_t busyUs = freeAtUs_ > world_.nowUs() ? freeAtUs_ - world_.nowUs() : 0;
  timer(5 * uint64_t{slowFactor()} + busyUs, kStep);
}

void MoverNode::complete(Job& job, ActionKind kind, const Event& event) {
  world_.tell([&](Oracle& oracle) { oracle.onCompleted(job, kind, event); });
  events_.push_back(event);
  // Behind the step that takes it up: the next read is under way meanwhile, as in a driver. In a
  // pause nothing is: what comes next is asked for when this has been taken up.
  const bool first = world_.rehearsal() == nullptr || !Rehearsal::isPause(job.state);
  if (first) wake();
  if (world_.rehearsal() == nullptr) return;
  freeAtUs_ = std::max(freeAtUs_, world_.nowUs()) + rehearsedUs(job, kind, event);
  if (!first) wake();
}

Job* MoverNode::jobOf(MigrationId id) const {
  const auto at = running_.find(id.value);
  return at == running_.end() ? nullptr : at->second;
}

void MoverNode::step() {
  if (!engine_) return;
  const std::vector<Event> events = std::exchange(events_, {});
  // Where it went back the engine takes it for the last one.
  const Ready ready = engine_->step({clock_.rawUs(world_.nowUs())}, events);
  clock_.show(world_.nowUs());
  const std::vector<Action> actions(ready.actions.begin(), ready.actions.end());
  const std::vector<Notice> notices(ready.notices.begin(), ready.notices.end());
  deadlineUs_ = UINT64_MAX;
  if (!(ready.nextDeadline == keyhaul::kNever)) {
    deadlineUs_ = clock_.whenUs(ready.nextDeadline.us);
    // What is due is, though a clock that went back does not show it yet.
    if (ready.nextDeadline <= now()) deadlineUs_ = std::min(deadlineUs_, world_.nowUs());
  }
  if (ready.more) wake();
  std::vector<Job*> changed;
  for (const Notice& notice : notices) takeNotice(notice, changed);
  world_.tell([this](Oracle& oracle) { oracle.onStepped(id(), *engine_); });
  for (const Action& action : actions) carryOut(action);
  if (world_.sabotaged(Sabotage::kPreemptForgets)) stopThoseThatMadeRoom();
  for (Job* job : changed) {
    if (job->phase != Job::Phase::kRunning) continue;
    const MigrationState state = job->state;
    if (!isFinal(state) && state != MigrationState::kStopped) continue;
    const Receipt receipt = *engine_->receipt(job->id);
    running_.erase(job->id.value);
    static_cast<void>(engine_->forget(job->id));
    isFinal(state) ? ended(*job, state, receipt) : stopped(*job);
  }
  if (deadlineUs_ < armedUs_) {
    armedUs_ = std::max(deadlineUs_, world_.nowUs());
    timer(armedUs_ - world_.nowUs(), kDeadline);
  }
}

void MoverNode::takeNotice(const Notice& notice, std::vector<Job*>& changed) {
  Job* job = jobOf(notice.migration);
  if (job == nullptr) return;
  // Why a way back that was asked for is not taken.
  const bool refuses = notice.error == ErrorCode::kPauseBudget || notice.error == ErrorCode::kVerifyMismatch;
  if (notice.kind == NoticeKind::kWarning && refuses) job->reverseDue = false;
  if (notice.kind != NoticeKind::kState) return;
  const MigrationState before = std::exchange(job->state, notice.state);
  job->error = notice.error;
  if (notice.error != ErrorCode::kOk) job->reason = notice.error;
  if (notice.state == MigrationState::kAborting) job->undone = true;
  if (notice.state == MigrationState::kReversible) {
    const uint64_t afterUs = std::max(job->reverseAfterUs, job->finishAfterUs);
    if (afterUs != 0) timer(afterUs, kWindow, job->index);
    if (job->sourceDiesAfterUs != 0) timer(job->sourceDiesAfterUs, kSourceDies, job->index);
    if (world_.sabotaged(Sabotage::kWindowShut)) static_cast<void>(engine_->closeWindow(job->id));
  }
  if (notice.state == MigrationState::kRepairing) work_[job->index].repaired = true;
  world_.addToHash((uint64_t{job->index} << 8) | static_cast<uint64_t>(notice.state));
  if (notice.error == ErrorCode::kFeedPositionLost) ++world_.counts().failed;
  world_.tell([&](Oracle& oracle) { oracle.onState(*job, before, notice.state); });
  changed.push_back(job);
  if (!isFinal(notice.state) && notice.state != MigrationState::kStopped) giveUp(*job);
}

}  // namespace keyhaul::sim
