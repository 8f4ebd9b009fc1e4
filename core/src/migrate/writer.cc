#include "migrate/writer.h"

#include <algorithm>

#include "base/assert.h"
#include "migrate/scanner.h"

namespace keyhaul {

void Writer::start(NodeId node, OpTag tag) {
  KH_ASSERT(!busy_);
  node_ = node;
  tag_ = tag;
}

void Writer::begin(const BufferRef& frame, uint32_t entries, bool durable) {
  KH_ASSERT(!busy_ && entries > 0);
  frame_ = frame;
  entries_ = entries;
  durable_ = durable;
  reusesOp_ = {};
  owned_ = true;
  guarded_ = false;
  cleanUpEpoch_ = 0;
  busy_ = true;
  failures_ = 0;
}

void Writer::write(Port& port, const BufferRef& frame, uint32_t entries, bool durable,
                   OpId reusesOp) {
  begin(frame, entries, durable);
  reusesOp_ = reusesOp;
  owned_ = false;
  issue(port);
}

void Writer::writeOwned(Port& port, const BufferRef& frame, uint32_t entries, bool durable,
                        uint64_t cleanUpEpoch) {
  begin(frame, entries, durable);
  cleanUpEpoch_ = cleanUpEpoch;
  issue(port);
}

void Writer::deleteGuarded(Port& port, const BufferRef& frame, uint32_t entries) {
  begin(frame, entries, true);
  guarded_ = true;
  issue(port);
}

void Writer::issue(Port& port) {
  op_ = port.apply(node_, tag_, frame_, entries_, durable_, reusesOp_, guarded_, cleanUpEpoch_);
  port.wakeAt(port.ops().find(op_)->deadline);
}

Status Writer::pump(Port& port) {
  if (!busy_) return {};
  if (!op_) {
    if (port.now() < retryAt_) {
      port.wakeAt(retryAt_);
    } else {
      issue(port);
    }
    return {};
  }
  return await(port);
}

Status Writer::settle(Port& port) {
  if (!busy_) return {};
  if (op_) return await(port);
  finish(port);
  return {};
}

Status Writer::await(Port& port) {
  const Op* op = port.ops().find(op_);
  KH_ASSERT(op != nullptr);
  if (port.now() < op->deadline) {
    port.wakeAt(op->deadline);
    return {};
  }
  stop(port);
  return ErrorCode::kStoreStalled;
}

Status Writer::onEvent(Port& port, const Event& event, bool& finished) {
  KH_ASSERT(owns(event.op));
  op_ = {};
  port.buffers().release(event.payload.buffer);
  if (event.kind == EventKind::kDone) {
    left_ = std::min(event.count, entries_);
    finish(port);
    finished = true;
    return {};
  }
  const ErrorCode error =
      event.kind == EventKind::kFailed ? event.error : ErrorCode::kStoreFailed;
  if (retryClass(error) != RetryClass::kRetryable || ++failures_ > port.config().retriesMax) {
    finish(port);
    return error;
  }
  ++retries_;
  retryAt_ = port.now() + retryDelay(port.config(), failures_);
  port.noticeWarning(error, node_);
  return {};
}

void Writer::finish(Port& port) {
  if (owned_) port.buffers().release(frame_.buffer);
  frame_ = {};
  busy_ = false;
}

void Writer::stop(Port& port) {
  if (op_) port.abort(op_);
  op_ = {};
  if (busy_) finish(port);
}

BufferRef packWrites(Port& port, std::span<const WriteEntry> writes) {
  uint64_t dataBytes = 0;
  for (const WriteEntry& write : writes) dataBytes += write.key.size() + write.value.size();
  const uint64_t total = frameBytes(writes.size(), dataBytes);
  if (total > kFrameBytesMax) return {};
  const BufferId id = port.buffers().acquire(total);
  if (!id) return {};
  FrameWriter writer(port.buffers().whole(id), static_cast<uint32_t>(writes.size()));
  for (const WriteEntry& write : writes) {
    const bool fits = write.deleted ? writer.del(write.key) : writer.put(write.key, write.value);
    KH_ASSERT(fits);
  }
  return {id, 0, writer.finish(ChecksumKind::kNone, 0, 0)};
}

}  // namespace keyhaul
