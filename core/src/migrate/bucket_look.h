// Reads the buckets again that a change made stale, or that differ: both sides, a few at a time. The
// target stands still meanwhile, and no feed is followed.
#pragma once

#include <array>
#include <vector>

#include "migrate/compare.h"
#include "migrate/shared.h"

namespace keyhaul {

class BucketLook {
 public:
  explicit BucketLook(Shared& shared)
      : shared_(shared),
        lanes_{ComparePhase(shared, 0), ComparePhase(shared, 1), ComparePhase(shared, 2),
               ComparePhase(shared, 3)} {}

  // `hurry`: no rate holds it back.
  void start(bool hurry);
  Status pump(Port& port);
  Status onEvent(Port& port, OpTag tag, const Event& event);
  bool done() const { return !open_; }
  const DifferentKeys& different() const { return different_; }
  NodeId blamed() const { return blamed_; }
  void stop(Port& port);

 private:
  static constexpr size_t kLanes = 4;
  void finish();

  Shared& shared_;
  std::array<ComparePhase, kLanes> lanes_;
  std::array<BucketFill, kLanes> fills_;
  DifferentKeys different_;
  bool open_ = false;
  NodeId blamed_;
};

}  // namespace keyhaul
