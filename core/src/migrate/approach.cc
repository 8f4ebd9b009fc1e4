#include "migrate/approach.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace keyhaul {
namespace {

// Rounds that a migration may need to get under its budget; each is as long as a pause would be.
constexpr uint32_t kRoundsMax = 60;
// Rounds for which keys may stay different, without a change that explains it, before a fence
// is the way to find out.
constexpr uint32_t kSuspectRoundsMax = 5;
constexpr Duration kFollowEvery = milliseconds(50);
// So few take no longer than one.
constexpr uint64_t kFewKeys = 16;

}  // namespace

void ApproachPhase::start(const std::string& position, KeyList suspects, bool follow,
                          bool hurry, Duration budget, uint32_t calls) {
  hurry_ = hurry;
  feed_.start(position, hurry_);
  last_ = false;
  follow_ = follow;
  patient_ = false;
  found_ = std::move(suspects);
  suspects_.clear();
  different_.clear();
  budget_ = budget;
  calls_ = calls;
  rounds_ = suspectRounds_ = 0;
  forecast_.forgetRounds();
  roundUs_ = compared_ = fed_ = 0;
  roundBegan_ = kNever;
  step_ = Step::kFeed;  // what may explain the suspects
}

void ApproachPhase::startLast(const std::string& position) {
  last_ = true;
  follow_ = false;
  different_.clear();
  feed_.start(position, true);
  step_ = Step::kFeed;
}

uint64_t ApproachPhase::forecastUs() const {
  // Behind the fence come those changes that are written until it stands, and all are compared.
  const uint64_t fenceUs = std::min(forecast_.slowestCallUs(), roundUs_);
  const uint64_t late = roundUs_ == 0 ? fed_ : fed_ * fenceUs / roundUs_;
  return forecast_.us(calls_, waiting() + 2 * late);
}

void ApproachPhase::startRecheck(Port& port) {
  roundBegan_ = port.now();
  recheckBegun_ = true;
  compared_ = waiting();
  fedBefore_ = shared_.totals.feedChanges;
  answers_ = 0;
  // What differs stays stale by itself. The first look after everything was compared may be nearly as
  // long as that, and is held back like it.
  if (looks()) {
    suspects_.clear();
    return look_.start(last_ || (hurry_ && rounds_ > 1));
  }
  recheck_.start(suspects_, hurry_ || last_);
  suspects_.clear();
}

Result<bool> ApproachPhase::pumpRecheck(Port& port, KeyList& found) {
  const Status s = looks() ? look_.pump(port) : recheck_.pump(port);
  if (!s.ok()) return s.code();
  if (looks() ? !look_.done() : !recheck_.done()) return false;
  found = lastLook().keys;
  return true;
}

void ApproachPhase::startFeed() {
  step_ = Step::kFeed;
  feed_.start(feed_.position(), hurry_);
}

Status ApproachPhase::pump(Port& port) {
  for (;;) {
    switch (step_) {
      case Step::kWait:
        if (port.now() < waitUntil_ && (follow_ || patient_)) {
          port.wakeAt(waitUntil_);
          return {};
        }
        step_ = Step::kRecheck;
        recheckBegun_ = false;
        break;
      case Step::kRecheck:
        if (!recheckBegun_) startRecheck(port);
        if (Result<bool> s = pumpRecheck(port, last_ ? different_ : found_); !s.ok() || !s.value()) {
          return s.status();
        }
        if (last_) {
          step_ = Step::kDone;
          return {};
        }
        startFeed();
        break;
      case Step::kFeed:
        if (Status s = feed_.pump(port); !s.ok()) return s;
        if (!feed_.done()) return {};
        if (shared_.changed.overflowed()) return ErrorCode::kLimitExceeded;
        if (last_) {
          step_ = Step::kRecheck;
          startRecheck(port);
          break;
        }
        if (Status s = endRound(port); !s.ok()) return s;
        break;
      case Step::kDone: return {};
    }
  }
}

Status ApproachPhase::endRound(Port& port) {
  ++rounds_;
  // The first applies what gathered while everything was compared, and compares nothing.
  if (!(roundBegan_ == kNever)) {
    roundUs_ = (port.now() - roundBegan_).us;
    fed_ = shared_.totals.feedChanges - fedBefore_;
    forecast_.addRound(roundUs_, compared_ + fed_, answers_);
  }
  // A feed may name a change some time after a read has seen it, while an older write is still
  // under way. Only behind the fence is it known which keys differ for no reason.
  suspects_.clear();
  for (size_t i = 0; i < found_.size(); ++i) {
    if (!shared_.hasChanged(found_[i])) suspects_.add(found_[i]);
  }
  suspectRounds_ = suspects_.empty() ? 0 : suspectRounds_ + 1;
  const bool settled = suspectRounds_ == 0 || suspectRounds_ >= kSuspectRoundsMax;
  // Another round now costs its time once, and each writer in the pause half of what it has to do.
  const bool shortens = rounds_ < kRoundsMax / 2 && waiting() > kFewKeys && 2 * waiting() < compared_ + fed_;
  if (!follow_ && rounds_ >= 2 && settled && !shortens && forecastUs() <= budget_.us) {
    step_ = Step::kDone;
    return {};
  }
  if (!follow_ && rounds_ >= kRoundsMax) return ErrorCode::kNotConverging;
  step_ = Step::kWait;
  // Whoever waits between rounds comes back to more than a pause would have; the short one after it does not wait.
  waitUntil_ = shortens && !follow_ ? port.now() : port.now() + kFollowEvery;
  return {};
}

Status ApproachPhase::onEvent(Port& port, OpTag tag, const Event& event) {
  ++answers_;
  const auto part = static_cast<MigrationPart>(tag.part);
  const bool reads = part == MigrationPart::kSource || part == MigrationPart::kTarget;
  if (!reads) return feed_.onEvent(port, tag, event);
  return looks() ? look_.onEvent(port, tag, event) : recheck_.onEvent(port, tag, event);
}

void ApproachPhase::stop(Port& port) {
  recheck_.stop(port);
  look_.stop(port);
  step_ = Step::kDone;
}

}  // namespace keyhaul
