// Judges nothing: remembers how long the only job of a rehearsal takes.
#pragma once

#include <algorithm>

#include "mover.h"
#include "oracle.h"
#include "store.h"
#include "world.h"

namespace keyhaul::sim {

class Forecaster : public Oracle {
 public:
  using Oracle::Oracle;
  std::string_view name() const override { return "forecaster"; }

  void onBegun(const Job&, const JournalImage* image) override {
    if (image == nullptr) beganUs_ = world_.nowUs();
  }
  void onState(const Job&, MigrationState from, MigrationState to) override {
    if (to == MigrationState::kCopying) copyingUs_ = world_.nowUs();
    if (from == MigrationState::kCopying) copyUs_ += world_.nowUs() - copyingUs_;
    if (fencedUs_ != 0 && (from == MigrationState::kActivating || from == MigrationState::kUnfencing)) {
      pauseUs_ = std::max(pauseUs_, world_.nowUs() - fencedUs_);
      fencedUs_ = 0;
    }
    endedUs_ = world_.nowUs();
  }
  // The record of it is awaited before.
  void onAction(const Job&, const Action& action) override {
    const bool fences = action.kind == ActionKind::kGate && action.verb == GateVerb::kFence;
    if (fences && fencedUs_ == 0) fencedUs_ = world_.nowUs();
  }
  void onCompleted(const Job& job, ActionKind kind, const Event& event) override {
    const bool ends = kind == ActionKind::kPollFeed && event.end;
    if (ends && job.state == MigrationState::kApproaching) ++rounds_;
    if (kind != ActionKind::kPollFeed || !job.live) return;
    const StoreNode& source = world_.store(job.source);
    const uint64_t known = source.log().changes().size();
    seen_ += event.count;
    lagChanges_ = std::max(lagChanges_, known - std::min(known, seen_));
  }

  // Of one that does not end: for how long it was watched.
  uint64_t durationUs() const {
    const bool ended = world_.job(0).ended();
    return (ended ? endedUs_ : world_.nowUs()) - beganUs_;
  }
  uint64_t copyUs() const { return copyUs_; }
  // The longest, of an attempt that was given up too.
  uint64_t pauseUs() const { return pauseUs_; }
  uint64_t rounds() const { return rounds_; }
  uint64_t lagChanges() const { return lagChanges_; }

 private:
  uint64_t beganUs_ = 0, copyingUs_ = 0, copyUs_ = 0, endedUs_ = 0;
  uint64_t fencedUs_ = 0, pauseUs_ = 0;
  uint64_t rounds_ = 0, seen_ = 0, lagChanges_ = 0;
};

}  // namespace keyhaul::sim
