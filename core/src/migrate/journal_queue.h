// Journal records on their way to the disk: encoded in order, one append at a
// time, what gathers meanwhile goes with the next. Without a journal every
// record counts as written at once.
#pragma once

#include <string>

#include "keyhaul/journal.h"
#include "migrate/port.h"

namespace keyhaul {

class JournalQueue {
 public:
  void start(bool enabled, OpTag tag, JournalWriter writer) {
    enabled_ = enabled;
    tag_ = tag;
    writer_ = writer;
  }

  template <typename R>
  void add(const R& record) {
    if (!enabled_) return;
    writer_.append(record, waiting_);
    ++added_;
  }
  // How many records there are so far, and how many of them are on disk.
  uint64_t added() const { return added_; }
  uint64_t durable() const { return durable_; }
  bool enabled() const { return enabled_; }
  // Everything added so far is durable.
  bool flushed() const { return waiting_.empty() && !op_; }
  bool owns(OpId op) const { return op_ == op && op; }

  // `hold`: what there is waits, for nobody needs it yet and the disk has other work.
  Status pump(Port& port, bool hold = false) {
    if (op_) {
      const Instant deadline = port.ops().find(op_)->deadline;
      if (deadline <= port.now()) {
        stop(port);
        return ErrorCode::kJournalWriteFailed;
      }
      port.wakeAt(deadline);
      return {};
    }
    if (waiting_.empty() || hold) return {};
    op_ = port.journal(tag_, waiting_);
    sent_ = added_;
    waiting_.clear();
    port.wakeAt(port.ops().find(op_)->deadline);
    return {};
  }

  // A failed append is not repeated: part of it may stand in the file, and a
  // second copy behind it would not fit the chain. Resuming cuts it off.
  Status onEvent(Port& port, const Event& event) {
    op_ = {};
    port.buffers().release(event.payload.buffer);
    if (event.kind == EventKind::kDone) {
      durable_ = sent_;
      return {};
    }
    disable();
    return event.error == ErrorCode::kLimitExceeded ? event.error : ErrorCode::kJournalWriteFailed;
  }

  // Nothing more can be written.
  void disable() {
    enabled_ = false;
    waiting_.clear();
  }
  void stop(Port& port) {
    if (op_) port.abort(op_);
    op_ = {};
    disable();
  }

 private:
  bool enabled_ = false;
  OpTag tag_;
  JournalWriter writer_;
  std::string waiting_;
  OpId op_;
  uint64_t added_ = 0, sent_ = 0, durable_ = 0;
};

}  // namespace keyhaul
