#include "migrate/port.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "base/assert.h"
#include "base/bytes.h"
#include "migrate/live_factory.h"

namespace keyhaul {
namespace {

// What goes by the clock of everybody needs no memory of who had how much.
constexpr Duration kTurn = milliseconds(250);
constexpr uint64_t kTurns = 4;
// What the one ahead leaves: so long it has asked for nothing.
constexpr Duration kLeft = milliseconds(50);

}  // namespace

Op* OpTable::open() {
  uint32_t slot = 0;
  if (!free_.empty()) {
    slot = free_.back();
    free_.pop_back();
  } else {
    if (slots_.size() >= 0xFFFF) return nullptr;
    slot = static_cast<uint32_t>(slots_.size());
    slots_.emplace_back();
  }
  Slot& taken = slots_[slot];
  taken.generation = taken.generation >= 0xFFFF ? 1 : taken.generation + 1;
  taken.live = true;
  taken.op = {};
  taken.op.id = OpId::make(slot, taken.generation);
  ++live_;
  return &taken.op;
}

Op* OpTable::find(OpId id) {
  if (!id || id.slot() >= slots_.size()) return nullptr;
  Slot& slot = slots_[id.slot()];
  return slot.live && slot.generation == id.generation() ? &slot.op : nullptr;
}

void OpTable::close(OpId id) {
  KH_ASSERT(find(id) != nullptr);
  slots_[id.slot()].live = false;
  free_.push_back(id.slot());
  --live_;
}

Port::Port(const Config& config)
    : config_(config), buffers_(config.bufferBytesMax), bucket_(config.bytesPerSecond) {}

void Port::beginStep(Instant now) {
  if (now_ < now) now_ = now;  // time never goes back
  actions_.clear();
  notices_.clear();
  for (const BufferId id : noticeBuffers_) buffers_.release(id);
  noticeBuffers_.clear();
  saidNoRoom_ = false;
}

void Port::bind(MigrationId migration, uint8_t priority, bool merges) {
  merges_ = merges;
  bound_ = migration;
  priority_ = priority;
  coordEpoch_ = 0;
  wake_ = kNever;
}

Instant Port::readyAt() {
  const Instant ready = bucket_.readyAt(now_);
  if (!hasLiveMigrations() || priority_ >= ahead_ || ready == kNever) return ready;
  const uint64_t turn = ready.us / kTurn.us, late = turn % kTurns;
  if (late == 0) return ready;
  return std::min(Instant{(turn - late + kTurns) * kTurn.us}, bucket_.readyAt(now_, kLeft));
}

Instant Port::takeWake() {
  const Instant wake = wake_;
  wake_ = kNever;
  return wake;
}

Op& Port::open(ActionKind kind, OpTag tag, uint64_t workBytes) {
  Op* op = ops_.open();
  KH_ASSERT(op != nullptr);  // migrationsMax x lanes x window stays far below
  op->kind = kind;
  op->migration = bound_;
  op->tag = tag;
  op->deadline =
      now_ + config_.stallBase + seconds(workBytes / (config_.stallBytesPerSecond + 1) + 1);
  return *op;
}

Action& Port::emit(const Op& op, NodeId node) {
  Action& action = actions_.emplace_back();
  action.kind = op.kind;
  action.priority = priority_;
  action.migration = bound_;
  action.node = node;
  action.op = op.id;
  action.coordEpoch = coordEpoch_;
  return action;
}

BufferRef Port::copyIn(std::string_view bytes) {
  const BufferId id = buffers_.acquire(bytes.size());
  if (!id) return {};
  std::memcpy(buffers_.whole(id).data(), bytes.data(), bytes.size());
  return {id, 0, static_cast<uint32_t>(bytes.size())};
}

// Without room for the payload the host is not asked at all: a journal record, a range or a
// position that came out empty would be carried out as something else.
OpId Port::request(ActionKind kind, NodeId node, OpTag tag, std::string_view payload,
                   const Limits& limits) {
  Op& op = open(kind, tag, std::max<uint64_t>({payload.size(), limits.bytes, limits.answerBytes}));
  BufferRef ref;
  if (!payload.empty()) {
    ref = copyIn(payload);
    if (!ref.buffer) {
      refused_.push_back(op.id);
      return op.id;
    }
  }
  op.payload = ref.buffer;
  Action& action = emit(op, node);
  action.payload = ref;
  action.count = limits.entries;
  action.limitBytes = limits.bytes;
  action.keep = limits.keep;
  action.verb = limits.verb;
  action.epoch = limits.epoch;
  return op.id;
}

OpId Port::scan(NodeId node, OpTag tag, const KeyRange& range, uint32_t entries,
                uint64_t limitBytes, bool keep) {
  const bool infinite = range.hi.isInfinite();
  const std::string_view lo = range.lo, hi = infinite ? std::string_view() : range.hi.key();
  scratch_.assign(8, '\0');
  storeLe(scratch_.data(), static_cast<uint32_t>(lo.size()));
  storeLe(scratch_.data() + 4, infinite ? uint32_t{0xFFFFFFFF} : static_cast<uint32_t>(hi.size()));
  scratch_ += lo;
  scratch_ += hi;
  return request(ActionKind::kScan, node, tag, scratch_,
                 {entries, limitBytes, keep, GateVerb::kPrepare, 0});
}

OpId Port::apply(NodeId node, OpTag tag, const BufferRef& frame, uint32_t entries, bool durable,
                 OpId reusesOp, bool guarded, uint64_t cleanUpEpoch) {
  const Op& op = open(ActionKind::kApply, tag, frame.bytes);
  Action& action = emit(op, node);
  action.payload = frame;
  action.count = entries;
  action.durable = durable;
  action.reusesOp = reusesOp;
  action.guarded = guarded;
  action.ifNewer = merges_ && !guarded && cleanUpEpoch == 0;
  action.cleanUp = cleanUpEpoch != 0;
  action.epoch = cleanUpEpoch;
  return op.id;
}

OpId Port::journal(OpTag tag, std::string_view bytes) {
  return request(ActionKind::kJournal, {}, tag, bytes);
}

OpId Port::openFeed(NodeId node, OpTag tag, std::string_view after) {
  return request(ActionKind::kOpenFeed, node, tag, after);
}

OpId Port::pollFeed(NodeId node, OpTag tag, std::string_view after, uint32_t entries,
                    uint64_t limitBytes) {
  return request(ActionKind::kPollFeed, node, tag, after, {entries, limitBytes, false, GateVerb::kPrepare, 0});
}

OpId Port::trimFeed(NodeId node, OpTag tag, std::string_view upto) {
  return request(ActionKind::kTrimFeed, node, tag, upto);
}

OpId Port::closeFeed(NodeId node, OpTag tag, std::string_view position) {
  return request(ActionKind::kCloseFeed, node, tag, position);
}

OpId Port::estimate(NodeId node, OpTag tag) {
  return request(ActionKind::kEstimate, node, tag, {});
}

OpId Port::read(NodeId node, OpTag tag, std::string_view keys, size_t count, uint64_t answerBytes) {
  Limits limits;
  limits.entries = static_cast<uint32_t>(count);
  limits.answerBytes = answerBytes;
  return request(ActionKind::kRead, node, tag, keys, limits);
}

OpId Port::gate(NodeId node, OpTag tag, GateVerb verb, uint64_t epoch) {
  Limits limits;
  limits.verb = verb;
  limits.epoch = epoch;
  return request(ActionKind::kGate, node, tag, {}, limits);
}

OpId Port::registerRead(OpTag tag) { return request(ActionKind::kRegisterRead, {}, tag, {}); }

OpId Port::registerSwap(OpTag tag, std::string_view document, uint64_t expectedVersion) {
  Limits limits;
  limits.epoch = expectedVersion;
  return request(ActionKind::kRegisterSwap, {}, tag, document, limits);
}

void Port::abort(OpId id) {
  Op* op = ops_.find(id);
  if (op == nullptr) return;
  // What was asked for in this very step was not handed out yet; its payload goes now.
  if (std::erase_if(actions_, [id](const Action& a) { return a.op == id; }) == 0) {
    Action action;
    action.kind = ActionKind::kAbort;
    action.migration = op->migration;
    action.reusesOp = id;
    actions_.push_back(action);
  }
  buffers_.release(op->payload);
  ops_.close(id);
}

bool Port::waits(OpId& op) {
  const Instant deadline = ops_.find(op)->deadline;
  if (now_ < deadline) {
    wakeAt(deadline);
    return true;
  }
  abort(std::exchange(op, {}));
  return false;
}

void Port::noticeState(MigrationState state, ErrorCode error, NodeId node, std::string_view text) {
  Notice notice;
  notice.kind = NoticeKind::kState;
  notice.state = state;
  notice.error = error;
  notice.migration = bound_;
  notice.node = node;
  if (!text.empty()) {
    notice.payload = copyIn(text);  // without room: the error says enough
    if (notice.payload.buffer) noticeBuffers_.push_back(notice.payload.buffer);
  }
  notices_.push_back(notice);
}

void Port::noticeProgress(MigrationState state) {
  Notice notice;
  notice.kind = NoticeKind::kProgress;
  notice.state = state;
  notice.migration = bound_;
  notices_.push_back(notice);
}

void Port::noticeDifference(DifferenceKind kind, std::string_view key) {
  const BufferRef name = copyIn(key);
  if (!name.buffer) {
    // It is counted; a difference without its key would name the empty one.
    if (!std::exchange(saidNoRoom_, true)) noticeWarning(ErrorCode::kLimitExceeded, {});
    return;
  }
  Notice notice;
  notice.kind = NoticeKind::kDifference;
  notice.difference = kind;
  notice.migration = bound_;
  notice.payload = name;
  noticeBuffers_.push_back(notice.payload.buffer);
  notices_.push_back(notice);
}

void Port::noticeError(NoticeKind kind, ErrorCode error, NodeId node) {
  Notice notice;
  notice.kind = kind;
  notice.error = error;
  notice.migration = bound_;
  notice.node = node;
  notices_.push_back(notice);
}

void Port::noticeThrottle(NodeId node, uint64_t perSecond) {
  Notice notice;
  notice.kind = NoticeKind::kThrottleWriters;
  notice.migration = bound_;
  notice.node = node;
  notice.perSecond = perSecond;
  notices_.push_back(notice);
}

}  // namespace keyhaul
