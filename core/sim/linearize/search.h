// The search for an order, after Wing and Gong (1993) and Lowe (2017), for both kinds of history.
//
// It goes through the history from return to return. An operation must be in the order when it
// returns, so that is when it is put there, with whatever has to come before it: not earlier,
// which keeps the choices few. It goes deep first and turns back where a return cannot be had.
//
// What makes it fast, and why each is right:
// - What only looks (reads, refused swaps) goes into the order at the first moment at which it
//   is true: it changes nothing for the others, so it never does harm there.
// - What may be lost (no answer came) is used only where the next one in the order looks at
//   what it did: otherwise the order is right without it, too.
// - Of equal ones of these the first invoked goes first, none is kept open longer than there
//   is somebody to see what it does, and where there are enough of them they are not counted.
// - Configurations that failed are remembered, see visited.h.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "linearize/history.h"
#include "linearize/linearize.h"
#include "linearize/prefixes.h"
#include "linearize/visited.h"

namespace keyhaul::sim {

using State = uint64_t;

enum class Effect : uint8_t {
  kObserve,       // the state is a
  kObserveOther,  // the state is not a
  kSet,           // becomes a
  kSwap,          // is a, becomes b
  kAppend         // becomes itself with `text` behind it
};

// An operation as the search sees it.
struct Move {
  Effect effect = Effect::kObserve;
  // May take effect any time after its invocation, or never. Not for what only looks.
  bool mayBeLost = false;
  // Of the operation in the history.
  uint32_t origin = 0;
  State a = 0;
  State b = 0;
  std::string_view text;
  Moment invoked = 0;
  Moment returned = kNever;

  bool looks() const { return effect == Effect::kObserve || effect == Effect::kObserveOther; }
};

struct SearchResult {
  Answer answer = Answer::kLinearizable;
  // If it is not linearizable: the move whose return no order reached beyond.
  uint32_t stuck = 0;
  uint64_t steps = 0;
};

class Search {
 public:
  // Is there an order from any of the states `starts`? `prefixes` is for kAppend.
  SearchResult run(std::span<const Move> moves, std::span<const State> starts,
                   const Prefixes* prefixes, uint64_t stepsMax);

 private:
  // In the order of what happens at one moment.
  enum class EventKind : uint8_t { kInvoke, kReturn, kExpire };
  struct Event {
    Moment when;
    uint32_t move;
    EventKind kind;
  };
  struct Need {
    State state;
    Moment until;
  };
  static constexpr uint32_t kNone = UINT32_MAX;
  // Of a move that may be lost.
  struct Lossiness {
    // The equal one invoked before it.
    uint32_t equalBefore = kNone;
    // The equal one that may be used again and again, as there are enough of them.
    uint32_t endless = kNone;
    // Its place in the timeline.
    uint32_t enters = kNone;
    // Not needed: there are enough without it.
    bool surplus = false;
    // Another that may be lost might swap what it makes.
    bool feedsLossy = false;
  };
  struct Frame {
    State state;
    uint32_t position;
    uint32_t next;
    bool mustUse;
  };

  void layOut();
  void findNeeds();
  Moment expiryOf(const Move& move) const;
  void giveBits();
  void groupLossy();
  Answer explore(State start, uint64_t stepsMax);
  bool settle();
  bool descend();
  bool backtrack();
  uint32_t candidate(uint32_t from) const;
  bool isNextOfKind(uint32_t lossy) const;
  bool anySeeks() const;
  bool isSought(uint32_t lossy, State after) const;
  bool take(uint32_t move);
  bool applies(const Move& move, State& after) const;

  void enterOpen(uint32_t move);
  void leaveOpen(uint32_t move);
  void toNextReturn();
  void rewind(uint32_t position);

  bool has(uint32_t move) const { return (bits_[bitOf_[move] >> 6] >> (bitOf_[move] & 63) & 1) != 0; }
  void put(uint32_t move) { bits_[bitOf_[move] >> 6] |= uint64_t{1} << (bitOf_[move] & 63); }
  void drop(uint32_t move) { bits_[bitOf_[move] >> 6] &= ~(uint64_t{1} << (bitOf_[move] & 63)); }
  uint32_t end() const { return static_cast<uint32_t>(moves_.size()); }
  uint32_t requiredRing() const { return end(); }
  uint32_t lossyRing() const { return end() + 1; }

  std::span<const Move> moves_;
  const Prefixes* prefixes_ = nullptr;
  std::vector<Event> timeline_;
  // By state: the last return of what looks for it. Of kObserveOther and reads of any: the last.
  std::vector<Need> needs_;
  Moment needOther_ = 0;
  Moment needAny_ = 0;
  // What may be lost.
  std::vector<uint32_t> lossy_;
  // A bit for each operation that is open, given on when it is no more. The words of those that
  // must take effect come first.
  std::vector<uint32_t> bitOf_;
  std::vector<uint32_t> freeBits_[2];
  std::vector<Lossiness> lossiness_;
  // What swaps that may be lost look for.
  std::vector<State> lossySeeks_;
  size_t requiredWords_ = 0;
  size_t words_ = 0;

  // Where the search stands. The open operations are two rings, of those that must take effect
  // and those that may be lost, by invocation; leaving keeps the links of the one that leaves,
  // so that rewind can put it back.
  std::vector<uint32_t> before_;
  std::vector<uint32_t> after_;
  uint32_t position_ = 0;
  uint32_t furthest_ = 0;
  State state_ = 0;
  // The last in the order may be lost, so the next has to look at what it did.
  bool mustUse_ = false;
  std::vector<uint64_t> bits_;
  std::vector<Frame> frames_;
  std::vector<uint64_t> frameBits_;
  Visited visited_;
  uint64_t steps_ = 0;
};

}  // namespace keyhaul::sim
