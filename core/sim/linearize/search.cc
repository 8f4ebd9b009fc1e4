#include "linearize/search.h"

#include <algorithm>
#include <tuple>

namespace keyhaul::sim {

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
  if (result.answer == Answer::kNotLinearizable && furthest_ < timeline_.size()) {
    result.stuck = timeline_[furthest_].move;
  }
  result.steps = steps_;
  return result;
}

void Search::layOut() {
  timeline_.clear();
  for (uint32_t i = 0; i < end(); ++i) {
    timeline_.push_back({moves_[i].invoked, i, false});
    if (!moves_[i].mayBeLost) {
      timeline_.push_back({std::max(moves_[i].invoked, moves_[i].returned), i, true});
    }
  }
  std::sort(timeline_.begin(), timeline_.end(), [](const Event& x, const Event& y) {
    return std::tie(x.when, x.isReturn, x.move) < std::tie(y.when, y.isReturn, y.move);
  });
  before_.resize(end() + size_t{1});
  after_.resize(end() + size_t{1});
  giveBits();
}

void Search::giveBits() {
  bitOf_.resize(end());
  std::vector<uint32_t>& free = scratch_;
  free.clear();
  uint32_t required = 0;
  uint32_t lossy = 0;
  for (const Event& event : timeline_) {
    if (moves_[event.move].mayBeLost) {
      bitOf_[event.move] = lossy++;
    } else if (event.isReturn) {
      free.push_back(bitOf_[event.move]);
    } else if (free.empty()) {
      bitOf_[event.move] = required++;
    } else {
      bitOf_[event.move] = free.back();
      free.pop_back();
    }
  }
  requiredWords_ = (required + size_t{63}) / 64;
  words_ = requiredWords_ + (lossy + size_t{63}) / 64;
  if (lossy == 0) return;
  std::vector<uint32_t>& which = scratch_;
  which.clear();
  for (uint32_t i = 0; i < end(); ++i) {
    if (!moves_[i].mayBeLost) continue;
    bitOf_[i] += static_cast<uint32_t>(requiredWords_ * 64);
    which.push_back(i);
  }
  linkEqualOnes(which);
}

void Search::linkEqualOnes(std::vector<uint32_t>& lossy) {
  const auto kindOf = [this](uint32_t i) {
    const Move& move = moves_[i];
    return std::tie(move.effect, move.a, move.b, move.text);
  };
  std::sort(lossy.begin(), lossy.end(), [&](uint32_t x, uint32_t y) {
    if (kindOf(x) != kindOf(y)) return kindOf(x) < kindOf(y);
    return std::tie(moves_[x].invoked, x) < std::tie(moves_[y].invoked, y);
  });
  equalBefore_.assign(end(), end());
  for (size_t i = 1; i < lossy.size(); ++i) {
    if (kindOf(lossy[i - 1]) == kindOf(lossy[i])) equalBefore_[lossy[i]] = lossy[i - 1];
  }
}

Answer Search::explore(State start, uint64_t stepsMax) {
  before_[end()] = after_[end()] = end();
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
    if (!descend() && !backtrack()) return Answer::kNotLinearizable;
  }
}

// Everything that needs no choice: what looks and sees the truth now, and returns of what is
// in the order. True at the end of the history.
bool Search::settle() {
  for (;;) {
    if (position_ == timeline_.size()) return true;
    for (uint32_t i = after_[end()]; i != end(); i = after_[i]) {
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
  State ignored = 0;
  uint32_t other = after_[end()];
  for (; other != end(); other = after_[other]) {
    if (other != returning && !has(other) && applies(moves_[other], ignored) &&
        (!moves_[other].mayBeLost || equalBefore_[other] == end() || has(equalBefore_[other]))) {
      break;
    }
  }
  if (other == end()) return !moves_[returning].looks() && take(returning);
  const uint64_t place = uint64_t{position_} << 1 | (mustUse_ ? 1U : 0U);
  if (!visited_.insert(place, state_, bits_.data())) return false;
  frames_.push_back({state_, position_, other, mustUse_});
  frameBits_.insert(frameBits_.end(), bits_.begin(), bits_.end());
  return (!moves_[returning].looks() && take(returning)) || backtrack();
}

// Back to the last choice that is not used up, and on with the next one there.
bool Search::backtrack() {
  while (!frames_.empty()) {
    Frame& frame = frames_.back();
    rewind(frame.position);
    state_ = frame.state;
    mustUse_ = frame.mustUse;
    const auto saved = frameBits_.end() - static_cast<std::ptrdiff_t>(words_);
    std::copy(saved, frameBits_.end(), bits_.begin());
    const uint32_t returning = timeline_[position_].move;
    while (frame.next != end()) {
      const uint32_t move = frame.next;
      frame.next = after_[move];
      if (move != returning && take(move)) return true;
    }
    frames_.pop_back();
    frameBits_.resize(frameBits_.size() - words_);
  }
  return false;
}

bool Search::take(uint32_t index) {
  const Move& move = moves_[index];
  State after = 0;
  if (has(index) || !applies(move, after)) return false;
  if (move.mayBeLost) {
    const uint32_t equal = equalBefore_[index];
    if (equal != end() && !has(equal)) return false;
  }
  state_ = after;
  mustUse_ = move.mayBeLost;
  put(index);
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
      return !mustUse_ && !(move.mayBeLost && after == state_);
    case Effect::kSwap:
      after = move.b;
      return move.a == state_ && !(move.mayBeLost && after == state_);
    case Effect::kAppend:
      after = prefixes_->appended(state_, move.text);
      return !(move.mayBeLost && (after == state_ || after == Prefixes::kUnseen));
  }
  return false;
}

void Search::enterOpen(uint32_t move) {
  before_[move] = before_[end()];
  after_[move] = end();
  after_[before_[move]] = move;
  before_[end()] = move;
}

void Search::leaveOpen(uint32_t move) {
  after_[before_[move]] = after_[move];
  before_[after_[move]] = before_[move];
}

void Search::toNextReturn() {
  while (position_ < timeline_.size() && !timeline_[position_].isReturn) {
    enterOpen(timeline_[position_++].move);
  }
}

void Search::rewind(uint32_t position) {
  while (position_ > position) {
    const Event& event = timeline_[--position_];
    if (!event.isReturn) {
      leaveOpen(event.move);
      continue;
    }
    after_[before_[event.move]] = event.move;
    before_[after_[event.move]] = event.move;
  }
}

}  // namespace keyhaul::sim
