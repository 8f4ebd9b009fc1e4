// Verification by digest: reads the target back and compares each part with the
// digest taken when the source was read. Parts that disagree are handed to a
// comparison of both sides, which names the keys; the others need no second look.
#pragma once

#include <vector>

#include "migrate/shared.h"
#include "migrate/suspect.h"

namespace keyhaul {

class LeafCheck {
 public:
  explicit LeafCheck(Shared& shared) : shared_(shared) {}

  void start();
  Status pump(Port& port);
  Status onEvent(Port& port, const Event& event) { return target_.onEvent(port, event); }
  bool done() const { return range_ >= shared_.ranges.size(); }
  void stop(Port& port) { target_.stop(port); }

  const std::vector<Suspect>& suspects() const { return suspects_; }
  const Digest& source() const { return sourceSum_; }
  const Digest& target() const { return targetSum_; }

 private:
  void openRange();
  void closeLeaf();
  void closeRange(Port& port);

  Shared& shared_;
  Scanner target_;
  uint32_t range_ = 0;
  bool open_ = false;
  size_t leaf_ = 0;
  Key leafLo_;
  Digest read_;  // of the current leaf
  Digest sourceSum_, targetSum_;
  std::vector<Suspect> suspects_;
};

}  // namespace keyhaul
