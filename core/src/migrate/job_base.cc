#include "migrate/job_base.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/bytes.h"

namespace keyhaul {

void JobBase::begin(Port& port, MigrationState next) {
  account(port.now());
  state_ = next;
  partStarted_ = false;
  holdCopy(false);
  shared_.doneEntries = shared_.doneBytes = 0;
  if (next == MigrationState::kCopying) {
    for (const auto& range : shared_.ranges) {
      const Digest sum = range.leaves.sum();
      shared_.addWork(sum.entries, sum.bytes);
    }
  }
  rate_.reset(port.now(), shared_.doneBytes);
}

void JobBase::account(Instant now) {
  if (!clockStarted_) return;
  const uint64_t us = (now - accountedAt_).us;
  accountedAt_ = now;
  Totals& totals = shared_.totals;
  totals.activeUs += us;
  // Of no state: it is no work, and an ETA that counted it would be too long.
  if (std::exchange(idle_, (paused_ || yields_) && (standsStill() || JobBase::rests()))) return rate_.pass(us);
  switch (state_) {
    case MigrationState::kCopying: totals.copyUs += us; break;
    case MigrationState::kCatchingUp:
    case MigrationState::kApproaching: totals.catchUpUs += us; break;
    case MigrationState::kVerifying:
    case MigrationState::kRepairing: totals.verifyUs += us; break;
    case MigrationState::kDeleting:
    case MigrationState::kCleaning: totals.deleteUs += us; break;
    case MigrationState::kPending:
    case MigrationState::kPreparing:
    case MigrationState::kDiscarding:
    case MigrationState::kStopped:
    case MigrationState::kDone:
    case MigrationState::kMismatch:
    case MigrationState::kCancelled:
    case MigrationState::kFailed:
    case MigrationState::kClaiming:
    case MigrationState::kStaging:
    case MigrationState::kFencing:
    case MigrationState::kDraining:
    case MigrationState::kReadFencing:
    case MigrationState::kDeciding:
    case MigrationState::kActivating:
    case MigrationState::kRedirecting:
    case MigrationState::kClosing:
    case MigrationState::kPostponing:
    case MigrationState::kAborting:
    case MigrationState::kUnfencing:
    case MigrationState::kReleasing:
    case MigrationState::kArming:
    case MigrationState::kTurning:
    case MigrationState::kReversible: break;
  }
}

Status JobBase::pumpPart(Port& port) {
  switch (part()) {
    case Part::kNone: return {};
    case Part::kPrepare: return prepare_.pump(port);
    case Part::kCopy: return copy_.pump(port);
    case Part::kFeed: return feed_.pump(port);
    case Part::kCompare: return compare_.pump(port);
    case Part::kDiscard: return discard_.pump(port);
    case Part::kLeafCheck:
    case Part::kRegister:
    case Part::kGate:
    case Part::kApproach: return pumpOwn(port);
  }
  return {};
}

bool JobBase::partDone() const {
  if (!partStarted_) return false;
  switch (part()) {
    case Part::kNone: return false;
    case Part::kPrepare: return prepare_.done();
    case Part::kCopy: return copy_.done() && !yields_;  // what comes next is not interrupted: it needs a slot
    case Part::kFeed: return feed_.done();
    case Part::kCompare: return compare_.done();
    case Part::kDiscard: return discard_.done();
    case Part::kLeafCheck:
    case Part::kRegister:
    case Part::kGate:
    case Part::kApproach: return ownDone();
  }
  return false;
}

bool JobBase::partWriting() const {
  switch (part()) {
    case Part::kNone:
    case Part::kPrepare: return false;
    case Part::kCopy: return copy_.writing();
    case Part::kFeed: return feed_.writing();
    case Part::kCompare: return compare_.writing();
    case Part::kDiscard: return discard_.writing();
    case Part::kLeafCheck:
    case Part::kRegister:
    case Part::kGate:
    case Part::kApproach: return ownWriting();
  }
  return false;
}

Status JobBase::settlePart(Port& port) {
  switch (part()) {
    case Part::kNone:
    case Part::kPrepare: return {};
    case Part::kCopy: return copy_.settle(port);
    case Part::kFeed: return feed_.settle(port);
    case Part::kCompare: return compare_.settle(port);
    case Part::kDiscard: return discard_.settle(port);
    case Part::kLeafCheck:
    case Part::kRegister:
    case Part::kGate:
    case Part::kApproach: return settleOwn(port);
  }
  return {};
}

NodeId JobBase::blamed() const {
  switch (part()) {
    case Part::kNone: return {};
    case Part::kPrepare: return prepare_.blamed();
    case Part::kCopy: return copy_.blamed();
    case Part::kFeed: return feed_.blamed();
    case Part::kCompare: return compare_.blamed();
    case Part::kDiscard: return discard_.node();
    case Part::kLeafCheck:
    case Part::kRegister:
    case Part::kGate:
    case Part::kApproach: return ownBlamed();
  }
  return {};
}

void JobBase::onEvent(Port& port, OpTag tag, const Event& event) {
  account(port.now());
  if (spec().mode == MigrationMode::kLive) port.setCoordEpoch(shared_.claim.coordEpoch);
  std::string text;  // read now: the part gives the buffer back
  if (event.kind == EventKind::kFailed) {
    text = std::string(asView(port.buffers().bytes(event.payload)));
  }
  if (tag.part == static_cast<uint8_t>(MigrationPart::kJournal)) {
    // No store is to blame for it.
    if (Status s = shared_.journal.onEvent(port, event); !s.ok()) journalFailed(port, s.code(), text);
    return;
  }
  if (event.op == closeFeed_) return feedWasClosed(port, event);
  const Status status = afterEvent(port, route(port, tag, event));
  if (!status.ok()) failPart(port, status.code(), text);
}

Status JobBase::route(Port& port, OpTag tag, const Event& event) {
  switch (static_cast<MigrationPart>(tag.part)) {
    case MigrationPart::kPrepare: return prepare_.onEvent(port, tag, event);
    case MigrationPart::kFeed: return feed_.onEvent(port, tag, event);
    case MigrationPart::kJournal:
    case MigrationPart::kRegister:
    case MigrationPart::kGate: return ownEvent(port, tag, event);
    case MigrationPart::kSource:
    case MigrationPart::kTarget:
    case MigrationPart::kWrite: break;
  }
  switch (part()) {
    case Part::kNone: break;
    case Part::kPrepare: return prepare_.onEvent(port, tag, event);
    case Part::kCopy: return copy_.onEvent(port, tag, event);
    case Part::kFeed: return feed_.onEvent(port, tag, event);
    case Part::kCompare: return compare_.onEvent(port, tag, event);
    case Part::kDiscard: return discard_.onEvent(port, tag, event);
    case Part::kLeafCheck:
    case Part::kRegister:
    case Part::kGate:
    case Part::kApproach: return ownEvent(port, tag, event);
  }
  KH_ASSERT(false);
  return {};
}

void JobBase::feedWasClosed(Port& port, const Event& event) {
  closeFeed_ = {};
  port.buffers().release(event.payload.buffer);
  if (event.kind == EventKind::kFailed) return closeFailed(port, event.error);
  feedClosed_ = true;
}

void JobBase::fail(Port& port, ErrorCode error, NodeId node, std::string_view text) {
  if (isFinal(state_) || state_ == MigrationState::kStopped || ending_ == Ending::kFail) return;
  error_ = error;
  errorNode_ = node;
  errorText_ = std::string(text.substr(0, 4'096));
  ending_ = Ending::kFail;
  concluding_ = MigrationState::kPending;
  port.wakeAt(port.now());
}

void JobBase::showProgress(Port& port) {
  rate_.update(port.now(), shared_.doneBytes);
  if (port.now() < progressAt_ + port.config().progressEvery) return;
  progressAt_ = port.now();
  port.noticeProgress(state_);
}

std::vector<Suspect> JobBase::wholePlan() const {
  std::vector<Suspect> parts;
  parts.reserve(spec().ranges.size());
  for (uint32_t i = 0; i < spec().ranges.size(); ++i) parts.push_back({i, spec().ranges[i]});
  return parts;
}

bool JobBase::closeFeed(Port& port, NodeId node, std::string_view position) {
  if (feedClosed_) return true;
  if (port.now() < closeAt_) {
    port.wakeAt(closeAt_);
    return false;
  }
  if (!closeFeed_) {
    closeNode_ = node;
    closeFeed_ = port.closeFeed(node, tagOf(MigrationPart::kPrepare), position);
  }
  if (port.waits(closeFeed_)) return false;
  closeFailed(port, ErrorCode::kStoreStalled);
  return feedClosed_;
}

// A feed that nobody follows makes the source's log grow for ever. But whoever waits for the end
// waits for this too, so one that does not answer is asked once more only.
void JobBase::closeFailed(Port& port, ErrorCode error) {
  port.noticeWarning(error, closeNode_);
  const uint32_t most = port.config().retriesMax;
  closeFailures_ += error == ErrorCode::kStoreStalled ? std::max(most, 1U) : 1;
  const bool again = retryClass(error) == RetryClass::kRetryable && closeFailures_ <= most;
  feedClosed_ = !again;
  if (!again) return;
  ++shared_.totals.retries;
  closeAt_ = port.now() + retryDelay(port.config(), std::min(closeFailures_, 16U));
  port.wakeAt(closeAt_);
}

void JobBase::writeConclusion(Port& port, bool recorded) {
  if (!conclusionWritten_ && recorded) {
    if (concluding_ == MigrationState::kStopped) {
      shared_.journal.add(StoppedRecord{error_, errorText_});
    } else {
      FinishedRecord record;
      record.receipt = receipt();
      record.receipt.state = concluding_;
      shared_.journal.add(record);
    }
  }
  if (!std::exchange(conclusionWritten_, true)) {
    if (Status s = shared_.journal.pump(port); !s.ok()) return fail(port, s.code(), {}, {});
  }
  if (!shared_.journal.flushed()) return;
  state_ = std::exchange(concluding_, MigrationState::kPending);
  announce(port, state_);
}

Receipt JobBase::receipt() const {
  Receipt receipt;
  receipt.state = state_;
  receipt.mode = spec().mode;
  receipt.level = shared_.plan.level();
  receipt.verified = verified_;
  receipt.source = sourceDigest_;
  receipt.target = targetDigest_;
  if (verified_) {
    receipt.position = verifiedPosition_;
    receipt.epoch = verifiedEpoch_;
  }
  receipt.totals = shared_.totals;
  return receipt;
}

MigrationView JobBase::viewSoFar() const {
  MigrationView view;
  view.state = state_;
  view.paused = paused_ || yields_;
  view.waits = state_ == MigrationState::kPending || JobBase::rests();
  view.error = error_;
  view.level = shared_.plan.level();
  view.verified = verified_;
  view.entries = shared_.doneEntries;
  view.bytes = shared_.doneBytes;
  if (state_ == MigrationState::kCopying) {
    view.totalEntries = spec().expectedEntries != 0 ? spec().expectedEntries : estimatedEntries_;
    view.totalBytes = spec().expectedBytes != 0 ? spec().expectedBytes : estimatedBytes_;
  }
  view.bytesPerSecond = rate_.perSecond();
  return view;
}

}  // namespace keyhaul
