#include "migrate/gate_step.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace keyhaul {

void GateStep::start(NodeId node, GateVerb verb, uint64_t epoch, bool patient) {
  KH_ASSERT(!op_);
  node_ = node;
  verb_ = verb;
  epoch_ = epoch;
  patient_ = patient;
  done_ = false;
  failures_ = 0;
  retryAt_ = {0};
}

Status GateStep::pump(Port& port) {
  if (op_) {
    if (port.waits(op_)) return {};
    // It may have taken effect; asking again is the way to know.
    return retry(port, ErrorCode::kStoreStalled);
  }
  if (done_) return {};
  if (port.now() < retryAt_) {
    port.wakeAt(retryAt_);
    return {};
  }
  issuedAt_ = port.now();
  op_ = port.gate(node_, tagOf(MigrationPart::kGate), verb_, epoch_);
  port.wakeAt(port.ops().find(op_)->deadline);
  return {};
}

Status GateStep::retry(Port& port, ErrorCode error) {
  ++failures_;
  const bool may = retryClass(error) == RetryClass::kRetryable;
  if (!may || (!patient_ && failures_ > port.config().retriesMax)) return error;
  ++shared_.totals.retries;
  retryAt_ = port.now() + retryDelay(port.config(), std::min(failures_, 16U));
  port.noticeWarning(error, node_);
  port.wakeAt(retryAt_);
  return {};
}

Status GateStep::onEvent(Port& port, const Event& event) {
  KH_ASSERT(event.op == op_);
  op_ = {};
  port.buffers().release(event.payload.buffer);
  if (event.kind == EventKind::kDone) {
    done_ = true;
    lastUs_ = (port.now() - issuedAt_).us;
    return {};
  }
  return retry(port, event.kind == EventKind::kFailed ? event.error : ErrorCode::kStoreFailed);
}

void GateStep::stop(Port& port) {
  if (op_) port.abort(std::exchange(op_, {}));
  done_ = true;
}

}  // namespace keyhaul
