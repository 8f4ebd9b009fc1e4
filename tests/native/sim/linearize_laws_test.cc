// The checker against every order there is, and what a witness promises.
#include <gtest/gtest.h>

#include "linearize/linearize.h"
#include "sim/brute_force.h"
#include "sim/random_history.h"

namespace keyhaul::sim {
namespace {

using test::bruteKey;
using test::bruteRegister;
using test::Random;
using test::randomRegister;
using test::randomStore;

constexpr uint64_t kValues = 3;

struct Tally {
  size_t yes = 0;
  size_t no = 0;
  void count(bool linearizable) { ++(linearizable ? yes : no); }
};

template <typename Op>
std::vector<Op> without(std::vector<Op> history, size_t index) {
  history.erase(history.begin() + static_cast<std::ptrdiff_t>(index));
  return history;
}

TEST(LinearizeLaws, registersAsByEveryOrder) {
  Random random(1);
  LinearizabilityChecker checker;
  Tally tally;
  for (size_t i = 0; i < 10'000; ++i) {
    const auto history = randomRegister(random, 1 + random.below(6), 4 + random.below(16), kValues, 5);
    const bool expected = bruteRegister(history, kNil);
    ASSERT_EQ(checker.checkRegister(history).linearizable(), expected) << "history " << i;
    tally.count(expected);
  }
  EXPECT_GT(tally.yes, 2'000U);
  EXPECT_GT(tally.no, 2'000U);
}

// Many equal ones that may be lost, and few that look.
TEST(LinearizeLaws, registersWithoutAnswersAsByEveryOrder) {
  Random random(7);
  LinearizabilityChecker checker;
  Tally tally;
  for (size_t i = 0; i < 10'000; ++i) {
    const uint64_t values = 1 + random.below(2);
    const auto history = randomRegister(random, 5 + random.below(3), 4 + random.below(16), values, 3, 2);
    const bool expected = bruteRegister(history, kNil);
    ASSERT_EQ(checker.checkRegister(history).linearizable(), expected) << "history " << i;
    tally.count(expected);
  }
  EXPECT_GT(tally.yes, 2'000U);
  EXPECT_GT(tally.no, 2'000U);
}

TEST(LinearizeLaws, storesAsByEveryOrder) {
  Random random(2);
  LinearizabilityChecker checker;
  Tally tally;
  for (size_t i = 0; i < 10'000; ++i) {
    const auto history = randomStore(random, 1 + random.below(6), 4 + random.below(16), 1, 3);
    const bool expected = bruteKey(history);
    ASSERT_EQ(checker.checkKeyValue(history).linearizable(), expected) << "history " << i;
    tally.count(expected);
  }
  EXPECT_GT(tally.yes, 2'000U);
  EXPECT_GT(tally.no, 2'000U);
}

TEST(LinearizeLaws, storesWithoutAnswersAsByEveryOrder) {
  Random random(8);
  LinearizabilityChecker checker;
  Tally tally;
  for (size_t i = 0; i < 10'000; ++i) {
    const auto history = randomStore(random, 5 + random.below(3), 4 + random.below(16), 1, 2, 2);
    const bool expected = bruteKey(history);
    ASSERT_EQ(checker.checkKeyValue(history).linearizable(), expected) << "history " << i;
    tally.count(expected);
  }
  EXPECT_GT(tally.yes, 2'000U);
  EXPECT_GT(tally.no, 2'000U);
}

TEST(LinearizeLaws, keysAreIndependent) {
  Random random(3);
  Tally tally;
  for (size_t i = 0; i < 5'000; ++i) {
    const auto history = randomStore(random, 9, 20, 3, 12);
    bool expected = true;
    for (const std::string key : {"a", "b", "c"}) {
      std::vector<KeyValueOperation> part;
      for (const auto& op : history) {
        if (op.key == key) part.push_back(op);
      }
      expected = expected && bruteKey(part);
    }
    const Verdict verdict = checkKeyValue(history);
    ASSERT_EQ(verdict.linearizable(), expected) << "history " << i;
    tally.count(expected);
    if (expected) continue;
    for (const uint32_t op : verdict.witness->operations) {
      EXPECT_EQ(history[op].key, history[verdict.witness->last].key);
    }
  }
  EXPECT_GT(tally.yes, 500U);
  EXPECT_GT(tally.no, 500U);
}

TEST(LinearizeLaws, whatReallyHappenedIsLinearizable) {
  Random random(4);
  LinearizabilityChecker checker;
  for (size_t i = 0; i < 300; ++i) {
    const size_t count = 20 + random.below(200);
    EXPECT_TRUE(checker.checkRegister(randomRegister(random, count, count * 2, kValues, 0)).linearizable());
    EXPECT_TRUE(checker.checkKeyValue(randomStore(random, count, count * 2, 2, 0)).linearizable());
  }
}

// Leaving out what only looks, and unlearning how anything ended, keeps a history linearizable.
TEST(LinearizeLaws, knowingLessIsNeverWorse) {
  Random random(5);
  LinearizabilityChecker checker;
  size_t checked = 0;
  for (size_t i = 0; i < 3'000; ++i) {
    const auto history = randomRegister(random, 12, 30, kValues, 12);
    if (!checker.checkRegister(history).linearizable()) continue;
    for (size_t j = 0; j < history.size(); ++j) {
      if (history[j].kind == RegisterKind::kRead) {
        ASSERT_TRUE(checker.checkRegister(without(history, j)).linearizable()) << "history " << i;
      }
      auto unlearnt = history;
      unlearnt[j].outcome = Outcome::kUnknown;
      ASSERT_TRUE(checker.checkRegister(unlearnt).linearizable()) << "history " << i;
      ++checked;
    }
  }
  EXPECT_GT(checked, 1'000U);
}

// What was known at a moment.
std::vector<Operation> prefixOf(const std::vector<Operation>& history, Moment now) {
  std::vector<Operation> prefix;
  for (Operation op : history) {
    if (op.invoked > now) continue;
    if (op.returned > now) op.outcome = Outcome::kUnknown;
    prefix.push_back(op);
  }
  return prefix;
}

// The history in which nothing but `needed` is demanded, after the cut if there is one.
bool provesBy(const std::vector<Operation>& prefix, const std::vector<Operation>& needed,
              std::optional<Moment> cut) {
  std::vector<Operation> left;
  for (Operation op : prefix) {
    const bool demanded = std::any_of(needed.begin(), needed.end(), [&](const Operation& other) {
      return other.client == op.client;
    });
    const bool over = op.outcome != Outcome::kUnknown && op.returned != kNever;
    if (!demanded && cut && over && op.returned <= *cut) continue;
    if (!demanded) op.outcome = Outcome::kUnknown;
    left.push_back(op);
  }
  if (!cut) return !bruteRegister(left, kNil);
  for (Value start = 0; start <= static_cast<Value>(kValues); ++start) {
    if (bruteRegister(left, start)) return false;
  }
  return !bruteRegister(left, kNil);
}

TEST(LinearizeLaws, theWitnessIsOfTheShortestPrefixAndProvesTheVerdict) {
  Random random(6);
  LinearizabilityChecker checker;
  size_t witnesses = 0;
  size_t cuts = 0;
  for (size_t i = 0; i < 8'000; ++i) {
    const auto history = randomRegister(random, 2 + random.below(6), 6 + random.below(16), kValues, 5);
    const Verdict verdict = checker.checkRegister(history);
    if (verdict.linearizable()) continue;
    const Witness& witness = *verdict.witness;
    ASSERT_TRUE(witness.complete);
    const Moment last = history[witness.last].returned;
    const auto prefix = prefixOf(history, last);
    ASSERT_FALSE(bruteRegister(prefix, kNil)) << "history " << i;
    ASSERT_TRUE(last == 0 || bruteRegister(prefixOf(history, last - 1), kNil)) << "history " << i;
    std::vector<Operation> needed;
    for (const uint32_t op : witness.operations) needed.push_back(history[op]);
    ASSERT_TRUE(provesBy(prefix, needed, witness.cut)) << "history " << i;
    for (size_t j = 0; j < needed.size(); ++j) {
      ASSERT_FALSE(provesBy(prefix, without(needed, j), witness.cut)) << "history " << i;
    }
    ++witnesses;
    cuts += witness.cut ? 1 : 0;
  }
  EXPECT_GT(witnesses, 1'500U);
  EXPECT_GT(cuts, 300U);
}

}  // namespace
}  // namespace keyhaul::sim
