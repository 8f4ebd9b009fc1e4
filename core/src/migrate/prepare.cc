#include "migrate/prepare.h"

#include <utility>

#include "base/assert.h"
#include "base/bytes.h"

namespace keyhaul {

void PreparePhase::start(bool openFeed, std::string after, bool full) {
  KH_ASSERT(!op_ && !scanning_);
  feedNode_ = shared_.source;
  after_ = std::move(after);
  full_ = full;
  range_ = 0;
  targetWasEmpty_ = true;
  step_ = Step::kFeed;
  if (!openFeed) next();
}

void PreparePhase::startFeedOf(NodeId node) {
  start(true, {}, false);
  feedNode_ = node;
}

void PreparePhase::next() {
  switch (step_) {
    case Step::kFeed:
      step_ = full_ && shared_.spec().mode != MigrationMode::kVerify ? Step::kTarget
              : full_                                                 ? Step::kEstimate
                                                                      : Step::kDone;
      break;
    case Step::kTarget: step_ = Step::kEstimate; break;
    case Step::kEstimate:
    case Step::kDone: step_ = Step::kDone; break;
  }
  if (step_ == Step::kEstimate && !shared_.spec().sourceCapabilities.has(Capability::kStats)) {
    step_ = Step::kDone;
  }
}

Status PreparePhase::pump(Port& port) {
  while (step_ != Step::kDone) {
    if (op_) {
      if (port.waits(op_)) return {};
      if (step_ != Step::kEstimate) return ErrorCode::kStoreStalled;
      next();
      continue;
    }
    if (step_ == Step::kFeed) {
      feedAsked_ = true;
      op_ = port.openFeed(feedNode_, tagOf(MigrationPart::kPrepare), after_);
      continue;
    }
    if (step_ == Step::kEstimate) {
      op_ = port.estimate(shared_.source, tagOf(MigrationPart::kPrepare));
      continue;
    }
    if (range_ >= shared_.ranges.size() || !targetWasEmpty_) {
      next();
      continue;
    }
    if (!scanning_) {
      Scanner::Limits limits = shared_.limits(false);
      limits.entries = 1;
      limits.bytes = 1;
      limits.throttled = false;
      target_.start(shared_.target, tagOf(MigrationPart::kTarget), shared_.spec().ranges[range_],
                    limits, nullptr);
      scanning_ = true;
    }
    if (Status s = target_.pump(port); !s.ok()) return s;
    Page* page = target_.front();
    if (page == nullptr) return {};
    if (page->view.size() > 0) targetWasEmpty_ = false;
    target_.stop(port);
    scanning_ = false;
    ++range_;
    if (!targetWasEmpty_ && !shared_.spec().intoNonempty) return ErrorCode::kTargetNotEmpty;
  }
  return {};
}

Status PreparePhase::onEvent(Port& port, OpTag tag, const Event& event) {
  if (tag.part == static_cast<uint8_t>(MigrationPart::kTarget)) {
    return target_.onEvent(port, event);
  }
  KH_ASSERT(event.op == op_);
  op_ = {};
  const std::string payload(asView(port.buffers().bytes(event.payload)));
  port.buffers().release(event.payload.buffer);
  if (step_ == Step::kEstimate) {  // a guess that fails is no guess, and no reason to stop
    if (event.kind == EventKind::kDone) {
      estimatedEntries_ = event.count;
      estimatedBytes_ = event.bytes;
    }
    next();
    return {};
  }
  if (event.kind != EventKind::kDone) {
    return event.kind == EventKind::kFailed ? event.error : ErrorCode::kStoreFailed;
  }
  if (payload.empty() || payload.size() > 256) return ErrorCode::kStoreFailed;
  feedPosition_ = payload;
  next();
  return {};
}

void PreparePhase::stop(Port& port) {
  if (op_) port.abort(std::exchange(op_, {}));
  if (scanning_) target_.stop(port);
  scanning_ = false;
  step_ = Step::kDone;
}

}  // namespace keyhaul
