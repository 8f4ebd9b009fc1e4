// Walks both stores side by side, key by key: names what differs, mends the
// target, or takes off the source what the target holds equally.
#pragma once

#include <vector>

#include "migrate/buckets.h"
#include "migrate/different_keys.h"
#include "migrate/shared.h"
#include "migrate/suspect.h"
#include "migrate/writer.h"

namespace keyhaul {

class ComparePhase {
 public:
  enum class Purpose : uint8_t {
    kName,    // count and name the differences
    kRepair,  // also write the source's state over the target's
    kDelete,  // delete from the source every entry that the target holds equally
    kCollect, // remember the keys that differ: they may be changing at this moment
  };
  struct Found {
    uint64_t missing = 0, extra = 0, changed = 0;
    uint64_t written = 0;  // repairs or deletes that were acknowledged, and that the store did not leave
    uint64_t differences() const { return missing + extra + changed; }
  };

  // `lane`: of several that work beside each other.
  explicit ComparePhase(Shared& shared, uint16_t lane = 0) : shared_(shared), lane_(lane) {}

  // `ignoreExtra`: keys that only the target holds are none of our business. `fill` (kCollect) takes
  // what is read. `hurry`: no rate holds it back; what it takes is paid for later.
  void start(Purpose purpose, std::vector<Suspect> parts, bool ignoreExtra,
             BucketFill* fill = nullptr, bool hurry = false);
  Status pump(Port& port);
  Status onEvent(Port& port, OpTag tag, const Event& event);
  bool done() const { return part_ >= parts_.size(); }
  bool writing() const { return !writer_.idle(); }
  // Waits for the write in flight, starts no other.
  Status settle(Port& port) {
    blamed_ = writer_.node();
    return writer_.settle(port);
  }
  void stop(Port& port);

  const Found& found() const { return found_; }
  // Of everything read; extras left out when they are ignored.
  const Digest& source() const { return sourceSum_; }
  const Digest& target() const { return targetSum_; }
  NodeId blamed() const { return blamed_; }
  // kCollect.
  const DifferentKeys& different() const { return different_; }
  void forgetDifferent() { different_ = {}; }

 private:
  // A forward cursor over the pages of one scanner.
  struct Side {
    Scanner scanner;
    FrameView::Iterator at, end;
    bool open = false;  // a page is being walked
  };
  enum class Step : uint8_t { kWait, kMoved, kRangeEnd };

  void openPart();
  void closePart(Port& port);
  Status pumpSides(Port& port);
  // Makes `side` point at an entry; false: nothing there yet, or `done`.
  bool ready(Side& side, bool& done);
  Step step(Port& port);
  void differs(Port& port, DifferenceKind kind, std::string_view key);
  void fillIn(KeyView key, const Digest* source, const Digest* target);
  void sourceOnly(Port& port, const EntryView& entry);
  void targetOnly(Port& port, const EntryView& entry);
  void both(Port& port, const EntryView& source, const EntryView& target);
  // Steps over one entry. Its page goes once nothing refers to it.
  void advance(Side& side, std::string_view key);
  bool popWalked(Port& port);
  Status flush(Port& port);
  void record(bool end);

  Shared& shared_;
  uint16_t lane_ = 0;
  Purpose purpose_ = Purpose::kName;
  bool ignoreExtra_ = false, hurry_ = false;
  BucketFill* fill_ = nullptr;
  std::vector<Suspect> parts_;
  size_t part_ = 0;
  bool open_ = false;
  Side source_, target_;
  Writer writer_;
  std::vector<WriteEntry> writes_;  // point into the pages being walked
  Key passed_;                      // the last key dealt with
  uint64_t inFlight_ = 0;           // entries of the batch being written
  Key inFlightUpto_;
  uint64_t leftPending_ = 0;        // keys left on the source since the last batch
  uint64_t inFlightLeft_ = 0;       // those before it
  DifferentKeys different_;
  Found found_;
  uint64_t named_ = 0;
  Digest sourceSum_, targetSum_;
  NodeId blamed_;
};

}  // namespace keyhaul
