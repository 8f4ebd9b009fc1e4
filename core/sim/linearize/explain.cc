#include "linearize/explain.h"

#include <algorithm>

#include "linearize/forget.h"

namespace keyhaul::sim {
namespace {

// Of the search for a cut, each time: enough to see through hundreds of operations.
constexpr uint64_t kCutStepsMax = 20'000;

// Of what only looks or swaps: the value that has to be there.
bool seeks(const Move& move) { return move.effect == Effect::kObserve || move.effect == Effect::kSwap; }

}  // namespace

Witness Explainer::explain(uint32_t stuck) {
  starts_ = {problem_.start};
  moves_ = knownAt(problem_.moves, problem_.moves[stuck].returned);
  if (!cutBefore()) {
    takePrefix(stuck);
    cutBefore();
  }
  weak_.assign(moves_.size(), false);
  weaken(0, moves_.size());
  const std::vector<Move> left = weakened();
  Moment end = 0;
  for (const Move& move : left) {
    if (move.mayBeLost) continue;
    witness_.operations.push_back(move.origin);
    if (move.returned < end) continue;
    end = move.returned;
    witness_.last = move.origin;
  }
  witness_.helpers = helpers(left);
  return std::move(witness_);
}

bool Explainer::refutes(uint32_t stuck) {
  moves_ = knownAt(problem_.moves, problem_.moves[stuck].returned);
  return cutBefore();
}

bool Explainer::fails(std::span<const Move> moves, std::span<const State> starts,
                      uint64_t stepsMax) {
  const Prefixes* prefixes = problem_.prefixes ? &*problem_.prefixes : nullptr;
  const SearchResult result =
      search_.run(moves, starts, prefixes, std::min(stepsMax, stepsLeft_));
  stepsLeft_ -= std::min(stepsLeft_, result.steps);
  if (stepsLeft_ == 0) witness_.complete = false;
  return result.answer == Answer::kNotLinearizable;
}

// The search knew how everything would end, which may have told it earlier than a prefix alone
// would: at the first of these returns, seldom later, and at the last one for certain.
void Explainer::takePrefix(uint32_t stuck) {
  const std::vector<Moment> ends = returns(problem_.moves, problem_.moves[stuck].returned);
  const auto failsAt = [&](size_t i) {
    return fails(knownAt(problem_.moves, ends[i]), starts_, stepsLeft_);
  };
  size_t low = 0;
  if (!failsAt(0)) {
    low = 1;
    for (size_t high = ends.size() - 1; low < high;) {
      const size_t middle = low + (high - low) / 2;
      if (failsAt(middle)) high = middle;
      else low = middle + 1;
    }
  }
  moves_ = knownAt(problem_.moves, ends[std::min(low, ends.size() - 1)]);
}

// The latest moment before which anything may have happened: from the end in doubling steps,
// since the reason is seldom far, and a short history is soon gone through. False if none.
bool Explainer::cutBefore() {
  if (problem_.states.empty()) return false;
  const std::vector<Moment> cuts = returns(moves_, 0);
  const auto failsSince = [&](size_t i) {
    return fails(since(moves_, cuts[i]), problem_.states, kCutStepsMax);
  };
  // The cut at `high` and later is too late.
  size_t high = cuts.size() - 1;
  size_t low = high;
  for (size_t back = 1;; back *= 2) {
    if (high == 0) return false;
    low = cuts.size() - 1 - std::min(back, cuts.size() - 1);
    if (failsSince(low)) break;
    high = low;
  }
  while (high - low > 1) {
    const size_t middle = low + (high - low) / 2;
    (failsSince(middle) ? low : high) = middle;
  }
  starts_ = problem_.states;
  witness_.cut = cuts[low];
  moves_ = since(moves_, cuts[low]);
  return true;
}

// Halves first, so that what is not needed goes in large pieces. Once is enough: what was
// needed beside more is needed beside less.
void Explainer::weaken(size_t begin, size_t end) {
  bool any = false;
  for (size_t i = begin; i < end; ++i) {
    if (!moves_[i].mayBeLost) any = weak_[i] = true;
  }
  if (!any || fails(weakened(), starts_, stepsLeft_)) return;
  for (size_t i = begin; i < end; ++i) weak_[i] = false;
  if (end - begin == 1) return;
  const size_t middle = begin + (end - begin) / 2;
  weaken(begin, middle);
  weaken(middle, end);
}

std::vector<Move> Explainer::weakened() const {
  std::vector<Move> left;
  for (size_t i = 0; i < moves_.size(); ++i) {
    Move move = moves_[i];
    if (!weak_[i] || forgetEnd(move)) left.push_back(move);
  }
  return left;
}

std::vector<uint32_t> Explainer::helpers(std::span<const Move> left) const {
  // What all reads of a string begin with is not what they differ in.
  std::optional<std::string_view> shared;
  for (const Move& move : left) {
    if (move.mayBeLost || move.effect != Effect::kObserve) continue;
    const std::string_view head = shared.value_or(move.text);
    const auto [differs, ignored] =
        std::mismatch(head.begin(), head.end(), move.text.begin(), move.text.end());
    shared = head.substr(0, static_cast<size_t>(differs - head.begin()));
  }
  const auto made = [&](const Move& maker, const Move& seeker) {
    if (maker.invoked > seeker.returned || seeker.mayBeLost || !seeks(seeker)) return false;
    if (maker.effect == Effect::kSwap && maker.a == maker.b) return false;
    if (!problem_.prefixes) return (maker.effect == Effect::kSet ? maker.a : maker.b) == seeker.a;
    const size_t at = seeker.text.rfind(maker.text);
    return at != std::string_view::npos && at + maker.text.size() > shared->size();
  };
  std::vector<uint32_t> found;
  for (const Move& maker : left) {
    const bool helps = std::any_of(left.begin(), left.end(),
                                   [&](const Move& seeker) { return made(maker, seeker); });
    if (maker.mayBeLost && helps) found.push_back(maker.origin);
  }
  return found;
}

}  // namespace keyhaul::sim
