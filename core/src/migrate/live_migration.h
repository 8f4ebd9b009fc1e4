// A move while clients write: the source is fenced for one short last round, the register
// decides, and the target goes on where the source stopped. Diagram and table: live_state.h.
#pragma once

#include <string>

#include "migrate/approach.h"
#include "migrate/compare.h"
#include "migrate/copy.h"
#include "migrate/discard.h"
#include "migrate/feed.h"
#include "migrate/gate_step.h"
#include "migrate/job_base.h"
#include "migrate/live_state.h"
#include "migrate/prepare.h"
#include "migrate/register_step.h"

namespace keyhaul {

class LiveMigration final : public JobBase {
 public:
  LiveMigration(MigrationId id, ValidPlan plan, NodeId source, NodeId target, bool journal);
  // Continues one.
  LiveMigration(MigrationId id, JournalImage image, NodeId source, NodeId target);

  void admit(Port& port) override;
  void pump(Port& port) override;
  void onEvent(Port& port, OpTag tag, const Event& event) override;
  void requestStop() override;
  Status requestCancel() override;
  void finishFollowing() override;
  MigrationView view(Instant now) const override;
  uint64_t hash(uint64_t seed) const override;

 private:

  void enter(Port& port, MigrationState next);
  void startPart(Port& port);
  Status pumpPart(Port& port);
  bool partDone() const;
  void leavePart(Port& port);
  void afterClaiming(Port& port);
  void afterStaging(Port& port);
  void afterPreparing(Port& port);
  void afterUnfencing(Port& port);
  void giveUpAttempt(Port& port);
  bool mayBeOurs(Port& port, ErrorCode error);
  void recordVerified();
  void endOfClaim(Port& port);
  uint64_t overheadUs() const;
  bool allCopied() const;
  bool overBudget(Port& port) const;
  bool holdsJournal() const;

  // live_view.cc
  WaitsFor waitsFor() const;
  std::string waitText(const LiveView& view) const;

  // live_ending.cc
  bool wantsOut() const;
  void pumpEnding(Port& port);
  void undo(Port& port, MigrationState end);
  void restart(Port& port);
  void forget();
  bool partWriting() const;
  Status settlePart(Port& port);
  void stopParts(Port& port);
  void conclude(Port& port, MigrationState end);
  void pumpConclusion(Port& port);
  NodeId blamed() const;
  void account(Instant now);
  // Another process can go on.
  bool resumable() const { return shared_.journal.enabled(); }

  MigrationState undoneAs_ = MigrationState::kCancelled;  // how it ends once it is undone
  bool resumed_ = false;
  bool feedOpen_ = false;   // in this process
  uint64_t knownCoordEpoch_ = 1;  // the last one that the journal tells of
  bool inspecting_ = false;  // Staging: is what stands on the target ours?
  bool staged_ = false;      // under the present coordEpoch and fence epoch
  Ending after_ = Ending::kNone;  // what is to happen once the source serves again
  bool recorded_ = false;    // the journal begins with the plan
  bool restarting_ = false;  // what was staged goes, and the copy begins anew
  bool wasClaimed_ = false;  // so the journal says
  bool aborting_ = false;  // an earlier process had come so far
  bool compared_ = false;   // everything was compared once, in this process
  bool claimed_ = false;    // the register may have a claim of ours
  Instant fencedAt_{0};

  RegisterStep register_;
  GateStep sourceGate_, targetGate_;
  PreparePhase prepare_;
  CopyPhase copy_;
  FeedPhase feed_;
  ComparePhase compare_;
  ApproachPhase approach_;
  DiscardPhase discard_;
};

}  // namespace keyhaul
