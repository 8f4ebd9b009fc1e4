// The copy: each lane takes a range, reads it ahead page by page, writes the
// pages in order, and records a checkpoint after each durable write. A checkpoint
// never says more than the target durably holds.
#pragma once

#include <vector>

#include "migrate/shared.h"
#include "migrate/writer.h"

namespace keyhaul {

class CopyPhase {
 public:
  explicit CopyPhase(Shared& shared) : shared_(shared) {}

  void start();
  Status pump(Port& port);
  Status onEvent(Port& port, OpTag tag, const Event& event);
  // Every range was copied and checkpointed.
  bool done() const { return rangesLeft_ == 0; }
  bool writing() const;
  // No further page is read or written until it may go on; what was read is kept.
  void hold(bool on) { held_ = on; }
  // Is a page under way?
  bool busy() const;
  // Waits for the writes in flight of all lanes, starts no others.
  Status settle(Port& port);
  void stop(Port& port);
  NodeId blamed() const { return blamed_; }  // the store of the last failure

 private:
  struct Lane {
    Scanner source;
    Writer target;
    Digest leaf;          // of what was written since the last checkpoint
    uint64_t leafPages = 0;
    Instant leafBegan;  // when the first of these pages was written
    uint32_t range = 0;
    bool active = false;
  };
  void takeRange(Lane& lane, uint32_t index);
  Status pumpLane(Port& port, Lane& lane);
  void writePage(Port& port, Lane& lane, const Page& page);
  void checkpoint(Lane& lane, const Page& page);
  void finishPage(Port& port, Lane& lane);

  Shared& shared_;
  std::vector<Lane> lanes_;
  CheckpointRecord record_;  // the last one, kept for its memory
  uint32_t nextRange_ = 0;
  uint32_t rangesLeft_ = 0;
  bool held_ = false;
  NodeId blamed_;
};

}  // namespace keyhaul
