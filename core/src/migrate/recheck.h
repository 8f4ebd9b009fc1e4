// Compares single keys on both sides: those that changed after they were compared. The
// target stands still meanwhile; what the source took since then is in the feed.
#pragma once

#include <vector>

#include "keyhaul/frame.h"
#include "migrate/different_keys.h"
#include "migrate/shared.h"

namespace keyhaul {

class RecheckPhase {
 public:
  explicit RecheckPhase(Shared& shared) : shared_(shared) { shared.changed.useSpare(&spare_); }

  // How large a value is that was never seen: a few such make a batch.
  static constexpr uint64_t kUnknownBytes = 64 * 1024;

  // Of the keys that changed until now, and of `suspects`. Without `hurry` it keeps to the rates.
  void start(const KeyList& suspects, bool hurry);
  // Somebody waits for it from here on.
  void hurry() { hurry_ = true; }
  Status pump(Port& port);
  Status onEvent(Port& port, OpTag tag, const Event& event);
  bool done() const { return next_ >= keys_.size() && asked_ == 0; }
  size_t left() const { return next_ < keys_.size() ? keys_.size() - next_ : 0; }
  const DifferentKeys& different() const { return different_; }
  NodeId blamed() const { return blamed_; }
  void stop(Port& port);

 private:
  struct Side {
    NodeId node;
    MigrationPart part = MigrationPart::kSource;
    OpId op;
    bool answered = false;
    BufferRef buffer;
    FrameView view;
    uint32_t failures = 0;
    Instant retryAt{0};
  };
  Status pumpSide(Port& port, Side& side);
  Status retry(Port& port, Side& side, ErrorCode error);
  Status accept(Port& port, Side& side, const Event& event);
  size_t batch() const;
  bool waitsForRate(Port& port) const;
  void compare(Port& port);

  Shared& shared_;
  std::vector<ChangedKeys::Node> keys_;  // with about how many bytes their values have
  std::vector<ChangedKeys::Node> spare_;  // of rounds before
  size_t next_ = 0;      // those before it were compared
  size_t asked_ = 0;     // keys of the batch under way
  Side source_, target_;
  DifferentKeys different_;
  bool hurry_ = true;
  NodeId blamed_;
};

}  // namespace keyhaul
