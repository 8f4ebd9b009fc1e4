#include "migrate/recheck.h"

#include <utility>

#include "base/assert.h"
#include "base/bytes.h"
#include "migrate/scanner.h"

namespace keyhaul {
namespace {

constexpr size_t kBatchKeys = 1'000;

DifferenceKind kindOf(bool onSource, bool onTarget) {
  if (!onTarget) return DifferenceKind::kMissing;
  return onSource ? DifferenceKind::kChanged : DifferenceKind::kExtra;
}

}  // namespace

void RecheckPhase::start(const KeyList& suspects, bool hurry) {
  KH_ASSERT(done());
  hurry_ = hurry;
  shared_.changed.take(suspects, kUnknownBytes, keys_);
  next_ = 0;
  different_.clear();
  source_ = {};
  source_.node = shared_.source;
  target_ = {};
  target_.node = shared_.target;
  target_.part = MigrationPart::kTarget;
}

bool RecheckPhase::waitsForRate(Port& port) const {
  if (hurry_) return false;
  const Instant ready = shared_.readyAt(port);
  if (!(port.now() < ready)) return false;
  port.wakeAt(ready);
  return true;
}

// As many keys as a page may have bytes, and one at least.
size_t RecheckPhase::batch() const {
  uint64_t bytes = 0;
  size_t count = 0;
  while (next_ + count < keys_.size() && count < kBatchKeys) {
    bytes += keys_[next_ + count].key().size() + keys_[next_ + count].mapped();
    if (count > 0 && bytes > shared_.spec().pageBytes) break;
    ++count;
  }
  return count;
}

Status RecheckPhase::pump(Port& port) {
  while (!done()) {
    if (asked_ == 0) {
      if (waitsForRate(port)) return {};
      asked_ = batch();
      source_.answered = target_.answered = false;
    }
    if (Status s = pumpSide(port, source_); !s.ok()) return s;
    if (Status s = pumpSide(port, target_); !s.ok()) return s;
    if (!source_.answered || !target_.answered) return {};
    compare(port);
  }
  shared_.changed.giveBack(keys_);
  return {};
}

Status RecheckPhase::pumpSide(Port& port, Side& side) {
  blamed_ = side.node;
  if (side.answered) return {};
  if (side.op) {
    if (port.waits(side.op)) return {};
    return retry(port, side, ErrorCode::kStoreStalled);
  }
  if (port.now() < side.retryAt) {
    port.wakeAt(side.retryAt);
    return {};
  }
  std::string& payload = port.scratch();
  uint64_t answerBytes = 0;
  for (size_t i = next_; i < next_ + asked_; ++i) {
    const Key& key = keys_[i].key();
    char length[4];
    storeLe(length, static_cast<uint32_t>(key.size()));
    payload.append(length, sizeof length).append(key);
    answerBytes += keys_[i].mapped();
  }
  side.op = port.read(side.node, tagOf(side.part), payload, asked_, answerBytes);
  port.wakeAt(port.ops().find(side.op)->deadline);
  return {};
}

Status RecheckPhase::retry(Port& port, Side& side, ErrorCode error) {
  if (retryClass(error) != RetryClass::kRetryable || ++side.failures > port.config().retriesMax) {
    return error;
  }
  ++shared_.totals.retries;
  side.retryAt = port.now() + retryDelay(port.config(), side.failures);
  port.noticeWarning(error, side.node);
  port.wakeAt(side.retryAt);
  return {};
}

Status RecheckPhase::onEvent(Port& port, OpTag tag, const Event& event) {
  const bool source = tag.part == static_cast<uint8_t>(MigrationPart::kSource);
  Side& side = source ? source_ : target_;
  KH_ASSERT(event.op == side.op);
  blamed_ = side.node;
  side.op = {};
  if (event.kind == EventKind::kPage) return accept(port, side, event);
  port.buffers().release(event.payload.buffer);
  return retry(port, side, event.kind == EventKind::kFailed ? event.error : ErrorCode::kStoreFailed);
}

// The entries that are there, in the order of the keys asked for.
Status RecheckPhase::accept(Port& port, Side& side, const Event& event) {
  Result<FrameView> view = viewBody(port.buffers().bytes(event.payload), event.count);
  if (!view.ok()) {
    port.buffers().release(event.payload.buffer);
    return view.status();
  }
  auto wanted = keys_.begin() + static_cast<std::ptrdiff_t>(next_);
  const auto end = wanted + static_cast<std::ptrdiff_t>(asked_);
  for (const EntryView entry : view.value()) {
    while (wanted != end && wanted->key() < entry.key) ++wanted;
    if (wanted == end || wanted->key() != entry.key) {
      port.buffers().release(event.payload.buffer);
      return ErrorCode::kScanOutOfRange;
    }
    ++wanted;
  }
  if (!hurry_) shared_.pay(port, view->dataBytes());
  side.failures = 0;
  side.answered = true;
  side.buffer = event.payload;
  side.view = std::move(view).value();
  return {};
}

void RecheckPhase::compare(Port& port) {
  auto source = source_.view.begin(), target = target_.view.begin();
  const auto sourceEnd = source_.view.end(), targetEnd = target_.view.end();
  for (size_t i = next_; i < next_ + asked_; ++i) {
    const KeyView key = keys_[i].key();
    const bool onSource = source != sourceEnd && (*source).key == key;
    const bool onTarget = target != targetEnd && (*target).key == key;
    const bool equal = onSource == onTarget && (!onSource || (*source).value == (*target).value);
    if (!equal) different_.add(key, kindOf(onSource, onTarget));
    if (onSource) ++source;
    if (onTarget) ++target;
  }
  shared_.totals.rechecked += asked_;
  next_ += std::exchange(asked_, 0);
  port.buffers().release(std::exchange(source_.buffer, {}).buffer);
  port.buffers().release(std::exchange(target_.buffer, {}).buffer);
}

void RecheckPhase::stop(Port& port) {
  for (Side* side : {&source_, &target_}) {
    if (side->op) port.abort(std::exchange(side->op, {}));
    if (side->buffer.buffer) port.buffers().release(std::exchange(side->buffer, {}).buffer);
    side->answered = false;
  }
  next_ = asked_ = 0;
  shared_.changed.giveBack(keys_);
}

}  // namespace keyhaul
