// Takes every entry of the plan's ranges off one side: off the target what a cancelled
// migration copied, off the source what a live one has moved.
#pragma once

#include "migrate/shared.h"
#include "migrate/writer.h"

namespace keyhaul {

class DiscardPhase {
 public:
  explicit DiscardPhase(Shared& shared) : shared_(shared) {}

  void start();
  // What moved away at `epoch`, from where an earlier process had come to.
  void startOnSource(uint64_t epoch);
  Status pump(Port& port);
  Status onEvent(Port& port, OpTag tag, const Event& event);
  bool done() const { return range_ >= shared_.ranges.size(); }
  bool writing() const { return !writer_.idle(); }
  // Waits for the write in flight, starts no other.
  Status settle(Port& port) { return writer_.settle(port); }
  NodeId node() const { return node_; }  // the side that it empties
  void stop(Port& port);

 private:
  Shared& shared_;
  Scanner scanner_;
  Writer writer_;
  bool skipDone();
  NodeId node_;
  uint64_t cleanUpEpoch_ = 0;  // 0: on the target
  uint32_t range_ = 0;
  bool open_ = false;
};

}  // namespace keyhaul
