// Windows of a key's history against the whole of it.
#include "key_history.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "prng.h"

namespace keyhaul::sim {
namespace {

using Verdict = KeyHistory::Verdict;

// A register that several clients use, and what goes wrong with it.
struct Harm {
  uint32_t losesAnswer = 0, neverCarriesOut = 0, forgets = 0, readsStale = 0;  // per million
  uint32_t conditional = 0;  // of the writes: only if the register holds what it held when they began
  uint32_t blind = 0;        // of those: looked when they began, and not when they were carried out
};

// Runs it, tells the history, and keeps what happened to judge it otherwise.
class Rehearsed {
 public:
  Rehearsed(uint64_t seed, const Harm& harm) : prng_(seed, "key history"), harm_(harm) {}

  void run(uint32_t clients, uint32_t operations) {
    running_.resize(clients);
    for (uint32_t done = 0; done < operations || isBusy();) {
      ++now_;
      const auto client = static_cast<uint32_t>(prng_.below(clients));
      if (!running_[client]) {
        // Often enough one is alone.
        if (done >= operations || (isBusy() && prng_.below(3) != 0)) continue;
        ++done;
        begin(client);
      } else if (!running_[client]->carriedOut && prng_.below(2) == 0) {
        carryOut(client);
      } else if (running_[client]->carriedOut) {
        end(client);
      }
    }
    ++now_;
    windowed.read(99, value_, now_, now_);
    whole.push_back({99, RegisterKind::kRead, Outcome::kOk, value_, kNil, now_, now_});
    note(windowed.finish(checker_));
  }

  KeyHistory windowed;
  std::vector<Operation> whole;   // an open one as the checker knows it
  std::vector<Moment> takenAt;    // of whole[i]; kNever
  bool wrong = false;
  uint32_t windows = 0, open = 0, refusedOnes = 0;

 private:
  struct Running {
    Operation operation;
    uint64_t sequence = 0;
    bool carriedOut = false, early = false;
    Moment taken = kNever;
  };

  bool isBusy() const {
    return std::any_of(running_.begin(), running_.end(), [](const auto& one) { return one.has_value(); });
  }
  void begin(uint32_t client) {
    Running one;
    one.operation = {client, RegisterKind::kRead, Outcome::kOk, kNil, kNil, now_, kNever};
    if (prng_.below(2) == 0) {
      one.sequence = ++sequence_;
      one.operation.kind = RegisterKind::kWrite;
      one.operation.value = prng_.below(4) == 0 ? kNil : static_cast<Value>(sequence_);
      if (harm_.conditional != 0 && prng_.chance(harm_.conditional)) {
        one.operation.kind = RegisterKind::kCas;
        one.operation.expected = prng_.below(4) == 0 ? before_ : value_;
        one.early = one.operation.expected == value_;
        windowed.beginCas(client, one.sequence, one.operation.expected, one.operation.value, now_);
      } else {
        windowed.begin(client, one.sequence, one.operation.value, now_);
      }
    }
    running_[client] = one;
  }
  void carryOut(uint32_t client) {
    Running& one = *running_[client];
    one.carriedOut = true;
    if (one.operation.kind == RegisterKind::kRead) {
      one.operation.value = prng_.chance(harm_.readsStale) ? before_ : value_;
      return;
    }
    if (prng_.chance(harm_.neverCarriesOut)) {
      one.operation.outcome = Outcome::kUnknown;
      return;
    }
    one.taken = now_;
    windowed.take(client, one.sequence, now_);
    if (one.operation.kind == RegisterKind::kCas) {
      const bool blind = harm_.blind != 0 && prng_.chance(harm_.blind);
      if (!(blind ? one.early : one.operation.expected == value_)) {
        one.operation.outcome = Outcome::kRefused;
        return;
      }
    }
    if (prng_.chance(harm_.forgets)) return;
    before_ = value_;
    value_ = one.operation.value;
  }
  void end(uint32_t client) {
    Running& one = *running_[client];
    Operation& operation = one.operation;
    const bool reads = operation.kind == RegisterKind::kRead;
    if (!reads && prng_.chance(harm_.losesAnswer)) operation.outcome = Outcome::kUnknown;
    if (operation.outcome == Outcome::kUnknown) {
      ++open;
    } else {
      operation.returned = now_;
      if (reads) windowed.read(client, operation.value, operation.invoked, now_);
      const bool refused = operation.outcome == Outcome::kRefused;
      refusedOnes += refused ? 1U : 0U;
      if (!reads) windowed.acknowledge(client, one.sequence, now_, refused);
    }
    whole.push_back(operation);
    takenAt.push_back(one.taken);
    running_[client].reset();
    Moment since = kNever;
    for (const auto& other : running_) {
      if (other) since = std::min(since, other->operation.invoked);
    }
    note(windowed.settle(checker_, since));
  }
  void note(Verdict verdict) {
    EXPECT_NE(verdict, Verdict::kUnjudged);
    if (verdict == Verdict::kNothing) return;
    ++windows;
    wrong = wrong || verdict == Verdict::kWrong;
  }

