// The bucket digests of level 5, held against a plain map.
#include "migrate/buckets.h"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <set>

#include "support/random.h"

namespace keyhaul::test {
namespace {

using Store = std::map<std::string, std::string>;

struct Both {
  Store source, target;
};

class BucketsTest : public ::testing::Test {
 protected:
  Digest sumOf(const Store& store) const {
    Digest all;
    for (const auto& [key, value] : store) {
      if (inRanges(key)) all += hasher_.hash(key, value);
    }
    return all;
  }
  bool inRanges(const std::string& key) const {
    for (const KeyRange& range : ranges_) {
      if (range.contains(key)) return true;
    }
    return false;
  }
  // As a comparison does it: both sides, in order.
  void read(const std::vector<Suspect>& parts, const Both& both, BucketFill& fill) {
    for (const Suspect& part : parts) {
      fill.open(part.range, part.keys.lo);
      std::set<std::string> keys;
      for (const Store* store : {&both.source, &both.target}) {
        for (const auto& [key, value] : *store) {
          if (part.keys.contains(key)) keys.insert(key);
        }
      }
      for (const std::string& key : keys) {
        const Digest source = digestOf(both.source, key), target = digestOf(both.target, key);
        fill.add(key, both.source.contains(key) ? &source : nullptr,
                 both.target.contains(key) ? &target : nullptr);
        ++keysRead_;
      }
    }
  }
  void readAll(Buckets& buckets, const Both& both, BucketSize size, uint64_t bytesMax) {
    BucketFill fill;
    buckets.begin(size, fill, bytesMax);
    std::vector<Suspect> all;
    for (uint32_t i = 0; i < ranges_.size(); ++i) all.push_back({i, ranges_[i]});
    read(all, both, fill);
    buckets.adopt(fill);
  }
  void readAgain(Buckets& buckets, const Both& both) {
    std::array<BucketFill, 3> fills;
    const auto lists = buckets.startAgain(ranges_, fills);
    ASSERT_LE(lists.size(), fills.size());
    for (size_t i = 0; i < lists.size(); ++i) read(lists[i], both, fills[i]);
    buckets.replace(fills);
  }
  Digest digestOf(const Store& store, const std::string& key) const {
    const auto at = store.find(key);
    return at == store.end() ? Digest{} : hasher_.hash(key, at->second);
  }
  static std::string keyOf(uint64_t n) { return "k" + std::to_string(100'000 + n); }

  std::vector<KeyRange> ranges_{KeyRange::inclusive(keyOf(100), keyOf(499)).value(),
                                KeyRange::inclusive(keyOf(600), keyOf(2'000)).value()};
  EntryHasher hasher_{DigestKey{}};
  uint64_t keysRead_ = 0;
};

// Writes, all of them marked; then what is stale is read again, and everything is known once more.
TEST_F(BucketsTest, SumsAreThoseOfTheStoresAfterEveryRound) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    Random random(seed);
    Both both;
    for (int i = 0; i < 500; ++i) both.source[keyOf(random.below(2'100))] = random.bytes(random.below(40));
    both.target = both.source;
    Buckets buckets;
    const uint64_t bytesMax = seed % 3 == 0 ? 3'000 : Buckets::kBytesMax;
    readAll(buckets, both, {1 + static_cast<uint32_t>(random.below(20)), 64 + random.below(2'000)}, bytesMax);
    ASSERT_EQ(buckets.source(), sumOf(both.source));
    ASSERT_EQ(buckets.staleCount(), 0U);
    for (int round = 0; round < 20; ++round) {
      // Now and then the keys grow by one end, as keys of time do.
      const uint64_t writes = random.below(30);
      for (uint64_t i = 0; i < writes; ++i) {
        const std::string key = random.below(4) == 0 ? keyOf(1'900) + random.bytes(3) : keyOf(random.below(2'100));
        if (random.below(3) == 0) {
          both.source.erase(key);
          both.target.erase(key);
        } else {
          both.source[key] = both.target[key] = random.bytes(random.below(40));
        }
        buckets.mark(key);
        EXPECT_EQ(inRanges(key), inRanges(key) && buckets.isMarked(key));
      }
      readAgain(buckets, both);
      ASSERT_EQ(buckets.source(), sumOf(both.source)) << "seed " << seed << " round " << round;
      ASSERT_EQ(buckets.target(), sumOf(both.target)) << "seed " << seed << " round " << round;
      ASSERT_EQ(buckets.staleCount(), 0U);
    }
    if (seed % 3 == 0) {
      EXPECT_LE(buckets.size(), 3'000 / sizeof(Bucket) + ranges_.size());
    }
  }
}

TEST_F(BucketsTest, OneThatDiffersStaysStaleUntilItDoesNotDiffer) {
  Both both;
  for (uint64_t i = 0; i < 300; ++i) both.source[keyOf(600 + i)] = "v";
  both.target = both.source;
  both.target.erase(keyOf(700));
  both.target[keyOf(800)] = "other";
  Buckets buckets;
  readAll(buckets, both, {10, 1'000}, Buckets::kBytesMax);
  EXPECT_EQ(buckets.size(), 1U + 30U);  // the first range is empty, and one bucket
  EXPECT_EQ(buckets.staleCount(), 2U);
  EXPECT_FALSE(buckets.isMarked(keyOf(700)));
  keysRead_ = 0;
  readAgain(buckets, both);
  EXPECT_EQ(keysRead_, 20U);
  EXPECT_EQ(buckets.staleCount(), 2U);
  both.target = both.source;
  readAgain(buckets, both);
  EXPECT_EQ(buckets.staleCount(), 0U);
  EXPECT_EQ(buckets.target(), sumOf(both.source));
}

// One that takes all new keys is cut again, or each round would read more than the one before.
TEST_F(BucketsTest, ABucketThatGrowsIsCut) {
  Both both;
  for (uint64_t i = 0; i < 100; ++i) both.source[keyOf(600 + i)] = "v";
  both.target = both.source;
  Buckets buckets;
  readAll(buckets, both, {10, 1'000}, Buckets::kBytesMax);
  for (uint64_t i = 100; i < 1'000; ++i) {
    both.source[keyOf(600 + i)] = both.target[keyOf(600 + i)] = "v";
    buckets.mark(keyOf(600 + i));
    keysRead_ = 0;
    readAgain(buckets, both);
    ASSERT_LE(keysRead_, 21U);
  }
  EXPECT_GT(buckets.size(), 40U);
  EXPECT_EQ(buckets.source(), sumOf(both.source));
}

TEST_F(BucketsTest, KeepsToItsBytesWhileItIsFilled) {
  Both both;
  for (uint64_t i = 0; i < 1'400; ++i) both.source[keyOf(600 + i) + std::string(200, 'x')] = "v";
  both.target = both.source;
  Buckets buckets;
  readAll(buckets, both, {1, 1}, 10'000);
  EXPECT_LE(buckets.size(), 10'000 / sizeof(Bucket));
  EXPECT_GT(buckets.size(), 20U);
  EXPECT_EQ(buckets.source(), sumOf(both.source));
  buckets.mark(keyOf(700));
  EXPECT_EQ(buckets.staleCount(), 1U);
  readAgain(buckets, both);
  EXPECT_EQ(buckets.source(), sumOf(both.source));
}

TEST_F(BucketsTest, TheSidesCanChangeTheirParts) {
  Both both;
  both.source[keyOf(200)] = "v";
  Buckets buckets;
  readAll(buckets, both, {}, Buckets::kBytesMax);
  buckets.turn();
  EXPECT_EQ(buckets.target(), sumOf(both.source));
  EXPECT_EQ(buckets.source(), Digest{});
}

}  // namespace
}  // namespace keyhaul::test
