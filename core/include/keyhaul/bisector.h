// Finds the keys in which two sides differ by asking each for digests, never for data.
//
// It asks one side to cut a range into parts by its own keys and to sum each part, asks the
// other for the sums of the same parts, and goes on where they are unequal; where few entries
// are left it asks both for their keys with one digest each. Two sides that differ in d of
// n keys are told apart in O(d log n) answers of bounded size. (The splitting of a range by
// the keys of the side that holds more is what "range-based set reconciliation", Meyer 2023,
// does; the sums are this project's Digest.)
//
// It does no I/O: the host takes questions, asks, and gives the answers in any order.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "keyhaul/digest.h"
#include "keyhaul/key_range.h"

namespace keyhaul {

enum class BisectSide : uint8_t { kSource = 1, kTarget };
enum class BisectKind : uint8_t {
  kSplit = 1,  // cut `keys` into 2 … `parts` parts, none of them empty of entries, and sum each
  kSums,       // the sums of the parts that end at `cuts` and at keys.hi
  kList,       // every key with the digest of its entry, in key order
};

struct BisectQuestion {
  uint32_t id = 0;
  BisectSide side = BisectSide::kSource;
  BisectKind kind = BisectKind::kSplit;
  KeyRange keys;
  std::vector<Key> cuts;  // kSums
  uint32_t parts = 0;     // kSplit
};

// To kSplit: cuts and sums (one more than cuts). To kSums: sums. To kList: entries.
struct BisectAnswer {
  struct Entry {
    Key key;
    Digest digest;
  };
  std::vector<Key> cuts;
  std::vector<Digest> sums;
  std::vector<Entry> entries;
};

struct BisectDifference {
  enum class Kind : uint8_t { kMissing = 1, kExtra, kChanged };  // seen from the target
  Key key;
  Kind kind = Kind::kChanged;
};

class Bisector {
 public:
  struct Limits {
    uint32_t parts = 16;         // 2 … 4,096
    uint32_t listEntries = 64;   // a part of no more entries on either side is listed
  };

  // The sums of the whole range on both sides; where they are equal there is nothing to ask.
  Bisector(KeyRange keys, const Digest& source, const Digest& target, Limits limits);

  // The next question, if there is one that waits for no answer.
  std::optional<BisectQuestion> ask();
  // NotFound for an id that is not open. FrameCorrupt for an answer that cannot be one: cuts out
  // of order or range, too few or too many, an entry outside, unsorted, or not of one entry;
  // the question is open again then, and may be asked of another replica.
  Status answer(uint32_t id, BisectAnswer answer);

  bool done() const { return pending_.empty() && open_.empty(); }
  // In the order found; in key order within a listed part.
  const std::vector<BisectDifference>& differences() const { return differences_; }
  // Parts whose sums were not what the sum above them said: somebody wrote meanwhile.
  uint64_t moved() const { return moved_; }
  uint64_t questions() const { return asked_; }

 private:
  // A range whose sums differ, and the question that is next for it.
  struct Part {
    KeyRange keys;
    Digest source, target;
    uint32_t depth = 0;
    BisectQuestion question;
    std::optional<BisectAnswer> first;  // of the side that was asked first
  };
  void descend(KeyRange keys, const Digest& source, const Digest& target, uint32_t depth);
  Status check(const BisectQuestion& question, const BisectAnswer& answer) const;
  // Both sides' sums of the same parts are there.
  void compareParts(const Part& part, const BisectAnswer& sums);
  void merge(const BisectAnswer& source, const BisectAnswer& target);

  Limits limits_;
  std::deque<Part> pending_;      // their question is to be asked
  std::map<uint32_t, Part> open_;  // asked, by id
  std::vector<BisectDifference> differences_;
  uint32_t lastId_ = 0;
  uint64_t moved_ = 0, asked_ = 0;
};

}  // namespace keyhaul
