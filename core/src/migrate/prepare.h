// Before the first entry moves: the feed is opened (so that it sees what the
// scan may miss), the target ranges are looked at, the amount is estimated.
#pragma once

#include <string>

#include "migrate/shared.h"

namespace keyhaul {

class PreparePhase {
 public:
  explicit PreparePhase(Shared& shared) : shared_(shared) {}

  // `after`: continue the feed there. `full`: also look at the target.
  void start(bool openFeed, std::string after, bool full);
  // Opens a feed of this store, and nothing else.
  void startFeedOf(NodeId node);
  Status pump(Port& port);
  Status onEvent(Port& port, OpTag tag, const Event& event);
  bool done() const { return step_ == Step::kDone; }
  void stop(Port& port);

  bool targetWasEmpty() const { return targetWasEmpty_; }
  const std::string& feedPosition() const { return feedPosition_; }
  // The source was asked to record, whether or not its answer was seen.
  bool feedAsked() const { return feedAsked_; }
  uint64_t estimatedEntries() const { return estimatedEntries_; }
  uint64_t estimatedBytes() const { return estimatedBytes_; }
  NodeId blamed() const { return step_ == Step::kTarget ? shared_.target : feedNode_; }

 private:
  enum class Step : uint8_t { kFeed, kTarget, kEstimate, kDone };
  void next();

  Shared& shared_;
  Step step_ = Step::kDone;
  bool full_ = false;
  NodeId feedNode_;
  OpId op_;
  std::string after_;
  std::string feedPosition_;
  bool feedAsked_ = false;
  Scanner target_;
  bool scanning_ = false;
  uint32_t range_ = 0;
  bool targetWasEmpty_ = true;
  uint64_t estimatedEntries_ = 0, estimatedBytes_ = 0;
};

}  // namespace keyhaul
