// Actions of the engine as messages to stores, and their answers as completions.
#include <cstring>
#include <utility>

#include "mover.h"
#include "store.h"
#include "world.h"

namespace keyhaul::sim {
namespace {
constexpr uint64_t kFirstRepeatUs = 250'000;
constexpr uint64_t kLastRepeatUs = 2'000'000;

constexpr uint64_t pair(uint32_t job, uint64_t call) { return (uint64_t{job} << 40) | call; }
}  // namespace

void MoverNode::carryOut(const Action& action) {
  if (action.kind == ActionKind::kAbort) return abort(action.reusesOp);
  Job* job = jobOf(action.migration);
  if (job == nullptr) return;
  world_.tell([&](Oracle& oracle) { oracle.onAction(*job, action); });
  if (action.kind == ActionKind::kJournal) return append(*job, action);
  // Given up in the step that asked for it: its payload is gone, an abort follows.
  if (action.payload.buffer && engine_->bytes(action.payload).empty()) {
    return fail(*job, action.kind, action.op, ErrorCode::kInterrupted);
  }
  if (action.kind == ActionKind::kScan) noteScan(*job, action);
  if (action.kind == ActionKind::kApply && job->state == MigrationState::kCopying) {
    noteCopied(*job, action);
  }
  if (skips(*job, action)) {
    Event done;
    done.op = action.op;
    return complete(*job, action.kind, done);
  }
  if (job->live && sabotageLive(*job, action)) return;
  Message request = requestOf(*job, action);
  const bool early = world_.sabotaged(Sabotage::kAckBeforeTarget) &&
                     action.kind == ActionKind::kApply && !action.guarded;
  call(*job, early ? OpId{} : action.op, action.kind, std::move(request));
  if (!early) return;
  Event done;
  done.op = action.op;
  complete(*job, action.kind, done);
}

void MoverNode::noteScan(const Job& job, const Action& action) {
  const auto payload = engine_->bytes(action.payload);
  uint32_t lo = 0;
  std::memcpy(&lo, payload.data(), 4);
  const std::string_view from(reinterpret_cast<const char*>(payload.data()) + 8, lo);
  world_.tell([&](Oracle& oracle) { oracle.onScan(job, action, from); });
}

void MoverNode::noteCopied(Job& job, const Action& action) {
  const Result<FrameView> frame = readFrame(engine_->bytes(action.payload));
  if (frame.ok()) {
    world_.tell([&](Oracle& oracle) { oracle.onCopied(job, frame.value()); });
  }
}

Message MoverNode::requestOf(const Job& job, const Action& action) {
  Message request;
  request.to = action.node == nodes_[job.source] ? job.source : job.target;
  request.count = action.count;
  request.bytes = action.limitBytes;
  request.durable = action.durable;
  request.guarded = action.guarded;
  const auto payload = engine_->bytes(action.payload);
  std::string bytes(reinterpret_cast<const char*>(payload.data()), payload.size());
  if (job.live && liveRequest(job, action, bytes, request)) return request;
  switch (action.kind) {
    case ActionKind::kScan: {
      request.kind = MessageKind::kScan;
      uint32_t lo = 0, hi = 0;
      std::memcpy(&lo, bytes.data(), 4);
      std::memcpy(&hi, bytes.data() + 4, 4);
      request.body = bytes.substr(8, lo);
      request.infinite = hi == UINT32_MAX;
      if (!request.infinite) request.extra = bytes.substr(8 + size_t{lo}, hi);
      const bool blind = world_.sabotaged(Sabotage::kVerifySourceOnly) ||
                         (world_.sabotaged(Sabotage::kRepairIsVerified) &&
                          work_[job.index].repaired);
      if (blind && job.state == MigrationState::kVerifying) request.to = job.source;
      break;
    }
    case ActionKind::kApply:
      request.kind = MessageKind::kApply;
      request.body = std::move(bytes);
      break;
    case ActionKind::kOpenFeed: request.kind = MessageKind::kOpenFeed; break;
    case ActionKind::kPollFeed: request.kind = MessageKind::kPollFeed; break;
    case ActionKind::kTrimFeed: request.kind = MessageKind::kTrimFeed; break;
    case ActionKind::kCloseFeed:
      request.kind = MessageKind::kCloseFeed;
      request.extra = work_[job.index].feeds[request.to];
      break;
    case ActionKind::kEstimate: request.kind = MessageKind::kEstimate; break;
    case ActionKind::kRead:
    case ActionKind::kGate:
    case ActionKind::kRegisterRead:
    case ActionKind::kRegisterSwap:  // mover_live.cc
    case ActionKind::kJournal:
    case ActionKind::kAbort: break;
  }
  if (request.body.empty() && request.extra.empty()) request.extra = std::move(bytes);
  return request;
}

void MoverNode::call(Job& job, OpId op, ActionKind kind, Message request) {
  Work& work = work_[job.index];
  request.from = id();
  request.party = job.index;
  request.session = job.session;
  request.call = work.nextCall++;
  Call& made = work.calls[request.call];
  made.op = op;
  made.kind = kind;
  made.request = std::move(request);
  send(made.request);
  // Within a process no call is lost.
  if (world_.rehearsal() != nullptr) return;
  timer(kFirstRepeatUs, kRepeat, pair(job.index, made.request.call));
}

void MoverNode::repeat(uint64_t jobAndCall) {
  const Job& job = world_.job(static_cast<uint32_t>(jobAndCall >> 40));
  Work& work = work_[job.index];
  const auto at = work.calls.find(jobAndCall & ((uint64_t{1} << 40) - 1));
  // Numbers begin again with each session; the timers of the old one do no harm.
  if (at == work.calls.end() || at->second.request.session != job.session) return;
  send(at->second.request);
  const uint64_t delayUs = kFirstRepeatUs << std::min<uint32_t>(++at->second.tries, 8);
  timer(std::min(delayUs, kLastRepeatUs), kRepeat, jobAndCall);
}

void MoverNode::abort(OpId op) {
  for (auto& [index, work] : work_) {
    Job& job = world_.job(index);
    if (work.journalOp == op) {
      work.journalOp = {};
      return fail(job, ActionKind::kJournal, op, ErrorCode::kInterrupted);
    }
    for (auto at = work.calls.begin(); at != work.calls.end(); ++at) {
      if (at->second.op != op) continue;
      const ActionKind kind = at->second.kind;
      work.calls.erase(at);
      return fail(job, kind, op, ErrorCode::kInterrupted);
    }
  }
}

void MoverNode::fail(Job& job, ActionKind kind, OpId op, ErrorCode error) {
  Event event;
  event.kind = EventKind::kFailed;
  event.op = op;
  event.error = error;
  complete(job, kind, event);
}

void MoverNode::onMessage(Message message) {
  const bool damaged = message.checksum != message.computeChecksum();
  if (damaged && !world_.sabotaged(Sabotage::kIgnoreChecksum)) {
    ++world_.counts().damaged;
    return;
  }
  Job& job = world_.job(message.party);
  if (message.session == job.session && engine_) onReply(job, message);
}

void MoverNode::onReply(Job& job, const Message& reply) {
  Work& work = work_[job.index];
  const auto at = work.calls.find(reply.call);
  if (at == work.calls.end()) return;
  const ActionKind asked = at->second.kind;
  const bool isPage = asked == ActionKind::kScan || asked == ActionKind::kPollFeed ||
                      asked == ActionKind::kRead;
  if (isPage && reply.error == ErrorCode::kOk) {
    const auto bytes = std::as_bytes(std::span(reply.body));
    const bool sane = world_.sabotaged(Sabotage::kIgnoreChecksum)
                          ? viewBody(bytes, reply.count).ok()
                          : readFrame(bytes).ok();
    if (!sane) return;  // it will be asked for again
  }
  const Call call = std::move(at->second);
  work.calls.erase(at);
  if (call.kind == ActionKind::kAbort) return onGreeted(job, reply);
  if (job.phase != Job::Phase::kRunning) return;
  ErrorCode error = reply.error;
  const bool isApply = call.kind == ActionKind::kApply;
  if (isApply && world_.sabotaged(Sabotage::kIgnoreWriteError)) error = ErrorCode::kOk;
  const bool hopes = error != ErrorCode::kOk && world_.sabotaged(Sabotage::kRetryForEver);
  if (hopes) error = ErrorCode::kStoreFailed;
  if (error != ErrorCode::kOk) return call.op ? fail(job, call.kind, call.op, error) : void();
  if (isApply) sabotageApply(job, call);
  if (!call.op) return;
  if (isPage && hidesPage(job, call, reply)) {
    Message rest = reply;
    applyUnseen(job, call, rest);
    return onPage(job, call, rest);
  }
  if (isPage) return onPage(job, call, reply);
  if (job.live && onLiveReply(job, call, reply)) return;
  Event event;
  event.op = call.op;
  event.count = reply.count;
  event.bytes = reply.bytes;
  if (call.kind == ActionKind::kOpenFeed) {
    const auto buffer = engine_->acquire(reply.extra.size(), event.payload.buffer);
    if (buffer.empty()) return fail(job, call.kind, call.op, ErrorCode::kStoreFailed);
    std::memcpy(buffer.data(), reply.extra.data(), reply.extra.size());
    work.feeds[reply.from] = reply.extra;
    event.payload.bytes = static_cast<uint32_t>(reply.extra.size());
  }
  complete(job, call.kind, event);
}

void MoverNode::onPage(Job& job, const Call& made, const Message& reply) {
  const bool isScan = made.kind == ActionKind::kScan;
  bool end = reply.end;
  if (isScan && reply.count == 0 && !end) {
    // The store gave up early and found nothing: that is not the end. Ask on.
    const bool ends = world_.sabotaged(Sabotage::kEmptyPageIsEnd) ||
                      world_.sabotaged(Sabotage::kLiveEmptyPage);
    if (!ends) return call(job, made.op, made.kind, made.request);
    end = true;
  }
  Event event;
  event.kind = EventKind::kPage;
  event.op = made.op;
  event.end = end;
  event.count = reply.count;
  const bool isPoll = made.kind == ActionKind::kPollFeed;
  const size_t positionBytes = isPoll ? reply.extra.size() : 0;
  const size_t bytes = reply.body.size() + positionBytes;
  const bool full = world_.strikes(memoryPrng_, FaultKind::kNoMemory, reply);
  const auto buffer = full ? std::span<std::byte>() : engine_->acquire(bytes, event.payload.buffer);
  if (buffer.empty()) return fail(job, made.kind, made.op, ErrorCode::kStoreFailed);
  std::memcpy(buffer.data(), reply.body.data(), reply.body.size());
  if (isPoll) std::memcpy(buffer.data() + reply.body.size(), reply.extra.data(), positionBytes);
  if (isPoll && world_.space().counted) event.bytes = reply.bytes;
  event.payload.bytes = static_cast<uint32_t>(bytes);
  event.positionBytes = static_cast<uint32_t>(positionBytes);
  complete(job, made.kind, event);
}

void MoverNode::sabotageApply(Job& job, const Call& made) {
  if (made.request.guarded || job.state != MigrationState::kCopying) return;
  const Result<FrameView> frame = readFrame(std::as_bytes(std::span(made.request.body)));
  if (!frame.ok()) return;
  if (world_.sabotaged(Sabotage::kSkipAboveWatermark) ||
      world_.sabotaged(Sabotage::kLiveSkipAbove)) {
    job.copiedUpto.resize(job.plan.ranges.size());
    for (const EntryView entry : frame.value()) {
      job.copiedUpto[job.rangeOf(entry.key)] = std::string(entry.key);
    }
  }
  if (world_.sabotaged(Sabotage::kDeleteAfterCopy) && job.plan.mode == MigrationMode::kMove) {
    Message request = made.request;
    request.to = job.source;
    request.guarded = request.durable = true;
    call(job, {}, ActionKind::kApply, std::move(request));
  }
}

}  // namespace keyhaul::sim
