// Cancel: takes off the target what was copied into ranges that were empty.
#pragma once

#include "migrate/shared.h"
#include "migrate/writer.h"

namespace keyhaul {

class DiscardPhase {
 public:
  explicit DiscardPhase(Shared& shared) : shared_(shared) {}

  void start();
  Status pump(Port& port);
  Status onEvent(Port& port, OpTag tag, const Event& event);
  bool done() const { return range_ >= shared_.ranges.size(); }
  bool writing() const { return !writer_.idle(); }
  // Waits for the write in flight, starts no other.
  Status settle(Port& port) { return writer_.settle(port); }
  void stop(Port& port);

 private:
  Shared& shared_;
  Scanner scanner_;
  Writer writer_;
  uint32_t range_ = 0;
  bool open_ = false;
};

}  // namespace keyhaul
