// The checker by example: each rule of the model, the budget, and what a witness says.
#include <gtest/gtest.h>

#include "linearize/describe.h"
#include "linearize/linearize.h"
#include "sim/random_history.h"

namespace keyhaul::sim {
namespace {

Operation read(Value value, Moment invoked, Moment returned) {
  return {0, RegisterKind::kRead, Outcome::kOk, value, kNil, invoked, returned};
}
Operation write(Value value, Moment invoked, Moment returned) {
  return {1, RegisterKind::kWrite, Outcome::kOk, value, kNil, invoked, returned};
}
Operation cas(Value expected, Value value, Moment invoked, Moment returned) {
  return {2, RegisterKind::kCas, Outcome::kOk, value, expected, invoked, returned};
}
Operation with(Operation operation, Outcome outcome) {
  operation.outcome = outcome;
  return operation;
}
bool fits(const std::vector<Operation>& history) { return checkRegister(history).linearizable(); }

TEST(Linearize, aRegisterHoldsWhatWasWrittenLast) {
  EXPECT_TRUE(fits({}));
  EXPECT_TRUE(fits({read(kNil, 1, 2)}));
  EXPECT_TRUE(fits({write(3, 1, 2), read(3, 3, 4)}));
  EXPECT_FALSE(fits({write(3, 1, 2), read(kNil, 3, 4)}));
  EXPECT_FALSE(fits({write(3, 1, 2), write(4, 3, 4), read(3, 5, 6)}));
  EXPECT_FALSE(fits({read(3, 1, 2), write(3, 3, 4)}));
}

TEST(Linearize, whatOverlapsMayTakeEffectInAnyOrder) {
  EXPECT_TRUE(fits({write(3, 1, 4), read(kNil, 2, 3)}));
  EXPECT_TRUE(fits({write(3, 1, 4), read(3, 2, 3)}));
  EXPECT_FALSE(fits({write(3, 1, 6), read(3, 2, 3), read(kNil, 4, 5)}));
  // In one moment is concurrent.
  EXPECT_TRUE(fits({write(3, 1, 2), read(kNil, 2, 3)}));
}

TEST(Linearize, whatGotNoAnswerTakesEffectAnyTimeLaterOrNever) {
  const Operation lost = with(write(3, 1, kNever), Outcome::kUnknown);
  EXPECT_TRUE(fits({lost, read(kNil, 2, 3), read(kNil, 4, 5)}));
  EXPECT_TRUE(fits({lost, read(kNil, 2, 3), read(3, 4, 5)}));
  EXPECT_FALSE(fits({lost, read(3, 2, 3), read(kNil, 4, 5)}));
  // Once is once.
  EXPECT_FALSE(fits({lost, read(3, 2, 3), write(4, 4, 5), read(4, 6, 7), read(3, 8, 9)}));
  // Not before it was invoked.
  EXPECT_FALSE(fits({read(3, 1, 2), with(write(3, 3, kNever), Outcome::kUnknown)}));
  // A read without an answer tells nothing, whatever stands in it.
  EXPECT_TRUE(fits({with(read(9, 1, 2), Outcome::kUnknown)}));
}

TEST(Linearize, aSwapSeesWhatItExpects) {
  EXPECT_TRUE(fits({write(1, 1, 2), cas(1, 2, 3, 4), read(2, 5, 6)}));
  EXPECT_FALSE(fits({write(3, 1, 2), cas(1, 2, 3, 4)}));
  EXPECT_TRUE(fits({write(3, 1, 2), with(cas(1, 2, 3, 4), Outcome::kRefused)}));
  EXPECT_FALSE(fits({write(1, 1, 2), with(cas(1, 2, 3, 4), Outcome::kRefused)}));
  EXPECT_TRUE(fits({write(1, 1, 2), with(cas(1, 2, 3, kNever), Outcome::kUnknown), read(2, 5, 6)}));
  EXPECT_TRUE(fits({write(1, 1, 2), with(cas(1, 2, 3, kNever), Outcome::kUnknown), read(1, 5, 6)}));
  // A chain of two that got no answer.
  EXPECT_TRUE(fits({write(1, 1, 2), with(cas(1, 2, 3, kNever), Outcome::kUnknown),
                    with(cas(2, 3, 4, kNever), Outcome::kUnknown), read(3, 6, 7)}));
}

TEST(Linearize, theFirstValueMayBeGiven) {
  CheckOptions options;
  options.initial = 7;
  EXPECT_TRUE(checkRegister(std::vector{read(7, 1, 2)}, options).linearizable());
  EXPECT_FALSE(checkRegister(std::vector{read(kNil, 1, 2)}, options).linearizable());
}

TEST(Linearize, aSpentBudgetIsNoVerdict) {
  // Swaps that lead everywhere but to the value that is read: much to try.
  std::vector<Operation> history;
  for (Value i = 0; i < 24; ++i) history.push_back(cas(i % 5, (i * 7 + 1) % 5, 1, 100));
  history.push_back(write(0, 1, 100));
  history.push_back(read(9, 2, 100));
  CheckOptions options;
  options.stepsMax = 50;
  const Verdict verdict = checkRegister(history, options);
  EXPECT_EQ(verdict.answer, Answer::kUnknown);
  EXPECT_FALSE(verdict.witness);
  EXPECT_LE(verdict.steps, 52U);
}

TEST(Linearize, aLongHistoryWithManyLostAnswersTakesFewSteps) {
  test::Random random(11);
  const auto history = test::randomRegister(random, 4'000, 8'000, 4, 0);
  CheckOptions options;
  options.stepsMax = 100'000;
  EXPECT_EQ(checkRegister(history, options).answer, Answer::kLinearizable);
  auto wrong = history;
  wrong[3'000] = read(77, wrong[3'000].invoked, wrong[3'000].invoked + 1);
  EXPECT_EQ(checkRegister(wrong, options).answer, Answer::kNotLinearizable);
}

TEST(Linearize, theWitnessLeavesOutWhatDoesNotMatter) {
  std::vector<Operation> history;
  for (Moment i = 0; i < 20; ++i) history.push_back(write(static_cast<Value>(i % 3), i * 2, i * 2 + 1));
  history.push_back(write(4, 100, 101));
  history.push_back(read(4, 102, 103));
  history.push_back(read(1, 104, 105));
  history.push_back(read(4, 106, 107));
  const Verdict verdict = checkRegister(history);
  ASSERT_TRUE(verdict.witness);
  EXPECT_EQ(verdict.witness->last, 22U);
  const std::string text = describeWitness(history, *verdict.witness, kNil, "line");
  EXPECT_NE(text.find("shortest witness: 2 of the 23 operations up to line 105"), std::string::npos) << text;
  EXPECT_NE(text.find("read 1 (lines 104-105) returned after 4 had been read (lines 102-103)"),
            std::string::npos)
      << text;
}

TEST(Linearize, theWitnessSaysThatNobodyWroteIt) {
  const std::vector<Operation> history{write(4, 1, 2), read(5, 3, 4)};
  const Verdict verdict = checkRegister(history);
  ASSERT_TRUE(verdict.witness);
  EXPECT_EQ(describeWitness(history, *verdict.witness, kNil, "line"),
            "shortest witness: 1 of the 2 operations up to line 4\n"
            "read 5 (lines 3-4) returned a value that nobody had written\n\n"
            "  client 0  read 5  ||   lines 3-4  <- fits in no order\n");
}

KeyValueOperation keyed(KeyValueKind kind, std::string key, std::string value, Moment invoked,
                        Moment returned) {
  return {0, kind, Outcome::kOk, std::move(key), std::move(value), invoked, returned};
}

TEST(Linearize, aStoreAppends) {
  const auto get = KeyValueKind::kGet;
  const auto put = KeyValueKind::kPut;
  const auto append = KeyValueKind::kAppend;
  std::vector<KeyValueOperation> history{keyed(get, "k", "", 1, 2), keyed(append, "k", "a", 3, 4),
                                         keyed(append, "k", "b", 5, 6), keyed(get, "k", "ab", 7, 8),
                                         keyed(put, "k", "c", 9, 10), keyed(append, "other", "x", 9, 10),
                                         keyed(append, "k", "d", 11, 12)};
  history.push_back(keyed(get, "k", "cd", 13, 14));
  EXPECT_TRUE(checkKeyValue(history).linearizable());
  history.back().value = "abcd";
  EXPECT_FALSE(checkKeyValue(history).linearizable());
  history.back().value = "dc";
  EXPECT_FALSE(checkKeyValue(history).linearizable());
  history.back().value = "c";
  const Verdict verdict = checkKeyValue(history);
  ASSERT_TRUE(verdict.witness);
  EXPECT_EQ(describeWitness(history, *verdict.witness, "line"),
            "key \"k\"\nshortest witness: 3 of the 7 operations up to line 14\n"
            "get \"c\" (lines 13-14) returned a value without what append \"d\" (lines 11-12) had "
            "added, which had been acknowledged before\n\n"
            "  client 0  put \"c\"     ||       lines 9-10\n"
            "  client 0  append \"d\"    ||     lines 11-12\n"
            "  client 0  get \"c\"         ||   lines 13-14  <- fits in no order\n");
}

}  // namespace
}  // namespace keyhaul::sim
