// Keys in one piece of memory, and what a range remembers of its copy in them.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "keyhaul/journal.h"
#include "keyhaul/key_list.h"
#include "migrate/changed_keys.h"

namespace keyhaul {
namespace {

KeyList listOf(const std::vector<std::string>& keys) {
  KeyList list;
  for (const std::string& key : keys) list.add(key);
  return list;
}
std::vector<std::string> textsOf(const KeyList& list) {
  std::vector<std::string> texts;
  for (size_t i = 0; i < list.size(); ++i) texts.emplace_back(list[i]);
  return texts;
}
using Texts = std::vector<std::string>;

TEST(KeyList, HasItsKeysInTheirOrder) {
  KeyList list = listOf({"b", "", "aaaa", ""});
  EXPECT_EQ(textsOf(list), (Texts{"b", "", "aaaa", ""}));
  EXPECT_EQ(list.bytes(), 5U);
  EXPECT_EQ(list.back(), "");
  list.clear();
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(list.bytes(), 0U);
  list.add("c");
  EXPECT_EQ(textsOf(list), Texts{"c"});
}

TEST(KeyList, OfTwoNeighboursTheFirstStays) {
  const Texts keys{"a", "", "ccc", "dd", "e", "ffffff", "g"};
  for (size_t count = 0; count <= keys.size(); ++count) {
    KeyList list = listOf({keys.begin(), keys.begin() + static_cast<long>(count)});
    list.halve();
    Texts kept;
    size_t bytes = 0;
    for (size_t i = 0; i < count; i += 2) {
      kept.push_back(keys[i]);
      bytes += kept.back().size();
    }
    EXPECT_EQ(textsOf(list), kept);
    EXPECT_EQ(list.bytes(), bytes);
  }
}

std::string nameOf(uint32_t number) {
  const std::string digits = std::to_string(number);
  return std::string(8 - digits.size(), '0') + digits;
}

TEST(Leaves, NeighboursAreMergedAndNothingIsLost) {
  for (const uint32_t count : {1U, kLeavesMax - 1, kLeavesMax, kLeavesMax + 1, 3 * kLeavesMax + 7}) {
    Leaves leaves;
    for (uint32_t i = 1; i <= count; ++i) leaves.add(i == count ? Key() : nameOf(i), {i, 3 * i, 1, 10});
    ASSERT_LE(leaves.size(), kLeavesMax);
    EXPECT_EQ(leaves.sum().entries, count);
    EXPECT_EQ(leaves.sum().bytes, 10 * uint64_t{count});
    EXPECT_EQ(leaves.sum().lo, uint64_t{count} * (count + 1) / 2);
    // Each says what lies between the one before and itself.
    uint32_t before = 0;
    for (size_t i = 0; i < leaves.size(); ++i) {
      const std::string name(leaves.upto(i));
      EXPECT_EQ(name.empty(), i + 1 == leaves.size());
      const uint32_t upto = name.empty() ? count : static_cast<uint32_t>(std::stoul(name));
      EXPECT_EQ(leaves.digest(i).entries, upto - before);
      EXPECT_EQ(leaves.digest(i).lo, uint64_t{upto} * (upto + 1) / 2 - uint64_t{before} * (before + 1) / 2);
      before = upto;
    }
    EXPECT_EQ(before, count);
  }
}

TEST(ChangedKeys, ARoundHasWhatChangedAndWhatIsSuspect) {
  ChangedKeys changed;
  std::vector<ChangedKeys::Node> round, spare;
  changed.useSpare(&spare);
  changed.add("nobody watches", 1);
  changed.watch(true, 1'000'000);
  for (int again = 0; again < 3; ++again) {
    changed.add("b", 1);
    changed.add("d", 5);
    changed.add("b", 7);
    EXPECT_EQ(changed.size(), 2U);
    EXPECT_TRUE(changed.has("b"));
    EXPECT_FALSE(changed.has("a"));
    changed.take(listOf({"a", "d"}), 64, round);
    EXPECT_EQ(changed.size(), 0U);
    ASSERT_EQ(round.size(), 3U);
    const std::pair<std::string, uint64_t> expected[] = {{"a", 64}, {"b", 7}, {"d", 5}};
    for (size_t i = 0; i < round.size(); ++i) {
      EXPECT_EQ(round[i].key(), expected[i].first);
      EXPECT_EQ(round[i].mapped(), expected[i].second);
    }
    changed.giveBack(round);
    EXPECT_TRUE(round.empty());
    EXPECT_EQ(spare.size(), 3U);
  }
}

// What is kept for its memory is no key that changed.
TEST(ChangedKeys, OverflowIsOfTheKeysOfOneRound) {
  ChangedKeys changed;
  std::vector<ChangedKeys::Node> round, spare;
  changed.useSpare(&spare);
  changed.watch(true, 10 * (ChangedKeys::kNodeBytes + 8));
  for (uint32_t again = 0; again < 5; ++again) {
    for (uint32_t i = 0; i < 10; ++i) changed.add(nameOf(10 * again + i), 0);
    EXPECT_FALSE(changed.overflowed());
    changed.take({}, 0, round);
    changed.giveBack(round);
  }
  for (uint32_t i = 0; i < 11; ++i) changed.add(nameOf(i), 0);
  EXPECT_TRUE(changed.overflowed());
}

}  // namespace
}  // namespace keyhaul
