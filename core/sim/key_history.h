// What several clients did to one key, and whether one register could have answered them so.
//
// A history is judged in windows. One ends where an operation ran alone: everything that was
// answered before had been so when it began, and nothing else has begun when it is answered. What
// it saw or left is what the key held then, so what comes after is judged from there: both windows
// are right exactly when the two together are.
//
// A write whose answer was lost may have taken effect or not, and is open. One that no store has
// carried out has had no effect so far, and is left out. One that a store has carried out took
// effect then or never, so it is open to the end of that window, and later no more.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "linearize/linearize.h"

namespace keyhaul::sim {

class KeyHistory {
 public:
  // Windows are no shorter, so that each is worth the call; they are longer where clients overlap
  // without a break.
  static constexpr size_t kWindowMin = 32;
  // For the verdict on one window; where they run out it is not judged.
  static constexpr uint64_t kStepsMax = 200'000;

  explicit KeyHistory(Value initial = kNil) : first_(initial), initial_(initial) {}

  // A write begins; a store carries it out; its client is told. `sequence` is its number among
  // those of its client. Moments never fall.
  void begin(uint32_t client, uint64_t sequence, Value value, Moment now);
  // The same of a compare-and-set; it may be told that the key held something else.
  void beginCas(uint32_t client, uint64_t sequence, Value expected, Value value, Moment now);
  void take(uint32_t client, uint64_t sequence, Moment now);
  void acknowledge(uint32_t client, uint64_t sequence, Moment now, bool refused = false);
  void read(uint32_t client, Value value, Moment invoked, Moment now);

  enum class Verdict : uint8_t {
    kNothing,   // no window ends yet
    kRight,
    kWrong,     // witness() says why; nothing is judged from then on
    kUnjudged,  // the window takes too many steps; the next one is judged again
  };
  // Judges what lies behind, if it is time. Of what is still under way nothing was begun
  // before `running`.
  Verdict settle(LinearizabilityChecker& checker, Moment running);
  // Judges all that is left: nothing is under way any more.
  Verdict finish(LinearizabilityChecker& checker);

  // The shortest one, as text. Moments are divided by 2^`momentBits` to be shown as `unit`.
  std::string witness(uint32_t momentBits, std::string_view unit) const;
  // Operations that wait for the end of their window.
  size_t waiting() const { return entries_.size(); }

 private:
  struct Entry {
    Operation operation;
    uint64_t sequence = 0;  // of a write
    Moment taken = kNever;  // carried out by a store
    bool isOpen() const { return operation.outcome == Outcome::kUnknown; }
  };
  Entry* find(uint32_t client, uint64_t sequence);
  struct Span {
    Moment begin, end;
    const Operation* operation;  // null: of one that is open
  };
  std::optional<Operation> lastAlone(Moment before);
  Verdict judge(LinearizabilityChecker& checker);
  void tellWhole(LinearizabilityChecker& checker);

  Value first_;    // what the key held before everything
  Value initial_;  // and before the window
  std::vector<Entry> entries_;
  size_t lookAgain_ = kWindowMin;  // once there are so many entries
  std::vector<Operation> window_;
  std::vector<Operation> judged_;  // before it, for the reader of a witness
  std::vector<Span> spans_;
  std::optional<Witness> witness_;
};

}  // namespace keyhaul::sim
