// A process that moves: it hosts an Engine, turns its actions into messages and what
// comes back into completions, keeps one journal a job on its disk, and may die at any
// event. What it knows of a job after that is in the journal.
//
// What the engine leaves to a host, and this one does: calls are repeated until they are
// answered, and carried out once (the stores see to it); a new incarnation greets both
// stores and waits for their answer, so that no older one can write any more.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "clock.h"
#include "disk.h"
#include "job.h"
#include "keyhaul/engine.h"
#include "node.h"

namespace keyhaul::sim {

class MoverNode : public Node {
 public:
  MoverNode(World& world, uint16_t id, const Config& config);
  void onMessage(Message message) override;
  void onTimer(uint8_t what, uint64_t arg) override;

  // From its startUs on.
  void take(Job& job);
  // Nobody writes the job's keys any more.
  void onWritersStopped(const Job& job) { timer(0, kCommand, job.index); }
  // Somebody lowers its rate, should it be under way.
  void throttle(Job& job, uint64_t rate);
  void onCancelled(const Job& job) { timer(0, kCommand, job.index); }
  // Its turn has come: the job that it waited for has ended.
  void onTurn(Job& job);
  // With the slots that somebody told it last.
  const Config& config() const { return config_; }
  // Its engine is told what time it is.
  void knowTime() { knowsTime_ = true; }
  bool knowsTime() const { return knowsTime_; }
  Instant now() const;  // by its clock
  Disk& disk() { return disk_; }
  const Disk& disk() const { return disk_; }
  // Null while it is down, and before its first job.
  const Engine* engine() const { return engine_ ? &*engine_ : nullptr; }
  // Has it made room for one of a higher priority?
  bool madeRoom(const Job& job) const;
  void jumpClock(uint64_t us) { clock_.jump(us); }
  uint64_t clockAheadUs() const { return clock_.jumpedUs(); }
  Clock& clock() { return clock_; }
  const Clock& clock() const { return clock_; }
  // Does something to one of its migrations that a user may do.
  void meddle(Prng& prng);
  // And how many may run at once, for as long as this process lives.
  void meddleSlots(Prng& prng);
  void endMeddling();

 private:
  enum What : uint8_t {
    kBegin = 1,       // arg: the job
    kStep = 2,
    kDeadline = 3,
    kRepeat = 4,      // arg: job and call
    kJournalDone = 5, // arg: the job
    kCommand = 6,     // arg: the job
    kWindow = 7,      // arg: the job
    kSourceDies = 8,  // arg: the job
    kGiveUp = 9,      // arg: the job
    kComesBack = 10,  // arg: the job
    kLiftRate = 11,   // arg: the job
    kUpgrade = 12,
  };
  struct Call {
    OpId op;  // null: nobody waits for the answer
    ActionKind kind = ActionKind::kScan;
    Message request;
    uint32_t tries = 0;
  };
  // What a crash takes away.
  struct Work {
    bool sourceGreeted = false, targetGreeted = false;
    std::map<uint64_t, Call> calls;  // by number
    uint64_t nextCall = 1;
    std::string journalPending;      // written, not synced
    ErrorCode journalError = ErrorCode::kOk;
    uint32_t journalBusy = 0;        // writes under way
    OpId journalOp;
    std::map<uint16_t, std::string> feeds;  // by store: a position of the feed that it opened
    std::map<uint16_t, uint32_t> storeBoots;  // in which life a store was prepared
    bool repaired = false;
  };

  void onCrash() override;
  void onRestart() override;

  // Jobs (mover.cc).
  void begin(Job& job);
  void greet(Job& job);
  void onGreeted(Job& job, const Message& reply);
  void launch(Job& job);
  void resume(Job& job, JournalImage image);
  void command(Job& job);
  void ended(Job& job, MigrationState state, const Receipt& receipt);
  void stopped(Job& job);
  void again(Job& job, uint64_t delayUs);
  bool wantsCancel(const Job& job) const;

