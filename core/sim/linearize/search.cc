#include "linearize/search.h"

#include <algorithm>
#include <tuple>

namespace keyhaul::sim {
namespace {

// Of what sets or swaps.
State madeBy(const Move& move) { return move.effect == Effect::kSet ? move.a : move.b; }

}  // namespace

SearchResult Search::run(std::span<const Move> moves, std::span<const State> starts,
                         const Prefixes* prefixes, uint64_t stepsMax) {
  moves_ = moves;
  prefixes_ = prefixes;
  steps_ = 0;
  furthest_ = 0;
  layOut();
  SearchResult result{Answer::kNotLinearizable, 0, 0};
  for (const State start : starts) {
    result.answer = explore(start, stepsMax);
    if (result.answer != Answer::kNotLinearizable) break;
  }
  if (result.answer != Answer::kLinearizable && furthest_ < timeline_.size()) {
    result.stuck = timeline_[furthest_].move;
  }
  result.steps = steps_;
  return result;
}

void Search::layOut() {
  timeline_.clear();
  lossy_.clear();
  for (uint32_t i = 0; i < end(); ++i) {
    if (moves_[i].mayBeLost) lossy_.push_back(i);
  }
  if (!lossy_.empty()) {
    findNeeds();
    groupLossy();
  }
  for (uint32_t i = 0; i < end(); ++i) {
    const Move& move = moves_[i];
    const bool lossy = move.mayBeLost;
    const Moment over = lossy ? expiryOf(move) : std::max(move.invoked, move.returned);
    if (over < move.invoked || (lossy && lossiness_[i].surplus)) continue;
    timeline_.push_back({move.invoked, i, EventKind::kInvoke});
    if (over != kNever) {
      timeline_.push_back({over, i, lossy ? EventKind::kExpire : EventKind::kReturn});
    }
  }
  std::sort(timeline_.begin(), timeline_.end(), [](const Event& x, const Event& y) {
    return std::tie(x.when, x.kind, x.move) < std::tie(y.when, y.kind, y.move);
  });
  before_.resize(end() + size_t{2});
  after_.resize(end() + size_t{2});
  giveBits();
}

void Search::findNeeds() {
  needs_.clear();
  lossySeeks_.clear();
  needOther_ = needAny_ = 0;
  for (const Move& move : moves_) {
    const Moment until = move.mayBeLost ? kNever : std::max(move.invoked, move.returned);
    if (move.effect == Effect::kObserveOther) needOther_ = std::max(needOther_, until);
    if (move.effect == Effect::kObserve) needAny_ = std::max(needAny_, until);
    if (move.effect == Effect::kObserve || move.effect == Effect::kSwap) {
      needs_.push_back({move.a, until});
    }
    if (move.effect == Effect::kSwap && move.mayBeLost) lossySeeks_.push_back(move.a);
  }
  std::sort(lossySeeks_.begin(), lossySeeks_.end());
  // Of each state the longest need first.
  std::sort(needs_.begin(), needs_.end(), [](const Need& x, const Need& y) {
    return std::tie(x.state, y.until) < std::tie(y.state, x.until);
  });
}

// The moment after which nobody can see that this, which may be lost, was done.
Moment Search::expiryOf(const Move& move) const {
  // A string that is put may be appended to before it is seen.
  if (prefixes_ != nullptr) return needAny_;
  const State made = madeBy(move);
  const auto need = std::lower_bound(needs_.begin(), needs_.end(), made,
                                     [](const Need& x, State state) { return x.state < state; });
  const bool sought = need != needs_.end() && need->state == made;
  return std::max(needOther_, sought ? need->until : 0);
}

void Search::giveBits() {
  bitOf_.resize(end());
  // Of those that must take effect, and of those that may be lost.
  std::vector<uint32_t>(&free)[2] = freeBits_;
  for (std::vector<uint32_t>& bits : free) bits.clear();
  uint32_t used[2] = {0, 0};
  for (uint32_t position = 0; position < timeline_.size(); ++position) {
    const Event& event = timeline_[position];
    const size_t kind = moves_[event.move].mayBeLost ? 1 : 0;
    if (kind == 1 && event.kind == EventKind::kInvoke) {
      lossiness_[event.move].enters = position;
    }
    if (event.kind != EventKind::kInvoke) {
      free[kind].push_back(bitOf_[event.move]);
    } else if (free[kind].empty()) {
      bitOf_[event.move] = used[kind]++;
    } else {
      bitOf_[event.move] = free[kind].back();
      free[kind].pop_back();
    }
  }
  requiredWords_ = (used[0] + size_t{63}) / 64;
  words_ = requiredWords_ + (used[1] + size_t{63}) / 64;
  for (const uint32_t i : lossy_) bitOf_[i] += static_cast<uint32_t>(requiredWords_ * 64);
}

// Equal ones in turn. What may be lost is used for the sake of one that must see it, and of a kind
// no more than once for each: what lies between two equal states could be left out. So once there
// are more of a kind than of those that look, it never runs out and need not be counted. Appends
// differ: "xx" takes two of "x".
void Search::groupLossy() {
  const auto kindOf = [this](uint32_t i) {
    const Move& move = moves_[i];
    return std::tie(move.effect, move.a, move.b, move.text);
  };
  std::sort(lossy_.begin(), lossy_.end(), [&](uint32_t x, uint32_t y) {
    if (kindOf(x) != kindOf(y)) return kindOf(x) < kindOf(y);
    return std::tie(moves_[x].invoked, x) < std::tie(moves_[y].invoked, y);
  });
  const auto seekers = static_cast<size_t>(
      std::count_if(moves_.begin(), moves_.end(), [](const Move& move) {
        return !move.mayBeLost && move.effect != Effect::kSet;
      }));
  lossiness_.assign(end(), {});
  for (size_t first = 0, i = 0; i < lossy_.size(); ++i) {
    if (kindOf(lossy_[first]) != kindOf(lossy_[i])) first = i;
    Lossiness& lossiness = lossiness_[lossy_[i]];
    if (i > first) lossiness.equalBefore = lossy_[i - 1];
    lossiness.feedsLossy =
        std::binary_search(lossySeeks_.begin(), lossySeeks_.end(), madeBy(moves_[lossy_[i]]));
    if (moves_[lossy_[i]].effect == Effect::kAppend) continue;
    if (first + seekers < lossy_.size() &&
        kindOf(lossy_[first]) == kindOf(lossy_[first + seekers])) {
      lossiness.endless = lossy_[first + seekers];
    }
    lossiness.surplus = i > first + seekers;
  }
}

Answer Search::explore(State start, uint64_t stepsMax) {
  for (const uint32_t ring : {requiredRing(), lossyRing()}) before_[ring] = after_[ring] = ring;
  position_ = 0;
  state_ = start;
  mustUse_ = false;
  bits_.assign(words_, 0);
  frames_.clear();
  frameBits_.clear();
  visited_.reset(requiredWords_, words_ - requiredWords_);
  toNextReturn();
  furthest_ = std::max(furthest_, position_);
  for (;;) {
    if (++steps_ > stepsMax) return Answer::kUnknown;
    if (settle()) return Answer::kLinearizable;
    bool onward = descend();
    while (!onward && !frames_.empty()) onward = backtrack();
    if (!onward) return Answer::kNotLinearizable;
  }
}

// Everything that needs no choice: what looks and sees the truth now, and returns of what is
// in the order. True at the end of the history.
bool Search::settle() {
  for (;;) {
    if (position_ == timeline_.size()) return true;
    for (uint32_t i = after_[requiredRing()]; i != requiredRing(); i = after_[i]) {
      const Move& move = moves_[i];
      if (!move.looks() || has(i)) continue;
      if ((move.a == state_) != (move.effect == Effect::kObserve)) continue;
      put(i);
      mustUse_ = false;
    }
    const uint32_t returning = timeline_[position_].move;
    if (!has(returning)) return false;
    drop(returning);
    leaveOpen(returning);
    ++position_;
    toNextReturn();
    furthest_ = std::max(furthest_, position_);
  }
}

// Takes the next one into the order: the one that returns, if it can be, then any other open
// one. What is left to try is kept in a frame. False if there is none.
bool Search::descend() {
  const uint32_t returning = timeline_[position_].move;
  const uint32_t other = candidate(after_[requiredRing()]);
  if (other == lossyRing()) return take(returning);
  const uint64_t place = uint64_t{position_} << 1 | (mustUse_ ? 1U : 0U);
  if (!visited_.insert(place, state_, bits_.data())) return false;
  // What is wide takes more memory, which the budget bounds as well.
  steps_ += words_ / 4;
  frames_.push_back({state_, position_, other, mustUse_});
  frameBits_.insert(frameBits_.end(), bits_.begin(), bits_.end());
  return take(returning);
}

// Back to the last choice that is not used up, and on with the next one there.
bool Search::backtrack() {
  if (frames_.empty()) return false;
  Frame& frame = frames_.back();
  rewind(frame.position);
  state_ = frame.state;
  mustUse_ = frame.mustUse;
  const auto saved = frameBits_.end() - static_cast<std::ptrdiff_t>(words_);
  std::copy(saved, frameBits_.end(), bits_.begin());
  const uint32_t chosen = frame.next;
  frame.next = candidate(after_[chosen]);
  if (frame.next == lossyRing()) {
    frames_.pop_back();
    frameBits_.resize(frameBits_.size() - words_);
  }
  return take(chosen);
}

// The first that can be the next in the order, from `from` on, but for the one that returns;
// lossyRing() if there is none.
uint32_t Search::candidate(uint32_t from) const {
  const uint32_t returning = timeline_[position_].move;
  State after = 0;
  uint32_t i = from;
  for (; i < requiredRing(); i = after_[i]) {
    if (moves_[i].mayBeLost) break;
    if (i != returning && !has(i) && applies(moves_[i], after)) return i;
  }
  if (i == requiredRing()) {
    if (!anySeeks()) return lossyRing();
    i = after_[lossyRing()];
  }
  for (; i != lossyRing(); i = after_[i]) {
    if (!isNextOfKind(i)) continue;
    if (applies(moves_[i], after) && after != state_ && isSought(i, after)) return i;
  }
  return i;
}

// Whether it is the one of its kind to be used, if any is.
bool Search::isNextOfKind(uint32_t lossy) const {
  const Lossiness& lossiness = lossiness_[lossy];
  if (lossiness.endless == lossy) return true;
  if (lossiness.endless != kNone && lossiness_[lossiness.endless].enters < position_) return false;
  return !has(lossy) && (lossiness.equalBefore == kNone || has(lossiness.equalBefore));
}

// Whether what may be lost can help anybody: in the end one that must take effect has to see it.
bool Search::anySeeks() const {
  for (uint32_t i = after_[requiredRing()]; i != requiredRing(); i = after_[i]) {
    if (moves_[i].effect != Effect::kSet && !has(i)) return true;
  }
  return false;
}

// Whether the next in the order can be one that sees `after`, which this has made.
bool Search::isSought(uint32_t lossy, State after) const {
  if (prefixes_ != nullptr) return after != Prefixes::kUnseen;
  if (lossiness_[lossy].feedsLossy) return true;
  for (uint32_t i = after_[requiredRing()]; i != requiredRing(); i = after_[i]) {
    const Move& move = moves_[i];
    if (move.effect == Effect::kSet || has(i)) continue;
    if ((move.a == after) != (move.effect == Effect::kObserveOther)) return true;
  }
  return false;
}

bool Search::take(uint32_t index) {
  State after = 0;
  if (!applies(moves_[index], after)) return false;
  state_ = after;
  mustUse_ = moves_[index].mayBeLost;
  if (!mustUse_ || lossiness_[index].endless != index) put(index);
  return true;
}

// Whether something that changes the state can be the next in the order, and what is then.
bool Search::applies(const Move& move, State& after) const {
  switch (move.effect) {
    case Effect::kObserve:
    case Effect::kObserveOther:
      return false;
    case Effect::kSet:
      after = move.a;
      return !mustUse_;
    case Effect::kSwap:
      after = move.b;
      return move.a == state_;
    case Effect::kAppend:
      after = prefixes_->appended(state_, move.text);
      return true;
  }
  return false;
}

void Search::enterOpen(uint32_t move) {
  const uint32_t ring = moves_[move].mayBeLost ? lossyRing() : requiredRing();
  before_[move] = before_[ring];
  after_[move] = ring;
  after_[before_[move]] = move;
  before_[ring] = move;
}

void Search::leaveOpen(uint32_t move) {
  after_[before_[move]] = after_[move];
  before_[after_[move]] = before_[move];
}

void Search::toNextReturn() {
  for (; position_ < timeline_.size(); ++position_) {
    const Event& event = timeline_[position_];
    switch (event.kind) {
      case EventKind::kInvoke:
        enterOpen(event.move);
        break;
      case EventKind::kReturn:
        return;
      case EventKind::kExpire:
        drop(event.move);
        leaveOpen(event.move);
        break;
    }
  }
}

void Search::rewind(uint32_t position) {
  while (position_ > position) {
    const Event& event = timeline_[--position_];
    if (event.kind == EventKind::kInvoke) {
      leaveOpen(event.move);
      continue;
    }
    after_[before_[event.move]] = event.move;
    before_[after_[event.move]] = event.move;
  }
}

}  // namespace keyhaul::sim
