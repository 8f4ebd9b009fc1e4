// What both kinds of migration have in common: who they are, how far they are, why they end,
// and how the end gets into the journal before anybody is told.
#pragma once

#include <string>
#include <vector>

#include "migrate/compare.h"
#include "migrate/copy.h"
#include "migrate/discard.h"
#include "migrate/feed.h"
#include "migrate/job.h"
#include "migrate/leaf_check.h"
#include "migrate/part.h"
#include "migrate/prepare.h"
#include "migrate/shared.h"
#include "schedule/rate_meter.h"

namespace keyhaul {

class JobBase : public Job {
 public:
  JobBase(MigrationId id, ValidPlan plan, NodeId source, NodeId target)
      : id_(id),
        shared_(std::move(plan), source, target),
        prepare_(shared_),
        copy_(shared_),
        feed_(shared_),
        compare_(shared_),
        discard_(shared_) {}
  JobBase(const JobBase&) = delete;
  JobBase& operator=(const JobBase&) = delete;

  MigrationId id() const override { return id_; }
  MigrationState state() const override { return state_; }
  const Plan& spec() const override { return shared_.spec(); }
  uint8_t priority() const override { return spec().priority; }
  bool merges() const override { return shared_.merges; }
  NodeId source() const override { return shared_.source; }
  NodeId target() const override { return shared_.target; }
  void setPaused(bool paused) override { paused_ = paused; }
  bool mayYield() const override { return state_ == MigrationState::kCopying && !yields_ && ending_ == Ending::kNone; }
  void yield() override { holdCopy(true); }
  bool yields() const override { return yields_; }
  bool rests() const override { return yields_ && !copy_.busy(); }
  void setRate(Instant now, uint64_t bytesPerSecond) override {
    shared_.bucket.setRate(bytesPerSecond, now);
  }
  void onEvent(Port& port, OpTag tag, const Event& event) final;
  Receipt receipt() const override;

 protected:
  enum class Ending : uint8_t { kNone, kStop, kCancel, kFail };

  // Which part works now, and the hooks for those that only one kind of migration has.
  virtual Part part() const = 0;
  virtual Status pumpOwn(Port& port) = 0;
  virtual bool ownDone() const = 0;
  virtual bool ownWriting() const { return false; }
  virtual Status settleOwn(Port&) { return {}; }
  virtual Status ownEvent(Port& port, OpTag tag, const Event& event) = 0;
  virtual NodeId ownBlamed() const = 0;
  // What an event led to, for one who reads more from a failure.
  virtual Status afterEvent(Port&, Status status) { return status; }
  virtual void journalFailed(Port& port, ErrorCode error, std::string_view text) {
    fail(port, error, {}, text);
  }
  virtual void failPart(Port& port, ErrorCode error, std::string_view text) {
    fail(port, error, blamed(), text);
  }

  Status pumpPart(Port& port);
  bool partDone() const;
  // Has it sent writes that were not answered? settlePart() waits for them and starts no others.
  bool partWriting() const;
  Status settlePart(Port& port);
  NodeId blamed() const;
  // Counts from here on what is done and how long it takes.
  void begin(Port& port, MigrationState next);
  void account(Instant now);
  // Somebody has paused it, in a state in which that may be. Whoever is to make room finishes the page under way all
  // the same.
  virtual bool standsStill() const { return paused_ && !yields_; }
  void holdCopy(bool on) {
    yields_ = on;
    copy_.hold(on);
  }

  void announce(Port& port, MigrationState state) {
    port.noticeState(state, error_, errorNode_, errorText_);
  }
  // Notes why; it ends once nothing is being written. The first reason counts.
  void fail(Port& port, ErrorCode error, NodeId node, std::string_view text);
  void showProgress(Port& port);
  std::vector<Suspect> wholePlan() const;
  // True once it is closed, or could not be: the range is done, a feed that stays is only litter.
  bool closeFeed(Port& port, NodeId node, std::string_view position);
  // Another one is to be closed.
  void closeNext() {
    feedClosed_ = false;
    closeFailures_ = 0;
    closeAt_ = {0};
  }
  // `recorded`: the journal has to have it first. Then everybody is told.
  void writeConclusion(Port& port, bool recorded);
  // So far, for a view; the totals of a state are its own matter.
  MigrationView viewSoFar() const;

  MigrationId id_;
  Shared shared_;
  MigrationState state_ = MigrationState::kPending;
  MigrationState concluding_ = MigrationState::kPending;  // the final state being written
  bool partStarted_ = false, paused_ = false;
  bool yields_ = false;  // somebody else needs the slot, or has it
  bool prepared_ = false;
  bool verified_ = false;
  bool finishAsked_ = false;
  bool feedClosed_ = false, conclusionWritten_ = false;
  OpId closeFeed_;
  Ending ending_ = Ending::kNone;
  ErrorCode error_ = ErrorCode::kOk;
  NodeId errorNode_;
  std::string errorText_;
  uint64_t estimatedEntries_ = 0, estimatedBytes_ = 0;
  std::string feedPosition_;
  Digest sourceDigest_, targetDigest_;
  std::string verifiedPosition_;  // that they are of, where they are of one
  uint64_t verifiedEpoch_ = 0;
  Instant accountedAt_{0};
  bool clockStarted_ = false;
  bool idle_ = false;  // since accountedAt_ it rests or is paused
  Instant progressAt_{0};
  RateMeter rate_;

  PreparePhase prepare_;
  CopyPhase copy_;
  FeedPhase feed_;
  ComparePhase compare_;
  DiscardPhase discard_;

 private:
  Status route(Port& port, OpTag tag, const Event& event);
  void feedWasClosed(Port& port, const Event& event);
  void closeFailed(Port& port, ErrorCode error);

  NodeId closeNode_;
  uint32_t closeFailures_ = 0;
  Instant closeAt_{0};
};

}  // namespace keyhaul
