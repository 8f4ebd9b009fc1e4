// What a live migration shows of itself: how far it is, and what it waits for and why.
#include <algorithm>

#include "migrate/live_migration.h"

namespace keyhaul {
namespace {

std::string number(uint64_t value) { return std::to_string(value); }

// Milliseconds; tenths where they matter.
std::string ms(Duration d) {
  if (d.us >= 10'000) return number((d.us + 500) / 1000) + " ms";
  return number(d.us / 1000) + '.' + number(d.us % 1000 / 100) + " ms";
}

}  // namespace

std::string_view waitName(WaitsFor waits) {
  switch (waits) {
    case WaitsFor::kNothing: return "nothing";
    case WaitsFor::kSlot: return "slot";
    case WaitsFor::kUnpause: return "unpause";
    case WaitsFor::kJournal: return "journal";
    case WaitsFor::kRegister: return "register";
    case WaitsFor::kSourceGate: return "sourceGate";
    case WaitsFor::kTargetGate: return "targetGate";
    case WaitsFor::kWritesInFlight: return "writesInFlight";
    case WaitsFor::kShorterPause: return "shorterPause";
    case WaitsFor::kExplanation: return "explanation";
    case WaitsFor::kFinish: return "finish";
    case WaitsFor::kReverse: return "reverse";
  }
  return "nothing";
}

WaitsFor LiveMigration::waitsFor() const {
  const LiveRow row = liveRow(state_);
  if (state_ == MigrationState::kPending || JobBase::rests()) return WaitsFor::kSlot;
  if (paused_ && row.stage == LiveStage::kBefore) return WaitsFor::kUnpause;
  if (concluding_ != MigrationState::kPending) {
    return shared_.journal.flushed() ? WaitsFor::kNothing : WaitsFor::kJournal;
  }
  if (row.awaitsRecord && !partStarted_ && !shared_.journal.flushed()) return WaitsFor::kJournal;
  switch (row.part) {
    case Part::kRegister: return WaitsFor::kRegister;
    case Part::kGate:
      if (targetGate_.done() && !register_.done()) return WaitsFor::kRegister;
      if (sourceGate_.done()) return WaitsFor::kTargetGate;
      if (state_ != MigrationState::kFencing || sourceGate_.failures() > 0) {
        return WaitsFor::kSourceGate;
      }
      return WaitsFor::kWritesInFlight;
    case Part::kApproach:
      if (state_ == MigrationState::kReversible && reverseAsked_ && !hasSlot_) return WaitsFor::kSlot;
      if (state_ == MigrationState::kReversible) return WaitsFor::kReverse;
      if (state_ != MigrationState::kApproaching || approach_.done()) return WaitsFor::kNothing;
      if (approach_.follows()) {
        return approach_.rounds() > 0 ? WaitsFor::kFinish : WaitsFor::kNothing;
      }
      if (approach_.overBudget()) return WaitsFor::kShorterPause;
      return approach_.suspects() ? WaitsFor::kExplanation : WaitsFor::kNothing;
    case Part::kNone:
    case Part::kPrepare:
    case Part::kCopy:
    case Part::kFeed:
    case Part::kCompare:
    case Part::kDiscard:
    case Part::kLeafCheck: break;
  }
  return WaitsFor::kNothing;
}

std::string LiveMigration::waitText(const LiveView& view) const {
  const std::string& serving = shared_.turned ? spec().target : spec().source;
  const std::string& filled = shared_.turned ? spec().source : spec().target;
  const auto failed = [&view](std::string what) {
    if (view.failures == 0) return what;
    return what + ", which failed " + number(view.failures) + (view.failures == 1 ? " time" : " times");
  };
  switch (view.waitsFor) {
    case WaitsFor::kNothing: return {};
    case WaitsFor::kSlot: return "waits for a slot";
    case WaitsFor::kUnpause: return "is paused";
    case WaitsFor::kJournal: return "waits for the journal";
    case WaitsFor::kRegister: {
      std::string text = failed("waits for the register");
      // Whoever asks why writers are refused has to find it here.
      const bool open = state_ == MigrationState::kDeciding && view.failures > 0;
      return open ? text + "; nobody knows whether it has decided, so the range stays fenced" : text;
    }
    case WaitsFor::kSourceGate: return failed("waits for the gate of " + serving);
    case WaitsFor::kTargetGate: return failed("waits for the gate of " + filled);
    case WaitsFor::kWritesInFlight: return "waits for writes in flight on " + serving;
    case WaitsFor::kShorterPause:
      return "waits for a pause that fits: forecast " + ms(view.forecast) + ", budget " +
             ms(view.budget);
    case WaitsFor::kExplanation:
      return "waits for the feed to explain keys that differ";
    case WaitsFor::kFinish: return "follows until it is told to finish";
    case WaitsFor::kReverse:
      return serving + " serves; for " + number((view.reverseLeft.us + 999'999) / 1'000'000) +
             " s more it can be reversed";
  }
  return {};
}

MigrationView LiveMigration::view(Instant now) const {
  MigrationView view = viewSoFar();
  if (view.totalBytes > view.bytes) view.eta = rate_.eta(view.totalBytes - view.bytes);
  view.caughtUp = state_ == MigrationState::kApproaching && approach_.rounds() > 0;
  view.differences = shared_.totals.differences();
  LiveView live;
  live.waitsFor = waitsFor();
  live.failures = std::max({register_.failures(), sourceGate_.failures(), targetGate_.failures()});
  live.lagChanges = feed_.lag();
  live.toCompare = shared_.buckets.known() ? shared_.buckets.staleCount()
                                           : shared_.changed.size() + approach_.toCompare();
  if (approach_.hasForecast()) live.forecast = Duration{approach_.forecastUs()};
  live.budget = milliseconds(spec().pauseBudgetMs);
  const LiveStage stage = liveRow(state_).stage;
  const bool refused = stage == LiveStage::kFenced || state_ == MigrationState::kDeciding ||
                       state_ == MigrationState::kActivating ||
                       state_ == MigrationState::kPostponing;
  if (refused && fencedAt_.us != 0) live.paused = now - fencedAt_;
  live.postponed = shared_.totals.postponed;
  live.ahead = isAhead();
  live.turned = shared_.turned;
  if (state_ == MigrationState::kReversible && now < windowEnds_) live.reverseLeft = windowEnds_ - now;
  live.text = waitText(live);
  if (live.ahead) {
    live.text += live.text.empty() ? "" : "; ";
    live.text += "cannot keep up with the writers, so it goes before other migrations";
    if (throttled_) live.text += ", and writers are asked for less";
  }
  view.live = std::move(live);
  return view;
}

}  // namespace keyhaul