  // Live jobs (mover_live.cc).
  bool waitsForTurn(const Job& job) const;
  bool beginLive(Job& job);
  bool planLive(Job& job);
  bool planPart(Job& job);
  bool isMoved(const Job& job) const;
  void endedLive(Job& job);
  void limitRate(Job& job);
  void setRate(Job& job, uint64_t rate);
  void watchRate(const Job& job);
  void onWindow(Job& job);
  void onSourceDies(const Job& job);
  void giveUp(Job& job);
  void onComesBack(const Job& job);
  // However its mover dies, somebody sees to it.
  void watchSource(const Job& job);
  void watchReturn(const Job& job);
  bool liveRequest(const Job& job, const Action& action, std::string bytes, Message& request);
  bool onLiveReply(Job& job, const Call& call, const Message& reply);
  void attach(std::string_view bytes, Event& event);

  // Bugs on purpose (mover_sabotage.cc). True: the action has been dealt with.
  bool sabotageLive(Job& job, const Action& action);
  bool skips(const Job& job, const Action& action) const;
  void cleanUpEarly(Job& job, const Action& action);
  void answerEmptyPoll(Job& job, const Action& action);
  void writeAgain(Job& job, const Action& action);
  bool hidesPage(const Job& job, const Call& call, const Message& reply) const;
  void applyUnseen(Job& job, const Call& call, Message& reply);

  // Versions (mover_journal.cc). It is older than whoever wrote what it would have to read.
  bool cannotRead(Job& job);

  // Steps (mover.cc).
  void wake();
  uint64_t rehearsedUs(const Job& job, ActionKind kind, const Event& event);
  void step();
  void takeNotice(const Notice& notice, std::vector<Job*>& changed);
  void complete(Job& job, ActionKind kind, const Event& event);
  Job* jobOf(MigrationId id) const;

  // Calls (mover_calls.cc).
  void carryOut(const Action& action);
  void abort(OpId op);
  Message requestOf(const Job& job, const Action& action);
  void call(Job& job, OpId op, ActionKind kind, Message request);
  void repeat(uint64_t jobAndCall);
  void onReply(Job& job, const Message& reply);
  void fail(Job& job, ActionKind kind, OpId op, ErrorCode error);
  void onPage(Job& job, const Call& call, const Message& reply);
  void sabotageApply(Job& job, const Call& call);
  void noteScan(const Job& job, const Action& action);
  void noteCopied(Job& job, const Action& action);

  // Journals (mover_journal.cc).
  void append(Job& job, const Action& action);
  void onJournalDone(Job& job);
  void loseJournal(Job& job);
  void keepPart(Job& job, const std::string& pending);

  // For a sabotage.
  void stopThoseThatMadeRoom();

  void setSlots(const Config& slots);

  Config config_, configured_;
  Disk disk_;
  Prng prng_, memoryPrng_, versionPrng_;
  bool older_ = false;  // this process, than others
  std::optional<Engine> engine_;
  std::map<uint16_t, NodeId> nodes_;
  std::vector<Job*> jobs_;
  std::map<uint32_t, Work> work_;           // by job
  std::map<uint32_t, Job*> running_;        // by migration id
  std::vector<Event> events_;
  bool stepPosted_ = false;
  uint64_t armedUs_ = UINT64_MAX;  // the world's time of the pending kDeadline
  uint64_t deadlineUs_ = UINT64_MAX;
  Clock clock_;
  bool knowsTime_ = false;
  std::vector<uint32_t> paused_;  // jobs that a user paused
  uint64_t freeAtUs_ = 0;  // of rehearsals: the thread
  std::map<uint32_t, uint64_t> fenceEpochs_;  // by job; for a sabotage
  std::set<uint32_t> forgotten_;  // jobs; for a sabotage
};

}  // namespace keyhaul::sim
