// A move while clients write: the source is fenced for one short last round, the register
// decides, and the target goes on where the source stopped. Diagram and table: live_state.h.
#pragma once

#include <optional>
#include <string>

#include "migrate/approach.h"
#include "migrate/gate_step.h"
#include "migrate/job_base.h"
#include "migrate/live_state.h"
#include "migrate/register_step.h"

namespace keyhaul {

class LiveMigration final : public JobBase {
 public:
  LiveMigration(MigrationId id, ValidPlan plan, NodeId source, NodeId target, bool journal);
  // Continues one.
  LiveMigration(MigrationId id, JournalImage image, NodeId source, NodeId target);

  void admit(Port& port) override;
  void pump(Port& port) override;
  void requestStop() override;
  Status requestCancel() override;
  void finishFollowing() override;
  Status requestReverse() override;
  Status requestCloseWindow() override;
  Status requestGiveUp() override;
  Receipt receipt() const override;
  uint8_t priority() const override { return priority_; }
  bool isAhead() const override { return priority_ > spec().priority; }
  // A window may be open for days. What comes to it then is little, and keeps to its rate.
  bool rests() const override {
    return JobBase::rests() || (state_ == MigrationState::kReversible && !reverseAsked_);
  }
  void giveSlotBack() override { hasSlot_ = false; }
  bool wantsSlot() const override { return state_ == MigrationState::kPending || reverseAsked_ || yields(); }
  MigrationView view(Instant now) const override;
  uint64_t hash(uint64_t seed) const override;

 private:
  Part part() const override { return liveRow(state_).part; }
  // Nobody's pause may lengthen the writers'.
  bool standsStill() const override {
    const bool mayWait = liveRow(state_).stage == LiveStage::kBefore && state_ != MigrationState::kClaiming;
    return mayWait && JobBase::standsStill();
  }
  Status pumpOwn(Port& port) override;
  bool ownDone() const override;
  bool ownWriting() const override { return feed_.writing(); }
  Status settleOwn(Port& port) override { return feed_.settle(port); }
  Status ownEvent(Port& port, OpTag tag, const Event& event) override;
  NodeId ownBlamed() const override;
  Status afterEvent(Port& port, Status status) override;

  void enter(Port& port, MigrationState next);
  void startPart(Port& port);
  void startApproach(bool follow);
  // Somebody wants back, and it is its turn.
  bool goesBack() const { return shared_.turned && reverseAsked_ && hasSlot_; }
  Capabilities servingCapabilities() const {
    return shared_.turned ? spec().targetCapabilities : spec().sourceCapabilities;
  }
  void leavePart(Port& port);
  void afterClaiming(Port& port);
  void afterStaging(Port& port);
  void afterPreparing(Port& port);
  void afterUnfencing(Port& port);
  void giveUpAttempt(Port& port);
  // Not converging: the next thing to try. False: nothing is left.
  bool climb(Port& port);
  // Its halves may converge where it does not.
  bool maySplit() const { return spec().splitMax > 1 && !shared_.turned; }
  // Where its halves are divided; empty where that would not help.
  Key splitKey() const;
  bool canSplit() const { return !splitKey().empty(); }
  std::string whyNoSplit() const;
  void releaseWriters(Port& port);
  // It keeps up, or has ended: what was raised is lowered.
  void stepBack() { priority_ = spec().priority; }
  void noteStaleReads(Port& port);
  uint64_t staleReadsUs() const;
  bool mayBeOurs(Port& port, ErrorCode error);
  void sayWhyUndone();
  void endOfClaim(Port& port);
  void countDifference(Port& port, DifferenceKind kind, KeyView key);
  uint32_t pauseCalls() const;
  bool allCopied() const;
  bool isFilled() const;
  Status fence(Port& port);
  bool overBudget(Port& port) const;
  bool asksTarget() const { return state_ == MigrationState::kFencing && inspecting_; }
  bool beforeFence() const { return liveRow(state_).stage == LiveStage::kBefore || asksTarget(); }
  bool fenced() const {
    const LiveStage stage = liveRow(state_).stage;
    return (stage == LiveStage::kFenced && !asksTarget()) || stage == LiveStage::kCommitted;
  }
  bool holdsJournal() const;
  void pumpJournal(Port& port);
  void journalFailed(Port& port, ErrorCode error, std::string_view text) override;

