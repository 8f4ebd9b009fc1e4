// Writes frames to one store, one after another, and knows up to where they are
// durable. A frame in flight is never written a second time until its completion
// came: a late duplicate could undo what was written after it.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "keyhaul/frame.h"
#include "migrate/port.h"

namespace keyhaul {

class Writer {
 public:
  void start(NodeId node, OpTag tag);
  bool idle() const { return !busy_; }
  bool owns(OpId op) const { return op_ == op && op; }

  // Precondition: idle(). `frame` stays the caller's, and must stay until the
  // write is done. `reusesOp`: see Action.
  void write(Port& port, const BufferRef& frame, uint32_t entries, bool durable, OpId reusesOp);
  // The same for a frame that the writer shall release when it is done.
  // `cleanUpEpoch`: see Action::cleanUp.
  void writeOwned(Port& port, const BufferRef& frame, uint32_t entries, bool durable,
                  uint64_t cleanUpEpoch = 0);
  // Deletes the entries of `frame` that still have their value; see Action::guarded.
  void deleteGuarded(Port& port, const BufferRef& frame, uint32_t entries);

  // Retries and stalls. After an error it is idle.
  Status pump(Port& port);
  // Waits for the write in flight, and begins no other, not even a retry.
  Status settle(Port& port);
  // `finished` becomes true when the write is done.
  Status onEvent(Port& port, const Event& event, bool& finished);
  void stop(Port& port);

  // Of the last write: entries that have another value now, or of which something newer is there.
  uint32_t left() const { return left_; }
  bool lastWasDurable() const { return durable_; }
  uint64_t retries() const { return retries_; }
  NodeId node() const { return node_; }

 private:
  void begin(const BufferRef& frame, uint32_t entries, bool durable);
  void issue(Port& port);
  Status await(Port& port);
  void finish(Port& port);

  NodeId node_;
  OpTag tag_;
  OpId op_;
  BufferRef frame_;
  uint32_t entries_ = 0;
  OpId reusesOp_;
  bool durable_ = false;
  bool owned_ = false;
  bool guarded_ = false;
  uint64_t cleanUpEpoch_ = 0;
  uint32_t left_ = 0;
  bool busy_ = false;
  uint32_t failures_ = 0;
  Instant retryAt_{0};
  uint64_t retries_ = 0;
};

// Builds a frame of puts and deletes in a new buffer; null when there is no room.
struct WriteEntry {
  std::string_view key, value;
  bool deleted = false;
};
BufferRef packWrites(Port& port, std::span<const WriteEntry> writes);

}  // namespace keyhaul
