#include "migrate/scanner.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace keyhaul {

Duration retryDelay(const Config& config, uint32_t failures) {
  uint64_t us = config.retryFirst.us;
  for (uint32_t i = 1; i < failures && us < config.retryMax.us; ++i) us *= 2;
  return {std::min(us, config.retryMax.us)};
}

void Scanner::start(NodeId node, OpTag tag, const KeyRange& range, const Limits& limits,
                    TokenBucket* migrationBucket) {
  KH_ASSERT(!active_ && !op_ && pages_.empty());
  node_ = node;
  tag_ = tag;
  rest_ = range;  // in the memory that it has
  limits_ = limits;
  bucket_ = migrationBucket;
  ended_ = consumedEnd_ = false;
  active_ = true;
  failures_ = 0;
  retryAt_ = {0};
  sequence_ = 0;
}

Status Scanner::pump(Port& port) {
  if (!active_) return {};
  if (op_) {
    const Op* op = port.ops().find(op_);
    KH_ASSERT(op != nullptr);
    if (op->deadline <= port.now()) {
      port.abort(op_);
      op_ = {};
      if (Status s = failed(port, ErrorCode::kStoreStalled); !s.ok()) return s;
    } else {
      port.wakeAt(op->deadline);
      return {};
    }
  }
  const size_t held = pages_.size();
  if (ended_ || (held >= 2 && (held >= limits_.windowPages || areEnough()))) return {};
  Instant ready = retryAt_;
  if (limits_.throttled && !limits_.hurry) {
    const Instant shared = port.readyAt();
    if (ready < shared) ready = shared;
    if (bucket_ != nullptr) {
      const Instant own = bucket_->readyAt(port.now());
      if (ready < own) ready = own;
    }
  }
  if (port.now() < ready) {
    port.wakeAt(ready);
    return {};
  }
  op_ = port.scan(node_, tag_, rest_, limits_.entries, limits_.bytes, limits_.keep);
  port.wakeAt(port.ops().find(op_)->deadline);
  return {};
}

Status Scanner::failed(Port& port, ErrorCode error) {
  const RetryClass retry = retryClass(error);
  if (retry != RetryClass::kRetryable || ++failures_ > port.config().retriesMax) return error;
  ++retries_;
  retryAt_ = port.now() + retryDelay(port.config(), failures_);
  port.noticeWarning(error, node_);
  return {};
}

Status Scanner::onEvent(Port& port, const Event& event) {
  KH_ASSERT(owns(event.op));
  op_ = {};
  if (event.kind == EventKind::kPage) return accept(port, event);
  port.buffers().release(event.payload.buffer);
  return failed(port, event.kind == EventKind::kFailed ? event.error : ErrorCode::kStoreFailed);
}

Status Scanner::accept(Port& port, const Event& event) {
  const BufferRef frame{event.payload.buffer, 0, event.payload.bytes};
  const std::span<std::byte> bytes = port.buffers().bytes(frame);
  Result<FrameView> body = viewBody(bytes, event.count);
  Status status = body.status();
  Page page;
  PageSums sums;
  if (status.ok()) {
    status = passOver(body.value(), bytes.subspan(kFrameHeaderBytes),
                      {&rest_, limits_.entries, limits_.bytes, limits_.entryBytesMax},
                      limits_.checksumKind, limits_.hasher, sums);
  }
  if (status.ok() && event.count == 0 && !event.end) status = ErrorCode::kScanNoEnd;
  if (!status.ok()) {
    port.buffers().release(event.payload.buffer);
    return status;
  }
  FrameHeader header = body->header();
  header.checksumKind = limits_.checksumKind;
  header.sequence = sequence_++;
  header.flags = event.end ? kFrameFlagEnd : uint8_t{0};
  header.bodyChecksum = sums.checksum;
  sealHeader(bytes, header);
  if (limits_.throttled) {
    port.bucket().take(body->dataBytes(), port.now());
    if (bucket_ != nullptr) bucket_->take(body->dataBytes(), port.now());
  }
  failures_ = 0;
  ended_ = event.end;
  if (event.count == 0) {
    port.buffers().release(event.payload.buffer);
    // END came late: it belongs to the page before, so that a consumer always
    // sees END together with the last entries.
    if (!pages_.empty()) {
      pages_.back().end = true;
      return {};
    }
    page.end = true;
    pages_.push_back(std::move(page));
    return {};
  }
  page.lastKey = sums.lastKey;
  page.digest = sums.digest;
  rest_.lo.assign(page.lastKey);  // its successor, in the memory that it has
  rest_.lo.push_back('\0');
  if (rest_.empty()) ended_ = true;
  page.buffer = frame;
  page.view = body.value();
  page.op = event.op;
  page.end = ended_;
  pages_.push_back(std::move(page));
  return {};
}

bool Scanner::areEnough() const {
  return pages_.size() >= kLargePagesMost && pages_.back().buffer.bytes >= kLargePageBytes;
}

Page* Scanner::front() {
  if (pages_.empty()) return nullptr;
  if (!pages_.front().end && pages_.size() < 2) return nullptr;
  return &pages_.front();
}

void Scanner::pop(Port& port) {
  KH_ASSERT(!pages_.empty());
  consumedEnd_ = pages_.front().end;
  port.buffers().release(pages_.front().buffer.buffer);
  pages_.erase(pages_.begin());
}

void Scanner::stop(Port& port) {
  if (op_) port.abort(op_);
  op_ = {};
  while (!pages_.empty()) pop(port);
  active_ = false;
}

}  // namespace keyhaul
