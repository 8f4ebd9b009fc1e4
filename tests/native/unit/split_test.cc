// Where a migration is split that does not converge, and what the journal knows of it.
#include <gtest/gtest.h>

#include <string>

#include "base/bytes.h"
#include "keyhaul/journal.h"
#include "keyhaul/plan.h"
#include "migrate/changed_sample.h"
#include "support/golden.h"

namespace keyhaul {
namespace {

KeyRange range(const std::string& low, const std::string& high) { return {low, Bound::at(high)}; }

ChangedSample sampleOf(const std::vector<std::string>& keys) {
  ChangedSample sample;
  sample.watch(true);
  for (const std::string& key : keys) sample.add(key);
  return sample;
}

TEST(ChangedSample, ItsMiddleGivesEachPartHalfOfTheWrites) {
  const std::vector<KeyRange> all{KeyRange::all()};
  EXPECT_EQ(sampleOf({"a", "b", "c", "d"}).middle(all), "c");
  EXPECT_EQ(sampleOf({"d", "a", "c", "b"}).middle(all), "c");
  // Of the writes, not of the keys.
  EXPECT_EQ(sampleOf({"a", "b", "c", "d", "x", "x", "x", "y", "y", "y"}).middle(all), "x");
  EXPECT_EQ(sampleOf({"a", "a", "a", "a", "b", "c"}).middle(all), "b");
}

TEST(ChangedSample, AKeyThatIsMostOfItGoesToTheSideThatIsMoreEvenThen) {
  const std::vector<KeyRange> all{KeyRange::all()};
  EXPECT_EQ(sampleOf({"a", "m", "m", "m", "m", "y", "z"}).middle(all), "y");
  EXPECT_EQ(sampleOf({"a", "b", "m", "m", "m", "m", "z"}).middle(all), "m");
  EXPECT_EQ(sampleOf({"m", "m", "m", "z"}).middle(all), "z");
  EXPECT_EQ(sampleOf({"a", "m", "m", "m"}).middle(all), "m");
}

TEST(ChangedSample, HasNoMiddleWhereOnePartWouldBeEmpty) {
  const std::vector<KeyRange> some{range("c", "f")};
  EXPECT_EQ(ChangedSample().middle(some), "");
  EXPECT_EQ(sampleOf({"d", "d", "d"}).middle(some), "");
  EXPECT_EQ(sampleOf({"d", "e"}).middle(some), "e");
  // What a feed names beside the ranges is no reason to split them there.
  EXPECT_EQ(sampleOf({"a", "c"}).middle(some), "");
  EXPECT_EQ(sampleOf({"d", "f"}).middle(some), "");
  EXPECT_EQ(sampleOf({"d", "g"}).middle(some), "");
  EXPECT_EQ(sampleOf({"a", "d"}).middle({range("a", "b"), range("d", "e")}), "d");
}

TEST(ChangedSample, IsOfNothingUntilItIsWatched) {
  ChangedSample sample;
  sample.add("a");
  EXPECT_EQ(sample.size(), 0U);
}

// A range that is swept from its begin to its end, many times over what is kept: a window of the last
// changes would see one end of it only.
TEST(ChangedSample, IsSpreadOverTheWholeTimeAndBounded) {
  ChangedSample sample;
  sample.watch(true);
  const auto name = [](uint32_t i) {
    std::string digits = std::to_string(i);
    return "key" + std::string(7 - digits.size(), '0') + digits;
  };
  for (uint32_t i = 0; i < 100'000; ++i) {
    sample.add(name(i));
    ASSERT_LE(sample.size(), ChangedSample::kKeysMax);
  }
  EXPECT_GT(sample.size(), ChangedSample::kKeysMax / 4);
  const Key middle = sample.middle({KeyRange::all()});
  EXPECT_GT(middle, name(48'000));
  EXPECT_LT(middle, name(52'000));
}

TEST(ChangedSample, LargeKeysAreFewer) {
  ChangedSample sample;
  sample.watch(true);
  for (char c = 'a'; c <= 'z'; ++c) sample.add(std::string(ChangedSample::kBytesMax / 4, c));
  EXPECT_LE(sample.size(), 4U);
  EXPECT_GE(sample.size(), 1U);
  sample.add(std::string(4 * ChangedSample::kBytesMax, 'b'));
  EXPECT_GE(sample.size(), 1U);
}

TEST(SplitPlan, EveryKeyIsInOneHalfAndInNoOther) {
  Plan plan;
  plan.ranges = {range("b", "d"), range("f", "h"), {"k", Bound::infinity()}};
  plan.splitMax = 5;
  plan.claim[0] = plan.claim[15] = 9;
  plan.digestKey[3] = std::byte{4};
  for (const char* at : {"c", "d", "e", "f", "g", "h", "j", "k", "l", "zz"}) {
    const auto [first, second] = splitPlan(plan, at);
    EXPECT_FALSE(first.ranges.empty()) << at;
    EXPECT_FALSE(second.ranges.empty()) << at;
    const auto holds = [](const Plan& half, const std::string& key) {
      uint32_t in = 0;
      for (const KeyRange& one : half.ranges) in += one.contains(key) ? 1 : 0;
      return in;
    };
    for (char c = 'a'; c <= 'z'; ++c) {
      for (const std::string& key : {std::string(1, c), std::string(1, c) + std::string(1, '\0'), std::string(1, c) + "z"}) {
        EXPECT_EQ(holds(first, key) + holds(second, key), holds(plan, key)) << key << " split at " << at;
        if (holds(first, key) != 0) {
          EXPECT_LT(key, at);
        }
        if (holds(second, key) != 0) {
          EXPECT_GE(key, at);
        }
      }
    }
    EXPECT_EQ(first.splitMax, 3U);
    EXPECT_EQ(second.splitMax, 2U);
    EXPECT_EQ(first.claim, ClaimId{}) << "one claim for two would be no claim";
    EXPECT_EQ(second.claim, ClaimId{});
    EXPECT_EQ(second.digestKey, DigestKey{});
  }
}

Plan livePlan() {
  Plan plan;
  plan.source = "S";
  plan.target = "T";
  plan.mode = MigrationMode::kLive;
  plan.durable = true;
  plan.claim[0] = 7;
  plan.ranges = {range("b", "m")};
  plan.sourceCapabilities.bits = plan.targetCapabilities.bits = kKnownCapabilities & ~static_cast<uint32_t>(Capability::kFeedEarly);
  plan.splitMax = 8;
  return plan;
}

TEST(SplitPlan, IsOfLiveMigrationsOfTheWholeOnly) {
  PlanProblem problem;
  EXPECT_TRUE(validatePlan(livePlan(), &problem).ok()) << errorName(problem.code) << problem.field;
  const auto refused = [&problem](auto change) {
    Plan plan = livePlan();
    change(plan);
    return !validatePlan(std::move(plan), &problem).ok() && problem.code == ErrorCode::kInvalidArgument &&
           problem.field == "splitMax";
  };
  EXPECT_TRUE(refused([](Plan& plan) { plan.reverseWindowMs = 1'000; }));
  EXPECT_TRUE(refused([](Plan& plan) { plan.follow = true; }));
  EXPECT_TRUE(refused([](Plan& plan) { plan.operatorFence = true; }));
  EXPECT_TRUE(refused([](Plan& plan) { plan.mode = MigrationMode::kCopy; }));
  EXPECT_TRUE(refused([](Plan& plan) { plan.splitMax = kSplitMax + 1; }));
  EXPECT_EQ(problem.most, kSplitMax);
  // One part is the whole.
  for (const uint32_t none : {0U, 1U}) {
    Plan plan = livePlan();
    plan.splitMax = none;
    plan.reverseWindowMs = 1'000;
    EXPECT_TRUE(validatePlan(plan).ok());
  }
}

std::string write(const std::vector<Record>& records) {
  JournalWriter writer;
  std::string bytes;
  for (const Record& record : records) writer.append(record, bytes);
  return bytes;
}
Result<JournalImage> read(const std::vector<Record>& records) { return readJournal(asBytes(write(records))); }

std::vector<Record> story(std::initializer_list<Record> more, const Plan& plan = livePlan()) {
  using enum MigrationState;
  std::vector<Record> records{PlanRecord{plan, GuaranteeLevel::kL4}, PhaseRecord{kClaiming}, ClaimedRecord{},
                              PreparedRecord{true, "p"}, PhaseRecord{kStaging}, PhaseRecord{kCopying}, PhaseRecord{kCatchingUp}};
  records.insert(records.end(), more.begin(), more.end());
  return records;
}

TEST(SplitJournal, KnowsTheKeyOnceItIsGivenUp) {
  using enum MigrationState;
  const SplitRecord split{"f"};
  const StoppedRecord why{ErrorCode::kNotConverging, "too fast"};
  const auto aborting = read(story({split, why, PhaseRecord{kAborting}}));
  ASSERT_TRUE(aborting.ok());
  EXPECT_TRUE(aborting->aborting);
  EXPECT_EQ(aborting->splitAt, "f");
  EXPECT_EQ(aborting->abortedFor, ErrorCode::kNotConverging);
  EXPECT_EQ(aborting->plan.plan().splitMax, 8U);
  // It stays known however often somebody has to go on.
  EXPECT_EQ(read(story({split, why, PhaseRecord{kAborting}, ResumedRecord{2}, PhaseRecord{kClaiming}}))->splitAt, "f");
  // Cut off before the state, nothing was given up.
  EXPECT_EQ(read(story({split, ResumedRecord{2}}))->splitAt, "");
  EXPECT_EQ(read(story({split, why, ResumedRecord{2}, PhaseRecord{kClaiming}}))->splitAt, "");
}

TEST(SplitJournal, TellsTheReceiptOfOneThatFailedAndOfNoOther) {
  using enum MigrationState;
  FinishedRecord end;
  end.receipt.mode = MigrationMode::kLive;
  for (const MigrationState state : {kFailed, kDone, kCancelled}) {
    end.receipt.state = state;
    const auto image = read(story({SplitRecord{"f"}, StoppedRecord{ErrorCode::kPauseBudget, {}}, PhaseRecord{kAborting}, end}));
    ASSERT_TRUE(image.ok());
    EXPECT_EQ(image->receipt->splitAt, state == kFailed ? "f" : "");
  }
}

// Such a journal was not written by a migration, and nothing is moved for it.
TEST(SplitJournal, AKeyCountsOnlyWhereItWasGivenUpForIt) {
  using enum MigrationState;
  FinishedRecord end;
  end.receipt.mode = MigrationMode::kLive;
  end.receipt.state = kFailed;
  const StoppedRecord stopped{ErrorCode::kNotConverging, {}}, other{ErrorCode::kStoreCorrupt, {}};
  for (const auto& records : {story({SplitRecord{"f"}, end}), story({SplitRecord{"f"}, stopped, end}),
                              story({SplitRecord{"f"}, PhaseRecord{kAborting}, end}),
                              story({SplitRecord{"f"}, other, PhaseRecord{kAborting}, end})}) {
    const auto image = read(records);
    ASSERT_TRUE(image.ok());
    EXPECT_EQ(image->receipt->splitAt, "");
  }
}

TEST(SplitJournal, AKeyThatSplitsNothingIsDamage) {
  for (const char* at : {"a", "b", "m", "z"}) EXPECT_EQ(read(story({SplitRecord{at}})).code(), ErrorCode::kJournalCorrupt) << at;
  EXPECT_EQ(read(story({SplitRecord{""}})).code(), ErrorCode::kJournalCorrupt);
  Plan whole = livePlan();
  whole.splitMax = 0;
  EXPECT_EQ(read(story({SplitRecord{"f"}}, whole)).code(), ErrorCode::kJournalCorrupt);
  EXPECT_TRUE(read(story({}, whole)).ok());
}

TEST(SplitJournal, GoldenFiles) {
  using enum MigrationState;
  FinishedRecord end;
  end.receipt.state = kFailed;
  end.receipt.mode = MigrationMode::kLive;
  end.receipt.level = GuaranteeLevel::kL4;
  const std::string bytes = write(story({SplitRecord{"f"}, StoppedRecord{ErrorCode::kNotConverging, "too fast"}, PhaseRecord{kAborting},
                                         PhaseRecord{kUnfencing}, PhaseRecord{kStaging}, PhaseRecord{kDiscarding},
                                         PhaseRecord{kReleasing}, PhaseRecord{kClosing}, end}));
  ASSERT_TRUE(readJournal(asBytes(bytes)).ok());
  test::expectGolden("journals/split.bin", bytes);
  test::expectGolden("journals/split.jsonl", describeJournal(asBytes(bytes)));
}

// A journal without is what it was before, to the byte.
TEST(SplitJournal, APlanThatIsNeverSplitHasTheSameBytesAsEver) {
  Plan none = livePlan(), one = livePlan();
  none.splitMax = 0;
  one.splitMax = 1;
  EXPECT_EQ(write({PlanRecord{none, GuaranteeLevel::kL4}}), write({PlanRecord{one, GuaranteeLevel::kL4}}));
  EXPECT_EQ(write({PlanRecord{livePlan(), GuaranteeLevel::kL4}}).size(), write({PlanRecord{none, GuaranteeLevel::kL4}}).size() + 1);
  EXPECT_NE(describeJournal(asBytes(write(story({SplitRecord{"f"}})))).find(R"({"record":"split","at":"f"})"), std::string::npos);
}

}  // namespace
}  // namespace keyhaul
