// What a migration may ask for: the engine's side of the table, as seen from
// inside. Every request becomes an Action and is remembered until its one
// completion came.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/buffers.h"
#include "keyhaul/engine.h"
#include "schedule/token_bucket.h"

namespace keyhaul {

// Which part of a migration waits for an operation; the migration routes by it.
struct OpTag {
  uint8_t part = 0;    // MigrationPart
  uint16_t lane = 0;
};

struct Op {
  OpId id;
  ActionKind kind = ActionKind::kScan;
  MigrationId migration;
  OpTag tag;
  BufferId payload;  // released with the completion
  Instant deadline = kNever;
};

// Operations in flight, by id. A late, doubled or invented id finds nothing.
class OpTable {
 public:
  // Null when 65,535 are in flight.
  Op* open();
  Op* find(OpId id);
  void close(OpId id);
  uint32_t size() const { return live_; }

 private:
  struct Slot {
    Op op;
    uint32_t generation = 0;
    bool live = false;
  };
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
  uint32_t live_ = 0;
};

class Port {
 public:
  explicit Port(const Config& config);

  const Config& config() const { return config_; }
  Instant now() const { return now_; }
  Buffers& buffers() { return buffers_; }
  // Empty, to put a payload together in, for the next request.
  std::string& scratch() {
    scratch_.clear();
    return scratch_;
  }
  OpTable& ops() { return ops_; }
  TokenBucket& bucket() { return bucket_; }
  // When the bound migration may take more of the rate of all together. While one that cannot keep up
  // goes before others, those of a lower priority take what it leaves, and a quarter of the
  // time nobody goes before anybody.
  Instant readyAt();
  // The highest priority of those that go before others; 0: nobody does.
  void setAhead(uint8_t priority) { ahead_ = priority; }

  void setWallClock(Instant now, uint64_t unixMs) {
    wallAt_ = now;
    wallMs_ = unixMs;
  }
  // 0: nobody has said what time it is.
  uint64_t unixMs(Instant at) const {
    if (wallMs_ == 0) return 0;
    return at < wallAt_ ? wallMs_ - std::min(wallMs_ - 1, (wallAt_ - at).us / 1'000)
                        : wallMs_ + (at - wallAt_).us / 1'000;
  }

  // Binds the requests that follow to one migration.
  void beginStep(Instant now);
  // `merges`: its writes count only where they are newer, see mergesVersions().
  void bind(MigrationId migration, uint8_t priority, bool merges = false);

  OpId scan(NodeId node, OpTag tag, const KeyRange& range, uint32_t entries, uint64_t limitBytes,
            bool keep);
  // Takes no ownership of `frame`: the caller releases it after the completion.
  OpId apply(NodeId node, OpTag tag, const BufferRef& frame, uint32_t entries, bool durable,
             OpId reusesOp, bool guarded = false, uint64_t cleanUpEpoch = 0);
  OpId journal(OpTag tag, std::string_view bytes);
  OpId openFeed(NodeId node, OpTag tag, std::string_view after);
  OpId pollFeed(NodeId node, OpTag tag, std::string_view after, uint32_t entries,
                uint64_t limitBytes);
  OpId trimFeed(NodeId node, OpTag tag, std::string_view upto);
  OpId closeFeed(NodeId node, OpTag tag, std::string_view position);
  OpId estimate(NodeId node, OpTag tag);
  // `keys`: the payload of kRead, of `count` keys. `answerBytes`: about how many the entries have.
  OpId read(NodeId node, OpTag tag, std::string_view keys, size_t count, uint64_t answerBytes);
  OpId gate(NodeId node, OpTag tag, GateVerb verb, uint64_t epoch);
  OpId registerRead(OpTag tag);
  OpId registerSwap(OpTag tag, std::string_view document, uint64_t expectedVersion);
  // Writes of the bound migration carry it from here on.
  void setCoordEpoch(uint64_t coordEpoch) { coordEpoch_ = coordEpoch; }
  // Gives an operation up: asks the host to end it and forgets it.
  void abort(OpId id);
  // Whether it may still be waited for. One that is past its deadline is given up, and null then.
  bool waits(OpId& op);

  void noticeState(MigrationState state, ErrorCode error, NodeId node, std::string_view text);
  void noticeProgress(MigrationState state);
  void noticeDifference(DifferenceKind kind, std::string_view key);
  void noticeWarning(ErrorCode error, NodeId node) { noticeError(NoticeKind::kWarning, error, node); }
  void noticeRefused(ErrorCode error, NodeId owner) { noticeError(NoticeKind::kRefused, error, owner); }
  void noticeThrottle(NodeId node, uint64_t perSecond);

  // The bound migration wants to be looked at again at this time.
  void wakeAt(Instant at) {
    if (at < wake_) wake_ = at;
  }
  Instant takeWake();
  // Operations that there was no room to ask for: they fail with kLimitExceeded.
  std::vector<OpId> takeRefused() { return std::exchange(refused_, {}); }
  bool anyRefused() const { return !refused_.empty(); }

  const std::vector<Action>& actions() const { return actions_; }
  const std::vector<Notice>& notices() const { return notices_; }
  // Does nothing more fit into this Ready?
  bool full() const { return actions_.size() >= kActionsMax || notices_.size() >= kNoticesMax; }

 private:
  static constexpr size_t kActionsMax = 4'096;
  static constexpr size_t kNoticesMax = 16'384;

  Op& open(ActionKind kind, OpTag tag, uint64_t workBytes);
  Action& emit(const Op& op, NodeId node);
  struct Limits {
    uint32_t entries = 0;
    uint64_t bytes = 0;
    bool keep = false;
    GateVerb verb = GateVerb::kPrepare;
    uint64_t epoch = 0;
    uint64_t answerBytes = 0;  // may come back: for the deadline, the host is not told
  };
  void noticeError(NoticeKind kind, ErrorCode error, NodeId node);
  // Null when there is no room.
  BufferRef copyIn(std::string_view bytes);
  OpId request(ActionKind kind, NodeId node, OpTag tag, std::string_view payload,
               const Limits& limits);
  OpId request(ActionKind kind, NodeId node, OpTag tag, std::string_view payload) {
    return request(kind, node, tag, payload, {});
  }

  Config config_;
  Instant wallAt_{0};
  uint64_t wallMs_ = 0;
  Buffers buffers_;
  OpTable ops_;
  TokenBucket bucket_;
  std::vector<Action> actions_;
  std::vector<Notice> notices_;
  std::vector<OpId> refused_;
  bool saidNoRoom_ = false;              // in this step
  std::vector<BufferId> noticeBuffers_;  // live until the next step
  std::string scratch_;                  // kept for its memory
  Instant now_;
  Instant wake_ = kNever;
  MigrationId bound_;
  uint8_t priority_ = 0, ahead_ = 0;
  bool merges_ = false;
  uint64_t coordEpoch_ = 0;
};

}  // namespace keyhaul