  Prng prng_;
  Harm harm_;
  LinearizabilityChecker checker_;
  std::vector<std::optional<Running>> running_;
  Moment now_ = 0;
  uint64_t sequence_ = 0;
  Value value_ = kNil, before_ = kNil;
};

bool isRight(std::span<const Operation> history) { return checkRegister(history).linearizable(); }

// With all that is known of the open ones: each took effect when it was carried out, or never.
bool isRightExactly(const Rehearsed& run) {
  std::vector<size_t> open;
  std::vector<Operation> history;
  for (size_t i = 0; i < run.whole.size(); ++i) {
    const bool isOpen = run.whole[i].outcome == Outcome::kUnknown;
    if (!isOpen) history.push_back(run.whole[i]);
    if (isOpen && run.takenAt[i] != kNever) open.push_back(i);
  }
  for (uint32_t chosen = 0; chosen < (1U << open.size()); ++chosen) {
    std::vector<Operation> tried = history;
    for (size_t i = 0; i < open.size(); ++i) {
      if (((chosen >> i) & 1) == 0) continue;
      Operation took = run.whole[open[i]];
      took.outcome = Outcome::kOk;
      took.invoked = took.returned = run.takenAt[open[i]];
      tried.push_back(took);
    }
    if (isRight(tried)) return true;
  }
  return false;
}

TEST(KeyHistory, WhatARegisterDidIsRightWhateverGetsLost) {
  uint64_t windows = 0, open = 0;
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    Rehearsed run(seed, {100'000, 50'000, 0, 0});
    run.run(2 + static_cast<uint32_t>(seed % 5), 400);
    ASSERT_FALSE(run.wrong) << seed << '\n' << run.windowed.witness(0, "moment");
    windows += run.windows;
    open += run.open;
  }
  // They are cut, and there is something to be careful about.
  EXPECT_GT(windows, 300U * 4);
  EXPECT_GT(open, 300U * 10);
}

TEST(KeyHistory, WithoutLostAnswersWindowsSayWhatTheWholeSays) {
  uint32_t wrong = 0, cut = 0;
  for (uint64_t seed = 1; seed <= 600; ++seed) {
    Rehearsed run(seed, {0, 0, seed % 3 == 0 ? 20'000U : 0U, seed % 3 == 1 ? 20'000U : 0U});
    run.run(2 + static_cast<uint32_t>(seed % 3), 200);
    ASSERT_EQ(run.wrong, !isRight(run.whole)) << seed;
    wrong += run.wrong ? 1U : 0U;
    cut += run.windows > 1 ? 1U : 0U;
  }
  EXPECT_GT(wrong, 100U);
  EXPECT_LT(wrong, 500U);
  EXPECT_GT(cut, 500U);
}

// Those that look before they write, and are told yes, or no, or nothing.
TEST(KeyHistory, ComparesAndSets) {
  uint64_t windows = 0, open = 0, refused = 0;
  uint32_t wrong = 0, blind = 0;
  for (uint64_t seed = 1; seed <= 600; ++seed) {
    Rehearsed honest(seed, {100'000, 50'000, 0, 0, 600'000});
    honest.run(2 + static_cast<uint32_t>(seed % 5), 300);
    ASSERT_FALSE(honest.wrong) << seed << '\n' << honest.windowed.witness(0, "moment");
    windows += honest.windows;
    open += honest.open;
    refused += honest.refusedOnes;
    Rehearsed run(seed, {0, 0, seed % 3 == 0 ? 20'000U : 0U, 0, 600'000, seed % 3 == 1 ? 300'000U : 0U});
    run.run(2 + static_cast<uint32_t>(seed % 3), 200);
    ASSERT_EQ(run.wrong, !isRight(run.whole)) << seed;
    if (seed % 3 == 2) {
      ASSERT_FALSE(run.wrong) << seed;
    }
    wrong += run.wrong ? 1U : 0U;
    blind += run.wrong && seed % 3 == 1 ? 1U : 0U;
  }
  EXPECT_GT(windows, 600U * 2);
  EXPECT_GT(open, 600U * 10);
  EXPECT_GT(refused, 600U * 10);
  EXPECT_GT(blind, 50U);
  EXPECT_GT(wrong, blind + 50);
}

// What was lost makes windows say more than the whole history, in which anything that is open may
// still take effect; and never more than is true.
TEST(KeyHistory, WithLostAnswersWindowsSayNoLessThanTheWholeAndNoMoreThanIsTrue) {
  uint32_t wrong = 0, wholeWrong = 0, exactlyWrong = 0;
  for (uint64_t seed = 1; seed <= 800; ++seed) {
    Rehearsed run(seed, {25'000, 12'000, seed % 2 == 0 ? 15'000U : 0U, seed % 2 == 1 ? 15'000U : 0U});
    run.run(3, 150);
    if (run.open > 8) continue;
    const bool exact = isRightExactly(run), whole = isRight(run.whole);
    ASSERT_TRUE(run.wrong || whole) << seed;
    ASSERT_FALSE(run.wrong && exact) << seed << '\n' << run.windowed.witness(0, "moment");
    wrong += run.wrong ? 1U : 0U;
    wholeWrong += whole ? 0U : 1U;
    exactlyWrong += exact ? 0U : 1U;
  }
  EXPECT_GT(wholeWrong, 50U);
  EXPECT_GE(wrong, wholeWrong);
  EXPECT_LE(wrong, exactlyWrong);
  // Windows lose little of what can be known.
  EXPECT_GT(wrong * 10, exactlyWrong * 9);
}

// Overlapping without a break: no window ends, and nothing is lost of what is to be judged.
TEST(KeyHistory, KeepsWhatOverlapsUntilItEnds) {
  KeyHistory history;
  LinearizabilityChecker checker;
  Moment now = 0;
  for (uint64_t i = 1; i <= 500; ++i) {
    history.begin(static_cast<uint32_t>(i % 2), i, static_cast<Value>(i), ++now);
    if (i > 1) {
      history.take(static_cast<uint32_t>((i - 1) % 2), i - 1, ++now);
      history.acknowledge(static_cast<uint32_t>((i - 1) % 2), i - 1, ++now);
    }
    ASSERT_EQ(history.settle(checker, now), Verdict::kNothing);
  }
  EXPECT_EQ(history.waiting(), 500U);
  history.read(9, 17, now + 1, now + 2);
  EXPECT_EQ(history.finish(checker), Verdict::kWrong);
  const std::string witness = history.witness(0, "line");
  EXPECT_NE(witness.find("shortest witness: "), std::string::npos) << witness;
  EXPECT_NE(witness.find("read 17 (lines "), std::string::npos) << witness;
}

// A window that takes too long is said to be unjudged, and the next one is judged again.
TEST(KeyHistory, SaysWhatItCannotJudge) {
  KeyHistory history;
  LinearizabilityChecker checker;
  // Sixty writes at once, seen in an order that only a long search can refute.
  constexpr uint32_t kAtOnce = 60;
  for (uint32_t i = 1; i <= kAtOnce; ++i) history.begin(i, 1, static_cast<Value>(i), 1);
  Moment now = 100;
  for (uint32_t i = 1; i <= kAtOnce; ++i) {
    for (const uint32_t seen : {i, i % kAtOnce + 1}) {
      history.read(1'000 + i, static_cast<Value>(seen), now, now + 10);
    }
    now += 3;
  }
  for (uint32_t i = 1; i <= kAtOnce; ++i) {
    history.take(i, 1, now);
    history.acknowledge(i, 1, now + 100);
  }
  history.read(5'000, 3, now + 200, now + 201);
  ASSERT_EQ(history.settle(checker, now + 300), Verdict::kUnjudged);
  EXPECT_EQ(history.waiting(), 0U);
  EXPECT_TRUE(history.witness(0, "line").empty());
  // What the last one alone left is known all the same.
  history.read(5'000, 3, now + 400, now + 401);
  history.read(5'000, 4, now + 402, now + 403);
  EXPECT_EQ(history.finish(checker), Verdict::kWrong);
}

}  // namespace
}  // namespace keyhaul::sim
