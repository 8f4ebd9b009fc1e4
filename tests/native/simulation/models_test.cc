// The laws of the models around the engine.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "change_log.h"
#include "disk.h"
#include "keyhaul/gate.h"
#include "keyhaul/journal.h"
#include "network.h"
#include "oracles/journal_tap.h"
#include "skew.h"
#include "support/golden.h"
#include "value.h"

namespace keyhaul::sim {
namespace {

class NetworkTest : public testing::Test {
 protected:
  void start() {
    network.emplace(1, faults, queue);
    network->addNodes(3);
  }
  void send(uint64_t nowUs, uint64_t call, const std::string& body = "body") {
    Message message;
    message.from = 0;
    message.to = 1;
    message.call = call;
    message.body = body;
    network->send(nowUs, message);
  }
  std::vector<Message> receive() {
    std::vector<Message> all;
    while (!queue.empty()) {
      const Queued event = queue.pop(timeUs);
      Message message;
      if (network->take(timeUs, event.arg, message)) all.push_back(message);
    }
    return all;
  }
  Faults faults;
  EventQueue queue;
  std::optional<Network> network;
  uint64_t timeUs = 0;
};

TEST_F(NetworkTest, WithoutFaultsEverythingArrivesOnceAndInOrder) {
  start();
  for (uint64_t i = 0; i < 1'000; ++i) send(i * 10, i);
  const auto all = receive();
  ASSERT_EQ(all.size(), 1'000U);
  for (uint64_t i = 0; i < 1'000; ++i) EXPECT_EQ(all[i].call, i);
}

TEST_F(NetworkTest, DropsDoublesAndReorders) {
  faults.set(FaultKind::kDrop, 300'000);
  faults.set(FaultKind::kReorder, 1);
  start();
  for (uint64_t i = 0; i < 10'000; ++i) send(i * 10, i);
  auto all = receive();
  EXPECT_NEAR(static_cast<double>(all.size()), 7'000, 300);
  EXPECT_FALSE(std::is_sorted(all.begin(), all.end(),
                              [](const auto& a, const auto& b) { return a.call < b.call; }));
  faults.set(FaultKind::kDrop, 0);
  faults.set(FaultKind::kDuplicate, 500'000);
  for (uint64_t i = 0; i < 10'000; ++i) send(timeUs + i, i);
  EXPECT_NEAR(static_cast<double>(receive().size()), 15'000, 300);
}

TEST_F(NetworkTest, DamageIsAlwaysFoundByTheChecksum) {
  faults.set(FaultKind::kCorrupt, 1'000'000);
  start();
  for (uint64_t i = 0; i < 5'000; ++i) send(i * 10, i, std::string(1 + i % 300, 'x'));
  for (const Message& message : receive()) EXPECT_NE(message.checksum, message.computeChecksum());
}

TEST_F(NetworkTest, ANarrowPathHoldsSoManyAndLosesWhatIsMore) {
  faults.set(FaultKind::kNarrow, 1);
  std::set<size_t> capacities;
  for (uint64_t seed = 1; seed <= 400; ++seed) {
    network.emplace(seed, faults, queue);
    network->addNodes(3);
    for (uint64_t i = 0; i < 50; ++i) send(timeUs, i);
    const auto first = receive();
    capacities.insert(first.size());
    for (size_t i = 0; i < first.size(); ++i) EXPECT_EQ(first[i].call, i) << "who comes first is carried";
    // They have arrived: there is room again.
    for (uint64_t i = 0; i < 50; ++i) send(timeUs, i);
    EXPECT_EQ(receive().size(), first.size());
  }
  EXPECT_EQ(*capacities.begin(), 2U);
  EXPECT_EQ(*capacities.rbegin(), 20U);
  EXPECT_EQ(capacities.size(), 19U);
  network->heal();
  for (uint64_t i = 0; i < 50; ++i) send(timeUs, i);
  EXPECT_EQ(receive().size(), 50U);
}

TEST_F(NetworkTest, ABlockedPathLosesAndACloggedOneWaits) {
  start();
  network->block(0, 1, 5'000);
  send(0, 1);
  EXPECT_TRUE(receive().empty());
  network->clog(0, 1, 90'000);
  send(10'000, 2);
  ASSERT_EQ(receive().size(), 1U);
  EXPECT_GE(timeUs, 90'000U);
}

TEST(Disk, WhatSurvivesIsAPrefix) {
  Faults faults;
  Disk disk(1, "disk", faults);
  bool all = false, none = false, part = false;
  for (int i = 0; i < 1'000; ++i) {
    const uint64_t survived = disk.surviving(100);
    ASSERT_LE(survived, 100U);
    all = all || survived == 100;
    none = none || survived == 0;
    part = part || (survived > 0 && survived < 100);
  }
  EXPECT_TRUE(all && none && part);
}

TEST(Disk, IsFullUntilItIsNot) {
  Faults faults;
  Disk disk(1, "disk", faults);
  disk.fillUntil(1'000);
  EXPECT_EQ(disk.write(999, 10, 1).error, ErrorCode::kDiskFull);
  EXPECT_EQ(disk.write(1'000, 10, 1).error, ErrorCode::kOk);
}

TEST(ChangeLog, AFeedKeepsItsPlaceUntilItIsForgotten) {
  ChangeLog log;
  const std::string first = log.open();
  for (int i = 0; i < 10; ++i) log.append({std::to_string(i), std::nullopt, 0});
  const std::string second = log.open();
  ASSERT_TRUE(log.find(first));
  log.forgetHalf();
  EXPECT_FALSE(log.find(first));
  EXPECT_TRUE(log.find(ChangeLog::encode({1, 5})));
  EXPECT_TRUE(log.find(second));
  log.close(2);
  EXPECT_FALSE(log.find(second));
}

TEST(ChangeLog, RefusesPositionsThatItNeverGave) {
  ChangeLog log;
  log.open();
  for (const char* text : {"", "1", "1:", ":0", "1:0x", "2:0", "1:1", "-1:0"}) {
    EXPECT_FALSE(log.find(text)) << text;
  }
}

TEST(Value, AWrongByteGivesItselfAway) {
  const std::string value = makeValue("j1/00042", 3, 17, 60);
  EXPECT_TRUE(isValueOf("j1/00042", value));
  EXPECT_FALSE(isValueOf("j1/00043", value));
  for (size_t i = 0; i < value.size(); ++i) {
    // The client's number stands for itself.
    if (i == 9) continue;
    std::string wrong = value;
    wrong[i] = static_cast<char>(wrong[i] ^ 0x80);
    EXPECT_FALSE(isValueOf("j1/00042", wrong)) << i;
  }
}

// Both readers, written apart, see the same records.
TEST(JournalTap, ReadsWhatTheCoreReads) {
  const std::string bytes = test::readFile(test::goldenPath("journals/story.bin"));
  JournalReader reader = JournalReader::open(std::as_bytes(std::span(bytes))).value();
  JournalTap tap(bytes);
  uint32_t checkpoints = 0;
  for (TappedRecord tapped; tap.next(tapped);) {
    const auto record = std::move(reader.next()).value();
    ASSERT_TRUE(record);
    ASSERT_EQ(tapped.type, record->index() + 1);
    if (const auto* checkpoint = std::get_if<CheckpointRecord>(&*record)) {
      ++checkpoints;
      EXPECT_EQ(tapped.range, checkpoint->range);
      EXPECT_EQ(tapped.end, checkpoint->end);
      EXPECT_EQ(tapped.upto, checkpoint->upto);
      EXPECT_EQ(tapped.leafEntries, checkpoint->leaf.entries);
    }
    if (const auto* applied = std::get_if<FeedAppliedRecord>(&*record)) {
      EXPECT_EQ(tapped.position, applied->position);
    }
  }
  EXPECT_FALSE(std::move(reader.next()).value());
  EXPECT_GT(checkpoints, 0U);
}

// What an older process is given is whole, and refused for its version and for nothing else.
TEST(Skew, WhatIsOfALaterVersionIsRefusedAsSuch) {
  const std::string journal = test::readFile(test::goldenPath("journals/story.bin"));
  const std::string later = asLaterJournal(journal);
  EXPECT_EQ(readJournal(std::as_bytes(std::span(journal))).code(), ErrorCode::kOk);
  EXPECT_EQ(readJournal(std::as_bytes(std::span(later))).code(), ErrorCode::kJournalVersion);
  Gate gate;
  GateCall call;
  call.epoch = 1;
  call.ranges = {KeyRange::prefix("a")};
  ASSERT_TRUE(gate.change(call).ok());
  const std::string record = gate.encode(), laterRecord = asLaterRecord(record);
  EXPECT_TRUE(Gate::restore(std::as_bytes(std::span(record)), 0).ok());
  EXPECT_EQ(Gate::restore(std::as_bytes(std::span(laterRecord)), 0).code(), ErrorCode::kRegisterCorrupt);
  OwnershipMap map;
  ASSERT_TRUE(map.assign(KeyRange::prefix("a"), "s0").ok());
  const std::string document = map.encode(), laterDocument = asLaterRecord(document);
  EXPECT_TRUE(OwnershipMap::decode(std::as_bytes(std::span(document))).ok());
  EXPECT_EQ(OwnershipMap::decode(std::as_bytes(std::span(laterDocument))).code(), ErrorCode::kRegisterCorrupt);
}

}  // namespace
}  // namespace keyhaul::sim
