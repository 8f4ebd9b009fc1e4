#include "migrate/register_step.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/bytes.h"

namespace keyhaul {

void RegisterStep::start(Change change) {
  KH_ASSERT(!op_);
  change_ = change;
  epochBefore_ = shared_.claim.epoch;
  // Somebody else may have taken it over while this process was away.
  if (!isPatient()) known_ = false;
  done_ = gone_ = sent_ = false;
  failures_ = 0;
  retryAt_ = {0};
}

bool RegisterStep::isPatient() const {
  switch (change_) {
    case Change::kClaim:
    case Change::kTakeOver:
    case Change::kLook: return false;
    case Change::kPostpone:
    case Change::kDecide:
    case Change::kAbort:
    case Change::kTurn:
    case Change::kClose: return true;
  }
  return false;
}

Status RegisterStep::pump(Port& port) {
  if (op_) {
    if (port.waits(op_)) return {};
    return retry(port, ErrorCode::kRegisterFailed);
  }
  if (done_) return {};
  if (port.now() < retryAt_) {
    port.wakeAt(retryAt_);
    return {};
  }
  if (known_) return swap(port);
  swapping_ = false;
  issuedAt_ = port.now();
  op_ = port.registerRead(tagOf(MigrationPart::kRegister));
  port.wakeAt(port.ops().find(op_)->deadline);
  return {};
}

// Sets `changed` where the document has to be written; without it the change was there already,
// or the other outcome was, and the claim says which.
Status RegisterStep::changeMap(bool& changed) {
  const ClaimId& id = shared_.spec().claim;
  const Claim* found = map_.find(id);
  const uint64_t coord = shared_.claim.coordEpoch;
  changed = true;
  const Plan& plan = shared_.spec();
  const auto goes = [found](const std::string& from, const std::string& to) {
    return found->source == from && found->target == to;
  };
  // The way back is the same claim, the other way round.
  const bool turned = found != nullptr && goes(plan.target, plan.source);
  const bool ours = found == nullptr || ((turned || goes(plan.source, plan.target)) &&
                                         found->ranges == plan.ranges);
  if (!ours) return ErrorCode::kRangeClaimed;  // of another plan, under the same id
  if (change_ == Change::kClaim) {
    if (found == nullptr) {
      return map_.claim(id, plan.source, plan.target, plan.ranges);
    }
    // An answer was lost, or another process claims under the same id: no telling which, so
    // whoever it was is followed as one that died.
    return map_.takeOver(id);
  }
  if (found == nullptr) {
    gone_ = true;
    changed = false;
    const bool fine = change_ == Change::kTakeOver || change_ == Change::kClose ||
                      change_ == Change::kAbort;
    return fine ? Status{} : ErrorCode::kSuperseded;
  }
  if (change_ == Change::kTakeOver) return map_.takeOver(id);
  if (found->coordEpoch != coord) return ErrorCode::kSuperseded;
  if (change_ == Change::kClose) return map_.close(id, coord);
  if (change_ == Change::kTurn) {
    changed = !turned;
    return turned ? Status{} : map_.turn(id, coord);
  }
  const bool over = change_ == Change::kLook || found->state != ClaimState::kClaimed;
  if (over || (change_ == Change::kPostpone && found->epoch > epochBefore_)) {
    changed = false;
    return {};
  }
  if (change_ == Change::kPostpone) return map_.postpone(id, coord);
  return change_ == Change::kDecide ? map_.decide(id, coord) : map_.abort(id, coord);
}

Status RegisterStep::swap(Port& port) {
  bool changed = false;
  if (Status s = changeMap(changed); !s.ok()) return s;
  if (!changed) {
    sent_ = false;
    done_ = true;
    if (const Claim* found = map_.find(shared_.spec().claim)) shared_.claim = *found;
    return {};
  }
  known_ = false;
  swapping_ = sent_ = true;
  issuedAt_ = port.now();
  op_ = port.registerSwap(tagOf(MigrationPart::kRegister), map_.encode(), version_);
  port.wakeAt(port.ops().find(op_)->deadline);
  return {};
}

Status RegisterStep::retry(Port& port, ErrorCode error) {
  known_ = false;
  const bool again = retryClass(error) == RetryClass::kRetryable || isPatient();
  ++failures_;
  if (!again || (!isPatient() && failures_ > port.config().retriesMax)) return error;
  ++shared_.totals.retries;
  retryAt_ = port.now() + retryDelay(port.config(), std::min(failures_, 16U));
  port.noticeWarning(sent_ ? ErrorCode::kCommitUnknown : error, {});
  port.wakeAt(retryAt_);
  return {};
}

Status RegisterStep::onEvent(Port& port, const Event& event) {
  KH_ASSERT(event.op == op_);
  op_ = {};
  if (event.kind != EventKind::kDone) {
    port.buffers().release(event.payload.buffer);
    const bool said = event.kind == EventKind::kFailed;
    return retry(port, said ? event.error : ErrorCode::kRegisterFailed);
  }
  lastUs_ = (port.now() - issuedAt_).us;
  const Status s = take(event, port);
  port.buffers().release(event.payload.buffer);
  return s;
}

Status RegisterStep::take(const Event& event, Port& port) {
  failures_ = 0;
  version_ = event.bytes;
  if (swapping_ && event.count == 1) {
    // What was put is what is there now; changeMap() has made map_ that.
    known_ = true;
    sent_ = false;
    done_ = true;
    const Claim* mine = map_.find(shared_.spec().claim);
    if (mine != nullptr) shared_.claim = *mine;
    return {};
  }
  Result<OwnershipMap> map = OwnershipMap::decode(port.buffers().bytes(event.payload));
  if (!map.ok()) return map.status();
  map_ = std::move(map).value();
  known_ = true;
  return swap(port);
}

bool RegisterStep::ownedBy(std::string_view owner) const {
  const std::vector<KeyRange>& ranges = shared_.spec().ranges;
  return std::all_of(ranges.begin(), ranges.end(),
                     [&](const KeyRange& range) { return map_.owns(owner, range); });
}

bool RegisterStep::ownedAt(std::string_view owner, uint64_t epoch) const {
  const std::vector<Ownership>& parts = map_.parts();
  return ownedBy(owner) && std::none_of(parts.begin(), parts.end(), [&](const Ownership& part) {
    const std::vector<KeyRange>& ranges = shared_.spec().ranges;
    return part.epoch != epoch && std::any_of(ranges.begin(), ranges.end(), [&part](const KeyRange& range) {
      return part.range.overlaps(range);
    });
  });
}

void RegisterStep::stop(Port& port) {
  if (op_) port.abort(std::exchange(op_, {}));
  known_ = false;
  done_ = true;
}

}  // namespace keyhaul
