// One migration: which part works now, what has to be on disk before the next
// may begin, and how it all ends. The diagram is in state.h.
#pragma once

#include <memory>
#include <string>

#include "migrate/compare.h"
#include "migrate/copy.h"
#include "migrate/discard.h"
#include "migrate/feed.h"
#include "migrate/job.h"
#include "migrate/leaf_check.h"
#include "migrate/prepare.h"
#include "migrate/shared.h"
#include "schedule/rate_meter.h"

namespace keyhaul {

class Migration final : public Job {
 public:
  Migration(MigrationId id, ValidPlan plan, NodeId source, NodeId target, bool journal);
  // Continues one.
  Migration(MigrationId id, JournalImage image, NodeId source, NodeId target);
  Migration(const Migration&) = delete;
  Migration& operator=(const Migration&) = delete;

  MigrationId id() const override { return id_; }
  MigrationState state() const override { return state_; }
  const Plan& spec() const override { return shared_.spec(); }
  NodeId source() const override { return shared_.source; }
  NodeId target() const override { return shared_.target; }

  // It got its slot.
  void admit(Port& port) override;
  // Does what can be done now; safe to call at any time.
  void pump(Port& port) override;
  void onEvent(Port& port, OpTag tag, const Event& event) override;

  void setPaused(bool paused) override { paused_ = paused; }
  void requestStop() override {
    if (ending_ != Ending::kFail) ending_ = Ending::kStop;
  }
  Status requestCancel() override;
  void finishFollowing() override;
  void setRate(Instant now, uint64_t bytesPerSecond) override {
    shared_.bucket.setRate(bytesPerSecond, now);
  }

  MigrationView view(Instant now) const override;
  Receipt receipt() const override;
  uint64_t hash(uint64_t seed) const override;

 private:
  enum class Ending : uint8_t { kNone, kStop, kCancel, kFail };

  void enter(Port& port, MigrationState next);
  void startPart(Port& port);
  Status pumpPart(Port& port);
  bool partDone() const;
  void leavePart(Port& port);
  void afterCopy(Port& port);
  void afterVerify(Port& port);
  void endRound(Port& port, bool equal);
  void nextAfterMismatch(Port& port);
  void afterLastRound(Port& port);
  std::vector<LeafCheck::Suspect> wholePlan() const;
  bool leavesTell() const;
  // Keys that were in the target before, and that only the target has, are kept.
  bool ignoresExtra() const { return spec().intoNonempty && !targetWasEmpty_; }
  // Another process can go on: there is a journal, and it tells how it began.
  bool resumable() const { return onDisk_; }
  bool opensFeed() const;
  bool usesFeed() const { return shared_.plan.level() >= GuaranteeLevel::kL1; }

  bool partWriting() const;
  Status settlePart(Port& port);
  void pumpEnding(Port& port);
  void stopParts(Port& port);
  void fail(Port& port, ErrorCode error, NodeId node, std::string_view text);
  void conclude(Port& port, MigrationState final);
  void pumpConclusion(Port& port);
  std::string feedPosition() const;
  void announce(Port& port, MigrationState state);
  void account(Instant now);
  NodeId blamed() const;

  MigrationId id_;
  Shared shared_;
  MigrationState state_ = MigrationState::kPending;
  MigrationState resumeAt_ = MigrationState::kPreparing;  // where admission leads
  MigrationState concluding_ = MigrationState::kPending;  // the final state being written
  bool partStarted_ = false;
  bool paused_ = false;
  bool targetWasEmpty_ = false;
  bool prepared_ = false;
  bool onDisk_ = false;  // so says the journal too
  bool verified_ = false;
  bool proven_ = false;  // an earlier process verified; only the end was not written
  bool comparing_ = false;       // Verifying by comparison, not by digests
  bool forceCompare_ = false;    // the digests disagreed once: compare everything
  bool namingSuspects_ = false;  // comparing only the parts whose digests disagreed
  bool finishAsked_ = false;
  bool feedClosed_ = false;
  bool conclusionWritten_ = false;
  OpId closeFeed_;
  Ending ending_ = Ending::kNone;
  ErrorCode error_ = ErrorCode::kOk;
  NodeId errorNode_;
  std::string errorText_;
  uint32_t rounds_ = 0;  // of verification, in this process
  uint64_t changesBefore_ = 0;  // the last catch-up after a mismatch
  Instant unequalSince_{0};     // the first mismatch, and the changes of the feed until then
  uint64_t unequalChanges_ = 0;
  uint64_t estimatedEntries_ = 0, estimatedBytes_ = 0;
  std::string feedPosition_;
  Digest sourceDigest_, targetDigest_;
  Instant accountedAt_{0};
  bool clockStarted_ = false;
  Instant progressAt_{0};
  RateMeter rate_;

  PreparePhase prepare_;
  CopyPhase copy_;
  FeedPhase feed_;
  LeafCheck leafCheck_;
  ComparePhase compare_;
  DiscardPhase discard_;
};

}  // namespace keyhaul
