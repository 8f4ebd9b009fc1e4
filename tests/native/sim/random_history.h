// Small histories by chance: of a real register or store, with now and then a lie in it.
#pragma once

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "linearize/history.h"
#include "sim/brute_force.h"
#include "support/random.h"

namespace keyhaul::test {

// An operation lasts at most so many moments, or the overlap would grow with the history.
inline constexpr uint64_t kLongest = 16;

// When an operation began, took effect and was over.
struct Span {
  sim::Moment invoked = 0;
  sim::Moment effect = 0;
  sim::Moment returned = 0;
};

inline Span randomSpan(Random& random, uint64_t momentsMax) {
  std::array<sim::Moment, 3> moments{};
  // Short ones more often, so that not everything overlaps.
  const uint64_t longest = random.below(2) == 0 ? 3 : std::min(kLongest, momentsMax);
  const sim::Moment begin = random.below(momentsMax);
  for (sim::Moment& moment : moments) moment = begin + random.below(longest);
  std::sort(moments.begin(), moments.end());
  return {moments[0], moments[1], moments[2]};
}

inline std::vector<Span> randomSpans(Random& random, size_t count, uint64_t momentsMax) {
  std::vector<Span> spans;
  for (size_t i = 0; i < count; ++i) spans.push_back(randomSpan(random, momentsMax));
  std::sort(spans.begin(), spans.end(), [](const Span& x, const Span& y) { return x.effect < y.effect; });
  return spans;
}

// One answer in `lossIn` never comes.
template <typename Op>
void mayLoseAnswer(Random& random, Op& op, uint64_t lossIn = 6) {
  if (random.below(lossIn) != 0) return;
  op.outcome = sim::Outcome::kUnknown;
  if (random.below(2) == 0) op.returned = sim::kNever;
}

// `liesIn`: one answer in so many is made up; 0 for none.
inline std::vector<sim::Operation> randomRegister(Random& random, size_t count, uint64_t moments,
                                                  uint64_t values, uint64_t liesIn,
                                                  uint64_t lossIn = 6) {
  std::vector<sim::Operation> history;
  sim::Value held = sim::kNil;
  for (const Span& span : randomSpans(random, count, moments)) {
    sim::Operation op;
    op.client = static_cast<int64_t>(history.size());
    op.kind = static_cast<sim::RegisterKind>(random.below(3));
    op.invoked = span.invoked;
    op.returned = span.returned;
    op.value = static_cast<sim::Value>(random.below(values));
    op.expected = static_cast<sim::Value>(random.below(values));
    if (op.kind == sim::RegisterKind::kRead) op.value = held;
    if (op.kind == sim::RegisterKind::kCas && op.expected != held) op.outcome = sim::Outcome::kRefused;
    if (const auto after = applyToRegister(op, held)) held = *after;
    if (liesIn != 0 && random.below(liesIn) == 0) {
      if (op.kind == sim::RegisterKind::kCas) {
        op.outcome = op.outcome == sim::Outcome::kOk ? sim::Outcome::kRefused : sim::Outcome::kOk;
      } else {
        op.value = static_cast<sim::Value>(random.below(values));
      }
    }
    mayLoseAnswer(random, op, lossIn);
    history.push_back(op);
  }
  return history;
}

inline std::vector<sim::KeyValueOperation> randomStore(Random& random, size_t count, uint64_t moments,
                                                       uint64_t keys, uint64_t liesIn,
                                                       uint64_t lossIn = 6) {
  std::vector<sim::KeyValueOperation> history;
  std::map<std::string, std::string> held;
  for (const Span& span : randomSpans(random, count, moments)) {
    sim::KeyValueOperation op;
    op.client = static_cast<int64_t>(history.size());
    op.kind = static_cast<sim::KeyValueKind>(random.below(3));
    op.invoked = span.invoked;
    op.returned = span.returned;
    op.key = std::string(1, static_cast<char>('a' + random.below(keys)));
    std::string& value = held[op.key];
    // Values that run into each other: "x" "xx", and nothing at all.
    static const std::array<const char*, 4> kParts{"x", "y", "xx", ""};
    op.value = op.kind == sim::KeyValueKind::kGet ? value : kParts[random.below(kParts.size())];
    if (const auto after = applyToKey(op, value)) value = *after;
    if (liesIn != 0 && random.below(liesIn) == 0) op.value += kParts[random.below(kParts.size())];
    if (random.below(20) == 0 && op.kind != sim::KeyValueKind::kGet) {
      // Refused, and it took effect: a lie too, unless nobody looked.
      if (liesIn != 0) op.outcome = sim::Outcome::kRefused;
    }
    mayLoseAnswer(random, op, lossIn);
    history.push_back(op);
  }
  return history;
}

}  // namespace keyhaul::test