  // live_reverse.cc
  bool wantsWindow() const { return spec().reverseWindowMs != 0; }
  bool windowIsOver(Port& port);
  void openWindow(Port& port);
  void takeUpWindow(Port& port);
  bool windowEnds(Port& port);
  void leaveWindow(Port& port);
  // More changed than is remembered. False: not while it is kept for a way back.
  bool looksAgain(Port& port);
  // What went wrong is no reason to give the way back up.
  void tryAgain(Port& port);
  void loseWindow(Port& port, ErrorCode why);
  bool disarm(Port& port);
  void turn();
  void afterTurnedClaim(Port& port);
  void afterTurnedStaging(Port& port);
  void endWindow(Port& port);
  // What comes once both sides are as near as the feed makes them.
  MigrationState approachState() const;
  MigrationState outcome();
  MigrationState outcomeGone();
  bool closeFeeds(Port& port);
  // live_given_up.cc
  bool mayGiveUp() const;
  void giveUpSource(Port& port);
  void giveUpReverse(Port& port, ErrorCode why);

  // live_proof.cc
  void recordVerified();
  void vouch();
  // L5: what both sides are equal at, if they are; the journal has it before anything is decided.
  void namePosition();
  void takeDigests(const Digest& serving, const Digest& filled);
  VerifiedRecord proof() const;
  void takeProof(const VerifiedRecord& record);
  void checkProof(MigrationState next);
  void checkProofOfGone();

  // live_view.cc
  WaitsFor waitsFor() const;
  std::string waitText(const LiveView& view) const;

  // live_ending.cc
  bool wantsOut() const;
  bool isAway() const;
  void pumpEnding(Port& port);
  void failPart(Port& port, ErrorCode error, std::string_view text) override;
  void undo(Port& port, MigrationState end);
  void restart(Port& port);
  void forget();
  void stopParts(Port& port);
  // For one who may not wait: the writers are paused.
  void stopPartsButWrites(Port& port);
  void conclude(Port& port, MigrationState end);
  void pumpConclusion(Port& port);
  // Another process can go on.
  bool resumable() const { return shared_.journal.enabled(); }

  // How it ends once it is undone, and why.
  MigrationState undoneAs_ = MigrationState::kCancelled;
  ErrorCode undoneFor_ = ErrorCode::kOk;
  Key splitAt_;  // and its halves are to be moved in its place
  bool resumed_ = false;
  bool feedOpen_ = false;   // in this process
  uint64_t knownCoordEpoch_ = 1;  // the last one that the journal tells of
  bool inspecting_ = false;  // Staging: is what stands on the target ours? Fencing: is it still there?
  bool staged_ = false;      // under the present coordEpoch and fence epoch
  Ending after_ = Ending::kNone;  // what is to happen once the source serves again
  bool hasJournal_ = false;  // whether or not it can still be written
  bool recorded_ = false;    // the journal begins with the plan
  bool restarting_ = false;  // what was staged goes, and the copy begins anew
  bool wasClaimed_ = false;  // so the journal says
  bool aborting_ = false;  // it is to be given up, and how is known; maybe by an earlier process
  uint32_t undoTries_ = 0, releaseRefusals_ = 0;
  bool stopAsked_ = false;
  bool compared_ = false;   // everything was compared once, in this process
  bool claimed_ = false;    // the register may have a claim of ours
  Instant fencedAt_{0};
  // Old values may be shown since then: this process went for the decision. And for how long they
  // were, there and back, as far as it saw.
  Instant staleSince_ = kNever;
  std::optional<uint64_t> staleUs_[2];
  BucketFill fill_;              // L5: while everything is compared
  bool positionNamed_ = false;   // L5: in this attempt
  bool proofDecided_ = false;    // and what was decided, was on that
  VerifiedRecord cutover_;       // of the way there, once it is turned round
  // What was tried so that it converges. The writers of a range are asked last before it waits.
  enum class Rung : uint8_t { kNone, kPriority, kThrottle, kPostpone };
  Rung rung_ = Rung::kNone;
  uint8_t priority_ = 0;
  bool throttled_ = false;
  Instant quietUntil_{0};
  Instant feedOpenedAt_ = kNever;  // by this process

  // The way back. The other feed is that of the store that is not followed: before the turn the
  // target's, which records for the window, after it the source's.
  std::string otherPosition_, armedPosition_;
  bool otherOpen_ = false;     // in this process
  bool otherAsked_ = false, otherClosed_ = false, closingOther_ = false;
  bool standsEqual_ = false;   // as turned round; what came since is in the feed
  bool everStaged_ = false;    // since it was turned round, by this process
  bool reverseAsked_ = false, windowOver_ = false, reversed_ = false;
  ErrorCode windowError_ = ErrorCode::kOk;
  bool giveUpAsked_ = false, sourceGivenUp_ = false;
  Instant tryAt_{0};           // not before
  bool hasSlot_ = false;
  bool windowOpen_ = false;    // in this process; before, its time is that of getting there
  Instant windowEnds_{0};
  uint64_t windowEndsUnixMs_ = 0;  // as the journal has it; 0: it does not
  KeyList carried_;            // suspects of the state before
  uint64_t postponedBefore_ = 0;

  RegisterStep register_;
  GateStep sourceGate_, targetGate_;
  ApproachPhase approach_;
};

}  // namespace keyhaul
