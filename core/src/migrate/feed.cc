#include "migrate/feed.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/bytes.h"
#include "migrate/live_factory.h"

namespace keyhaul {
namespace {

constexpr uint32_t kPositionBytesMax = 256;
// How often to look again when nothing was waiting. Following is for humans and
// deploy scripts, so a twentieth of a second of lag is small beside their steps.
constexpr Duration kFollowEvery = milliseconds(50);
// How often to journal how far it is, and to let the source forget what was applied: a crash
// costs so much work at most, and a follower of days leaves a journal of megabytes.
constexpr Duration kRecordEvery = seconds(1);

}  // namespace

void FeedPhase::start(const std::string& position, bool hurry) {
  KH_ASSERT(idle());
  hurry_ = hurry;
  writer_.start(shared_.target, tagOf(MigrationPart::kWrite));
  // One that goes on where it is has applied what no record tells of yet.
  if (position != position_) recorded_.position = position;
  position_ = position;
  if (trimmed_.empty()) trimmed_ = position_;
  caughtUp_ = false;
  trend_.reset();
  failures_ = 0;
  pollAt_ = {0};
}

Status FeedPhase::pump(Port& port) {
  pumpTrim(port);
  if (!writer_.idle()) {
    blamed_ = shared_.target;
    return writer_.pump(port);
  }
  blamed_ = shared_.source;
  if (poll_) {
    if (port.waits(poll_)) return {};
    if (Status s = retry(port, ErrorCode::kStoreStalled); !s.ok()) return s;
  }
  if (trend_.hopeless()) {
    // Who follows does not wait for the end yet, and a burst of writes may pass.
    if (!follow_) return ErrorCode::kNotConverging;
    port.noticeWarning(ErrorCode::kNotConverging, shared_.source);
    trend_.reset();
  }
  if (done()) return {};
  const Instant ready = hurry_ ? pollAt_ : std::max(pollAt_, shared_.readyAt(port));
  if (port.now() < ready) {
    port.wakeAt(ready);
    return {};
  }
  poll_ = port.pollFeed(shared_.source, tagOf(MigrationPart::kFeed), position_,
                        shared_.spec().pageEntries, shared_.spec().pageBytes);
  port.wakeAt(port.ops().find(poll_)->deadline);
  return {};
}

Status FeedPhase::retry(Port& port, ErrorCode error) {
  if (retryClass(error) != RetryClass::kRetryable || ++failures_ > port.config().retriesMax) {
    return error;
  }
  ++shared_.totals.retries;
  pollAt_ = port.now() + retryDelay(port.config(), failures_);
  port.noticeWarning(error, shared_.source);
  return {};
}

Status FeedPhase::onEvent(Port& port, OpTag tag, const Event& event) {
  if (tag.part == static_cast<uint8_t>(MigrationPart::kFeed)) {
    if (event.op == trim_) {
      trim_ = {};
      port.buffers().release(event.payload.buffer);
      if (event.kind == EventKind::kFailed) port.noticeWarning(event.error, shared_.source);
      return {};
    }
    KH_ASSERT(event.op == poll_);
    poll_ = {};
    blamed_ = shared_.source;
    if (event.kind == EventKind::kPage) return onPoll(port, event);
    port.buffers().release(event.payload.buffer);
    return retry(port, event.kind == EventKind::kFailed ? event.error : ErrorCode::kStoreFailed);
  }
  bool finished = false;
  blamed_ = shared_.target;
  if (Status s = writer_.onEvent(port, event, finished); !s.ok()) return s;
  if (finished) applied(port);
  return {};
}

Status FeedPhase::onPoll(Port& port, const Event& event) {
  const std::span<std::byte> all = port.buffers().bytes(event.payload);
  const bool sane = event.positionBytes <= kPositionBytesMax && event.positionBytes > 0 &&
                    all.size() >= uint64_t{kFrameHeaderBytes} + event.positionBytes;
  Result<FrameView> body(ErrorCode::kFrameCorrupt);
  if (sane) body = viewBody(all.first(all.size() - event.positionBytes), event.count);
  if (!body.ok()) {
    port.buffers().release(event.payload.buffer);
    return body.status();
  }
  nextPosition_ = asView(all.last(event.positionBytes));
  nextCaughtUp_ = event.end && !std::exchange(early_, false);
  failures_ = 0;
  batch_ = body->size();
  batchBytes_ = body->dataBytes();
  waiting_ = event.end ? 0 : event.bytes;
  pollAt_ = nextCaughtUp_ ? port.now() + kFollowEvery : Instant{0};
  if (hasLiveMigrations() && shared_.notesChanges()) {
    for (const EntryView entry : body.value()) shared_.noteChange(entry.key, entry.value.size());
  }
  if (batch_ == 0) {
    port.buffers().release(event.payload.buffer);
    if (!event.end && nextPosition_ == position_) return ErrorCode::kScanNoEnd;
    position_ = nextPosition_;
    caughtUp_ = nextCaughtUp_;
    return {};
  }
  if (!shared_.differing.empty()) explain(body.value());
  shared_.pay(port, batchBytes_);
  const auto frameEnd = static_cast<uint32_t>(all.size() - event.positionBytes);
  const BufferRef frame{event.payload.buffer, 0, frameEnd};
  FrameHeader header = body->header();
  header.checksumKind = shared_.spec().checksumKind;
  sealFrame(port.buffers().bytes(frame), header);
  writer_.writeOwned(port, frame, event.count, true);
  return {};
}

// What differed and was written since is no fault of the copy's.
void FeedPhase::explain(const FrameView& body) {
  std::vector<uint64_t>& keys = shared_.differing;
  for (const EntryView entry : body) {
    const uint64_t key = shared_.hasher.hash(entry.key, {}).lo;
    const auto at = std::lower_bound(keys.begin(), keys.end(), key);
    if (at != keys.end() && *at == key) keys.erase(at);
  }
}

void FeedPhase::applied(Port& port) {
  position_ = nextPosition_;
  caughtUp_ = nextCaughtUp_;
  shared_.totals.feedChanges += batch_;
  shared_.addWork(batch_, batchBytes_);
  unrecorded_ += batch_;
  trend_.update(port.now(), shared_.totals.feedChanges, waiting_);
  if (caughtUp_) {
    trend_.reset();
  } else if (waiting_ == 0 && gathered_.us != UINT64_MAX) {
    trend_.updateUnknown(port.now(), shared_.totals.feedChanges, gathered_.us);
  }
}

void FeedPhase::record() {
  if (position_ == recorded_.position) return;
  recorded_.position = position_;
  recorded_.changes = std::exchange(unrecorded_, 0);
  shared_.journal.add(recorded_);
  recordSeq_ = shared_.journal.added();
}

// What is trimmed can never be read again, so the record that it was applied is on disk first.
void FeedPhase::pumpTrim(Port& port) {
  if (idle() && !(port.now() < recordAt_)) {
    recordAt_ = port.now() + kRecordEvery;
    record();
  }
  if (trim_) {
    const Instant deadline = port.ops().find(trim_)->deadline;
    if (port.now() < deadline) return port.wakeAt(deadline);
    port.abort(std::exchange(trim_, {}));
    port.noticeWarning(ErrorCode::kStoreStalled, shared_.source);
  }
  const bool durable = shared_.journal.durable() >= recordSeq_;
  if (recorded_.position == trimmed_ || !durable) return;
  trim_ = port.trimFeed(shared_.source, tagOf(MigrationPart::kFeed), recorded_.position);
  trimmed_ = recorded_.position;
}

void FeedPhase::stop(Port& port) {
  writer_.stop(port);
  stopPolling(port);
  record();
}

void FeedPhase::stopPolling(Port& port) {
  if (poll_) port.abort(std::exchange(poll_, {}));
  if (trim_) port.abort(std::exchange(trim_, {}));
}

}  // namespace keyhaul
