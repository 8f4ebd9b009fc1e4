// Bucket trees and the bisector against a naive diff of two maps.
#include "keyhaul/bisector.h"

#include <gtest/gtest.h>

#include <map>

#include "keyhaul/bucket_tree.h"
#include "support/random.h"

namespace keyhaul::test {
namespace {

using Model = std::map<Key, std::string>;

const EntryHasher& hasher() {
  static const EntryHasher one(DigestKey{std::byte{7}});
  return one;
}

Digest sumOf(const Model& model, const KeyRange& keys) {
  Digest sum;
  for (const auto& [key, value] : model) {
    if (keys.contains(key)) sum += hasher().hash(key, value);
  }
  return sum;
}

// What an honest side answers.
BisectAnswer answerOf(const Model& model, const BisectQuestion& question) {
  BisectAnswer answer;
  std::vector<BisectAnswer::Entry> entries;
  for (const auto& [key, value] : model) {
    if (question.keys.contains(key)) entries.push_back({key, hasher().hash(key, value)});
  }
  if (question.kind == BisectKind::kList) {
    answer.entries = std::move(entries);
    return answer;
  }
  if (question.kind == BisectKind::kSplit) {
    const size_t parts = std::min<size_t>(question.parts, entries.size());
    for (size_t i = 1; i < parts; ++i) {
      answer.cuts.push_back(entries[i * entries.size() / parts].key);
    }
  } else {
    answer.cuts = question.cuts;
  }
  answer.sums.resize(answer.cuts.size() + 1);
  size_t part = 0;
  for (const auto& entry : entries) {
    while (part < answer.cuts.size() && entry.key >= answer.cuts[part]) ++part;
    answer.sums[part] += entry.digest;
  }
  if (question.kind == BisectKind::kSums) answer.cuts.clear();
  return answer;
}

using Named = std::map<Key, BisectDifference::Kind>;

Named naive(const Model& source, const Model& target, const KeyRange& keys) {
  Named named;
  for (const auto& [key, value] : source) {
    if (!keys.contains(key)) continue;
    const auto found = target.find(key);
    if (found == target.end()) named[key] = BisectDifference::Kind::kMissing;
    else if (found->second != value) named[key] = BisectDifference::Kind::kChanged;
  }
  for (const auto& [key, value] : target) {
    if (keys.contains(key) && source.count(key) == 0) named[key] = BisectDifference::Kind::kExtra;
  }
  return named;
}

Named bisect(Bisector& bisector, const Model& source, const Model& target, Random& random) {
  std::vector<BisectQuestion> open;
  for (;;) {
    while (auto question = bisector.ask()) open.push_back(std::move(*question));
    if (open.empty()) break;
    // Answers come in any order.
    std::swap(open[random.below(open.size())], open.back());
    const BisectQuestion question = std::move(open.back());
    open.pop_back();
    const Model& side = question.side == BisectSide::kSource ? source : target;
    EXPECT_TRUE(bisector.answer(question.id, answerOf(side, question)).ok());
  }
  EXPECT_TRUE(bisector.done());
  Named named;
  for (const auto& difference : bisector.differences()) {
    EXPECT_TRUE(named.emplace(difference.key, difference.kind).second) << "named twice";
  }
  return named;
}

Model randomModel(Random& random, size_t entries) {
  Model model;
  while (model.size() < entries) model[random.bytes(1 + random.below(4))] = random.bytes(3);
  return model;
}

void disturb(Random& random, Model& model, size_t times) {
  for (size_t i = 0; i < times; ++i) {
    const Key key = random.bytes(1 + random.below(4));
    auto at = model.lower_bound(key);
    switch (random.below(3)) {
      case 0: model[key] = random.bytes(2); break;
      case 1: if (at != model.end()) model.erase(at); break;
      default: if (at != model.end()) at->second += "x"; break;
    }
  }
}

TEST(BisectorLaws, NamesWhatANaiveDiffNames) {
  Random random(1);
  for (int round = 0; round < 300; ++round) {
    const Model source = randomModel(random, random.below(400));
    Model target = source;
    disturb(random, target, random.below(round % 10 == 0 ? 300 : 6));
    KeyRange keys;
    if (random.below(2) == 0) {
      keys.lo = Key(1, static_cast<char>(random.below(128)));
      keys.hi = Bound::at(Key(1, static_cast<char>(128 + random.below(128))));
    }
    const Bisector::Limits limits{static_cast<uint32_t>(random.below(20)),
                                  static_cast<uint32_t>(random.below(30))};
    Bisector bisector(keys, sumOf(source, keys), sumOf(target, keys), limits);
    ASSERT_EQ(bisect(bisector, source, target, random), naive(source, target, keys));
    EXPECT_EQ(bisector.moved(), 0U);
  }
}

TEST(BisectorLaws, OneDifferenceInManyCostsFewQuestions) {
  Random random(2);
  const Model source = randomModel(random, 20'000);
  Model target = source;
  std::next(target.begin(), 12'345)->second = "changed";
  Bisector bisector(KeyRange::all(), sumOf(source, {}), sumOf(target, {}), {16, 64});
  const Named named = bisect(bisector, source, target, random);
  ASSERT_EQ(named.size(), 1U);
  // 20,000 / 16^3 < 64: three splits and one list, each asked of both sides.
  EXPECT_EQ(bisector.questions(), 8U);
}

TEST(BisectorLaws, EqualSidesAskNothing) {
  Random random(3);
  const Model model = randomModel(random, 50);
  Bisector bisector(KeyRange::all(), sumOf(model, {}), sumOf(model, {}), {});
  EXPECT_TRUE(bisector.done());
  EXPECT_FALSE(bisector.ask());
}

TEST(BisectorLaws, WritesMeanwhileAreCountedAndDoNotStopIt) {
  Random random(4);
  const Model source = randomModel(random, 500);
  Model target = source;
  disturb(random, target, 5);
  Bisector bisector(KeyRange::all(), sumOf(source, {}), sumOf(target, {}), {4, 8});
  for (int i = 0; auto question = bisector.ask(); ++i) {
    if (i % 3 == 0) disturb(random, target, 1);
    const Model& side = question->side == BisectSide::kSource ? source : target;
    ASSERT_TRUE(bisector.answer(question->id, answerOf(side, *question)).ok());
    ASSERT_LT(i, 10'000);
  }
  EXPECT_TRUE(bisector.done());
  EXPECT_GT(bisector.moved(), 0U);
}

TEST(BisectorLaws, AnswersThatCannotBeAreRefusedAndMayBeGivenAgain) {
  Random random(5);
  const Model source = randomModel(random, 300);
  Bisector bisector(KeyRange::all(), sumOf(source, {}), Digest{}, {4, 8});
  EXPECT_EQ(bisector.answer(99, {}).code(), ErrorCode::kNotFound);
  const BisectAnswer good = answerOf(source, *bisector.ask());
  ASSERT_EQ(good.sums.size(), 4U);
  uint32_t id = 1;
  const auto refused = [&](BisectAnswer bad) {
    EXPECT_EQ(bisector.answer(id, std::move(bad)).code(), ErrorCode::kFrameCorrupt);
    id = bisector.ask()->id;
  };
  refused({});
  BisectAnswer bad = good;
  std::swap(bad.cuts[0], bad.cuts[1]);
  refused(bad);
  bad = good;
  bad.cuts.pop_back();
  refused(bad);
  bad = good;
  bad.sums[2] = {};
  refused(bad);
  bad = good;
  bad.sums.push_back(good.sums[0]);
  bad.cuts.push_back(good.cuts[2] + "z");
  refused(bad);
  EXPECT_TRUE(bisector.answer(id, good).ok());
}

TEST(BisectorLaws, ASideThatLiesForEverIsLeft) {
  Bisector bisector(KeyRange::all(), Digest{1, 1, 1'000'000, 1}, Digest{}, {2, 8});
  uint64_t asked = 0;
  while (auto question = bisector.ask()) {
    ASSERT_LT(++asked, 10'000U);
    BisectAnswer answer;
    if (question->kind == BisectKind::kSplit) {
      answer.cuts = {successor(question->keys.lo)};
      answer.sums = {Digest{}, Digest{1, 1, 1'000'000, 1}};
      answer.sums[0].entries = 1;
    } else if (question->kind == BisectKind::kSums) {
      answer.sums.resize(question->cuts.size() + 1);
    }
    ASSERT_TRUE(bisector.answer(question->id, std::move(answer)).ok());
  }
  EXPECT_TRUE(bisector.done());
}

TEST(BucketTreeLaws, SumsAreThoseOfItsEntriesAndComparisonNamesTheBuckets) {
  Random random(6);
  for (int round = 0; round < 60; ++round) {
    const Model source = randomModel(random, 300);
    std::vector<Key> cuts;
    for (const auto& [key, value] : randomModel(random, random.below(200))) cuts.push_back(key);
    auto a = BucketTree::create(KeyRange::all(), cuts);
    auto b = BucketTree::create(KeyRange::all(), cuts);
    ASSERT_TRUE(a.ok() && b.ok());
    Model target = source;
    disturb(random, target, random.below(8));
    for (const auto& [key, value] : source) {
      ASSERT_TRUE(a->add(key, hasher().hash(key, value)).ok());
      ASSERT_TRUE(b->add(key, hasher().hash(key, value)).ok());
    }
    // The second becomes the target by live writes, not from scratch.
    for (const auto& [key, kind] : naive(source, target, {})) {
      std::optional<Digest> before, after;
      if (kind != BisectDifference::Kind::kExtra) before = hasher().hash(key, source.at(key));
      if (kind != BisectDifference::Kind::kMissing) after = hasher().hash(key, target.at(key));
      ASSERT_TRUE(b->replace(key, before, after).ok());
    }
    ASSERT_EQ(a->total(), sumOf(source, {}));
    ASSERT_EQ(b->total(), sumOf(target, {}));
    std::vector<uint32_t> expected;
    for (uint32_t i = 0; i < a->buckets(); ++i) {
      const KeyRange keys = a->bucketRange(i);
      ASSERT_EQ(a->bucket(i), sumOf(source, keys));
      ASSERT_EQ(b->bucket(i), sumOf(target, keys));
      if (a->bucket(i) != b->bucket(i)) expected.push_back(i);
    }
    const auto found = compare(a.value(), b.value());
    ASSERT_TRUE(found.ok());
    EXPECT_EQ(found->buckets, expected);
    // A path of at most 16 nodes a level for each bucket, and the root.
    EXPECT_LE(found->compared, 1 + expected.size() * 16 * 2);
  }
}

TEST(BucketTreeLaws, RefusesCutsAndKeysThatDoNotFit) {
  const KeyRange keys{"b", Bound::at("y")};
  EXPECT_EQ(BucketTree::create(keys, {"b"}).code(), ErrorCode::kInvalidRange);
  EXPECT_EQ(BucketTree::create(keys, {"y"}).code(), ErrorCode::kInvalidRange);
  EXPECT_EQ(BucketTree::create(keys, {"d", "c"}).code(), ErrorCode::kInvalidRange);
  EXPECT_EQ(BucketTree::create({"b", Bound::at("b")}, {}).code(), ErrorCode::kInvalidRange);
  auto tree = BucketTree::create(keys, {"m"});
  ASSERT_TRUE(tree.ok());
  EXPECT_EQ(tree->add("a", {}).code(), ErrorCode::kInvalidRange);
  EXPECT_EQ(tree->add("y", {}).code(), ErrorCode::kInvalidRange);
  EXPECT_EQ(tree->bucketOf("lzz"), 0U);
  EXPECT_EQ(tree->bucketOf("m"), 1U);
  auto different = BucketTree::create(keys, {"n"});
  EXPECT_EQ(compare(tree.value(), different.value()).code(), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace keyhaul::test
