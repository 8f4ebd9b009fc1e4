// Range sets and maps against naive models: one flag, one owner per key of a
// small alphabet that has the borders in it.
#include <gtest/gtest.h>

#include <map>

#include "keyhaul/range_map.h"
#include "keyhaul/range_set.h"
#include "support/random.h"

namespace keyhaul::test {
namespace {

const std::vector<Key>& keys() {
  static const std::vector<Key> all = [] {
    const std::string alphabet{'\0', 'a', '\xFF'};
    std::vector<Key> list{""};
    for (const char a : alphabet) {
      list.push_back({a});
      for (const char b : alphabet) list.push_back({a, b});
    }
    std::sort(list.begin(), list.end());
    return list;
  }();
  return all;
}

KeyRange randomRange(Random& random) {
  KeyRange range;
  range.lo = keys()[random.below(keys().size())];
  if (random.below(6) != 0) range.hi = Bound::at(keys()[random.below(keys().size())]);
  return range;
}

using Model = std::vector<bool>;

Model modelOf(const RangeSet& set) {
  Model model;
  for (const Key& key : keys()) model.push_back(set.contains(key));
  return model;
}

template <typename Combine>
Model combine(const Model& a, const Model& b, Combine how) {
  Model result;
  for (size_t i = 0; i < a.size(); ++i) result.push_back(how(a[i], b[i]));
  return result;
}

RangeSet randomSet(Random& random) {
  std::vector<KeyRange> ranges;
  for (uint64_t n = random.below(5); n > 0; --n) ranges.push_back(randomRange(random));
  return RangeSet::of(ranges);
}

TEST(RangeSetLaws, OperationsEqualTheModel) {
  Random random(1);
  for (int i = 0; i < 20'000; ++i) {
    const RangeSet a = randomSet(random), b = randomSet(random);
    const RangeSet both = a.unite(b), common = a.intersect(b), rest = a.subtract(b);
    ASSERT_TRUE(a.isNormal() && both.isNormal() && common.isNormal() && rest.isNormal());
    ASSERT_EQ(modelOf(both), combine(modelOf(a), modelOf(b), std::logical_or<>()));
    ASSERT_EQ(modelOf(common), combine(modelOf(a), modelOf(b), std::logical_and<>()));
    ASSERT_EQ(modelOf(rest), combine(modelOf(a), modelOf(b), [](bool x, bool y) { return x && !y; }));
    ASSERT_EQ(common.unite(rest), a);
    const Key& at = keys()[random.below(keys().size())];
    const auto [below, above] = a.split(at);
    ASSERT_EQ(below.unite(above), a);
    for (const Key& key : keys()) {
      ASSERT_EQ(below.contains(key), a.contains(key) && key < at);
    }
  }
}

TEST(RangeSetLaws, AddAndRemoveEqualTheBulkOperations) {
  Random random(2);
  for (int i = 0; i < 20'000; ++i) {
    RangeSet set = randomSet(random);
    const RangeSet before = set;
    const KeyRange range = randomRange(random);
    set.add(range);
    ASSERT_TRUE(set.isNormal());
    ASSERT_EQ(set, before.unite(RangeSet(range)));
    ASSERT_TRUE(set.contains(range));
    ASSERT_EQ(before.overlaps(range), !before.intersect(RangeSet(range)).empty());
    ASSERT_EQ(before.contains(range), RangeSet(range).subtract(before).empty());
    set.remove(range);
    ASSERT_TRUE(set.isNormal());
    ASSERT_EQ(set, before.subtract(RangeSet(range)));
  }
}

TEST(RangeMapLaws, AssignmentsEqualTheModel) {
  Random random(3);
  for (int round = 0; round < 2'000; ++round) {
    RangeMap map;
    std::map<Key, RangeOwner> model;
    for (int i = 0; i < 12; ++i) {
      const KeyRange range = randomRange(random);
      const RangeOwner value{static_cast<uint32_t>(random.below(3)), random.below(8) + 1};
      const std::vector<RangeMap::Segment> before = map.segments();
      bool newer = true;
      for (const RangeMap::Segment& part : map.lookup(range)) newer &= part.value.epoch < value.epoch;
      const auto refused = map.assign(range, value);
      ASSERT_EQ(!refused.has_value(), newer);
      if (refused) {
        ASSERT_EQ(map.segments(), before);
      } else {
        for (const Key& key : keys()) {
          if (range.contains(key)) model[key] = value;
        }
      }
      ASSERT_TRUE(map.isNormal());
      for (const Key& key : keys()) {
        const auto known = model.find(key);
        const auto found = map.lookup(key);
        ASSERT_EQ(found.has_value(), known != model.end());
        if (found) { ASSERT_EQ(*found, known->second); }
      }
    }
  }
}

TEST(KeyRangeLaws, InclusiveAndPrefixMeanWhatTheySay) {
  for (const Key& a : keys()) {
    for (const Key& b : keys()) {
      const auto range = KeyRange::inclusive(a, b);
      ASSERT_EQ(range.ok(), a <= b);
      for (const Key& key : keys()) {
        if (range.ok()) { ASSERT_EQ(range->contains(key), a <= key && key <= b); }
        ASSERT_EQ(KeyRange::prefix(a).contains(key), key.substr(0, a.size()) == a);
      }
    }
    ASSERT_LT(a, successor(a));
  }
  EXPECT_FALSE(prefixEnd("\xFF\xFF").has_value());
  EXPECT_EQ(prefixEnd("a\xFF"), "b");
}

}  // namespace
}  // namespace keyhaul::test
