// Follows the source's change feed and applies every change, in order. Changes
// are absolute puts and deletes, so replaying from an older position converges.
#pragma once

#include <string>

#include "migrate/lag_trend.h"
#include "migrate/shared.h"
#include "migrate/writer.h"

namespace keyhaul {

class FeedPhase {
 public:
  explicit FeedPhase(Shared& shared) : shared_(shared) {}

  // `position`: everything up to it is applied already. `hurry`: writers wait, or soon will, so
  // no rate holds it back; what it takes is paid for later.
  void start(const std::string& position, bool hurry = false);
  void hurry() { hurry_ = true; }
  // Whatever it knew is of no use any more.
  void reset() {
    position_.clear();
    recorded_.position.clear();
    trimmed_.clear();
  }
  // Journals how far the changes were applied, where that is not done yet.
  void record();
  // Keep going when caught up, until finish().
  // Turned off, it looks once more: what was written until now is still followed.
  void follow(bool on) {
    follow_ = on;
    if (!on) {
      trend_.reset();
      caughtUp_ = nextCaughtUp_ = false;
      early_ = static_cast<bool>(poll_);
      pollAt_ = {0};
    }
  }
  // For how long changes had gathered when it was started; UINT64_MAX: nobody knows, and a feed that
  // does not say how much waits is not judged.
  void gathered(Duration duration) { gathered_ = duration; }
  // Whatever the trend was: from here on it is another.
  void lookAgain() { trend_.reset(); }
  Status pump(Port& port);
  Status onEvent(Port& port, OpTag tag, const Event& event);
  // Caught up, applied, durable, and not asked to follow on.
  bool done() const { return idle() && caughtUp_ && !follow_; }
  bool caughtUp() const { return caughtUp_ && idle(); }
  bool idle() const { return !poll_ && writer_.idle(); }
  bool writing() const { return !writer_.idle(); }
  // Changes that are known of and not applied yet.
  uint64_t lag() const { return waiting_ + (writer_.idle() ? 0 : batch_); }
  // Waits for the write in flight, starts no other.
  Status settle(Port& port) {
    blamed_ = shared_.target;
    return writer_.settle(port);
  }
  void stop(Port& port);
  // The same, but a write that is under way goes on; see settle().
  void stopPolling(Port& port);
  const LagTrend& trend() const { return trend_; }
  const std::string& position() const { return position_; }
  NodeId blamed() const { return blamed_; }

 private:
  Status onPoll(Port& port, const Event& event);
  Status retry(Port& port, ErrorCode error);
  void applied(Port& port);
  void pumpTrim(Port& port);
  void explain(const FrameView& body);

  Shared& shared_;
  Writer writer_;
  OpId poll_;
  std::string position_;      // applied up to here
  std::string nextPosition_;  // of the batch being applied
  uint64_t batch_ = 0;
  uint64_t waiting_ = 0;  // beyond the batch; 0: none, or not known
  LagTrend trend_;
  Duration gathered_{UINT64_MAX};
  uint64_t batchBytes_ = 0;
  bool nextCaughtUp_ = false;
  bool caughtUp_ = false;
  bool follow_ = false, hurry_ = false;
  bool early_ = false;  // the poll in flight was asked before follow(false)
  uint32_t failures_ = 0;
  Instant pollAt_{0};
  FeedAppliedRecord recorded_;  // the journal has it that all is applied up to here
  uint64_t unrecorded_ = 0;  // changes applied since
  uint64_t recordSeq_ = 0;   // the journal's count of records with that one
  Instant recordAt_{0};
  std::string trimmed_;      // the source was told to forget what lies before
  OpId trim_;
  NodeId blamed_;
};

}  // namespace keyhaul
