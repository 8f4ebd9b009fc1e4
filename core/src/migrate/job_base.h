// What both kinds of migration have in common: who they are, how far they are, why they end,
// and how the end gets into the journal before anybody is told.
#pragma once

#include <string>
#include <vector>

#include "migrate/job.h"
#include "migrate/leaf_check.h"
#include "migrate/shared.h"
#include "schedule/rate_meter.h"

namespace keyhaul {

class JobBase : public Job {
 public:
  JobBase(MigrationId id, ValidPlan plan, NodeId source, NodeId target)
      : id_(id), shared_(std::move(plan), source, target) {}

  MigrationId id() const override { return id_; }
  MigrationState state() const override { return state_; }
  const Plan& spec() const override { return shared_.spec(); }
  NodeId source() const override { return shared_.source; }
  NodeId target() const override { return shared_.target; }
  void setPaused(bool paused) override { paused_ = paused; }
  void setRate(Instant now, uint64_t bytesPerSecond) override {
    shared_.bucket.setRate(bytesPerSecond, now);
  }
  Receipt receipt() const override;

 protected:
  enum class Ending : uint8_t { kNone, kStop, kCancel, kFail };

  void announce(Port& port, MigrationState state) {
    port.noticeState(state, error_, errorNode_, errorText_);
  }
  // Notes why; it ends once nothing is being written. The first reason counts.
  void fail(Port& port, ErrorCode error, NodeId node, std::string_view text);
  void showProgress(Port& port);
  std::vector<LeafCheck::Suspect> wholePlan() const;
  // True once it is closed, or could not be: the range is done, a feed that stays is only litter.
  bool closeFeed(Port& port, std::string_view position);
  // `recorded`: the journal has to have it first. Then everybody is told.
  void writeConclusion(Port& port, bool recorded);
  // So far, for a view; the totals of a state are its own matter.
  MigrationView viewSoFar() const;

  MigrationId id_;
  Shared shared_;
  MigrationState state_ = MigrationState::kPending;
  MigrationState concluding_ = MigrationState::kPending;  // the final state being written
  bool partStarted_ = false, paused_ = false;
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
  Instant accountedAt_{0};
  bool clockStarted_ = false;
  Instant progressAt_{0};
  RateMeter rate_;
};

}  // namespace keyhaul
