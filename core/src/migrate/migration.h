// One migration: which part works now, what has to be on disk before the next
// may begin, and how it all ends. The diagram is in state.h.
#pragma once

#include <memory>
#include <string>

#include "migrate/job_base.h"
#include "migrate/leaf_check.h"
#include "migrate/shared.h"

namespace keyhaul {

class Migration final : public JobBase {
 public:
  Migration(MigrationId id, ValidPlan plan, NodeId source, NodeId target, bool journal);
  // Continues one.
  Migration(MigrationId id, JournalImage image, NodeId source, NodeId target);

  // It got its slot.
  void admit(Port& port) override;
  // Does what can be done now; safe to call at any time.
  void pump(Port& port) override;
  void requestStop() override {
    if (ending_ != Ending::kFail) ending_ = Ending::kStop;
  }
  Status requestCancel() override;
  void finishFollowing() override;

  MigrationView view(Instant now) const override;
  uint64_t hash(uint64_t seed) const override;

 private:
  void enter(Port& port, MigrationState next);
  void startPart(Port& port);
  void leavePart(Port& port);
  void afterCopy(Port& port);
  void afterVerify(Port& port);
  void afterMerge(Port& port, bool stands);
  void endRound(Port& port, bool equal);
  void nextAfterMismatch(Port& port);
  void afterLastRound(Port& port);
  bool leavesTell() const;
  // Keys that were in the target before, and that only the target has, are kept.
  bool ignoresExtra() const { return spec().intoNonempty && !targetWasEmpty_; }
  // Another process can go on: there is a journal, and it tells how it began.
  bool resumable() const { return onDisk_; }
  bool opensFeed() const;
  bool usesFeed() const;
  // What a cancel may empty. With versions others may write there too, and theirs cannot be told from what was copied.
  bool ownsTarget() const;

  Part part() const override;
  Status pumpOwn(Port& port) override { return leafCheck_.pump(port); }
  bool ownDone() const override { return leafCheck_.done(); }
  Status ownEvent(Port& port, OpTag, const Event& event) override {
    return leafCheck_.onEvent(port, event);
  }
  NodeId ownBlamed() const override { return shared_.target; }
  void pumpEnding(Port& port);
  void stopParts(Port& port);
  void conclude(Port& port, MigrationState final);
  void pumpConclusion(Port& port);
  std::string feedPosition() const;

  MigrationState resumeAt_ = MigrationState::kPreparing;  // where admission leads
  bool targetWasEmpty_ = false;
  bool onDisk_ = false;  // so says the journal too
  bool proven_ = false;  // an earlier process verified; only the end was not written
  bool comparing_ = false;       // Verifying by comparison, not by digests
  bool forceCompare_ = false;    // the digests disagreed once: compare everything
  bool namingSuspects_ = false;  // comparing only the parts whose digests disagreed
  bool naming_ = false;  // with versions: nothing more can be brought over, so what differs is named
  uint32_t rounds_ = 0;  // of verification, in this process
  uint64_t changesBefore_ = 0;  // the last catch-up after a mismatch
  Instant unequalSince_{0};     // the first mismatch, and the changes of the feed until then
  uint64_t unequalChanges_ = 0;

  LeafCheck leafCheck_;
};

}  // namespace keyhaul
