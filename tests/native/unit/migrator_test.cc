#include "keyhaul/migrator.h"

#include <gtest/gtest.h>

#include <set>

#include "support/random.h"

namespace keyhaul::test {
namespace {

using State = MigrationStatus::State;

MigrationPlan planOf(uint8_t priority = 128) {
  MigrationPlan plan = DataMigrator::createPlan("node-1", "node-2", {{"a", "m"}, {"t", "z"}}).value();
  plan.priority = priority;
  return plan;
}

TEST(DataMigrator, FiveSteps) {
  DataMigrator migrator;
  const std::string id = migrator.startMigration(planOf(), Instant{5'000}).value();
  EXPECT_EQ(id, "mig-1");
  EXPECT_EQ(migrator.getStatus(id)->state, State::kInProgress);
  EXPECT_TRUE(migrator.transferChunk(id, {"key1", "abc"}).ok());
  EXPECT_TRUE(migrator.transferChunk(id, {"m", ""}).ok());
  EXPECT_EQ(migrator.getStatus(id)->transferred, 2U);
  const MigrationStats stats = migrator.completeMigration(id, Instant{12'000}).value();
  EXPECT_EQ(stats.id, "mig-1");
  EXPECT_EQ(stats.bytesTransferred, 3U);
  EXPECT_EQ(stats.chunksTransferred, 2U);
  EXPECT_EQ(stats.durationMs, 7U);
  EXPECT_EQ(migrator.getStatus(id)->state, State::kCompleted);
}

TEST(DataMigrator, ErrorsComeInTheirOrder) {
  DataMigrator migrator;
  EXPECT_EQ(DataMigrator::createPlan("a", "b", {{"a", "b"}, {"z", "a"}}).code(),
            ErrorCode::kInvalidRange);
  EXPECT_TRUE(DataMigrator::createPlan("a", "b", {}).ok());
  const std::string id = migrator.startMigration(planOf(), Instant{0}).value();
  DataChunk wrong("q", "value");
  wrong.checksum ^= 1;
  for (const char* unknown : {"", "mig-", "mig-0", "mig-01", "mig-2", "mig-1x", "MIG-1",
                              "mig-99999999999999999999999"}) {
    EXPECT_EQ(migrator.transferChunk(unknown, wrong).code(), ErrorCode::kNotFound) << unknown;
    EXPECT_FALSE(migrator.getStatus(unknown).has_value());
    EXPECT_EQ(migrator.cancelMigration(unknown, Instant{0}).code(), ErrorCode::kNotFound);
    EXPECT_EQ(migrator.completeMigration(unknown, Instant{0}).code(), ErrorCode::kNotFound);
  }
  EXPECT_EQ(migrator.transferChunk(id, wrong).code(), ErrorCode::kChecksumMismatch);
  EXPECT_EQ(migrator.transferChunk(id, {"q", "value"}).code(), ErrorCode::kKeyOutOfRange);
  EXPECT_EQ(migrator.transferChunk(id, {std::string("m\0", 2), "v"}).code(),
            ErrorCode::kKeyOutOfRange);
  EXPECT_EQ(migrator.getStatus(id)->transferred, 0U);
  EXPECT_TRUE(migrator.cancelMigration(id, Instant{0}).ok());
  EXPECT_EQ(migrator.getStatus(id)->state, State::kFailed);
  EXPECT_EQ(migrator.getStatus(id)->reason, "Cancelled");
  EXPECT_EQ(migrator.transferChunk(id, wrong).code(), ErrorCode::kAlreadyComplete);
  EXPECT_EQ(migrator.cancelMigration(id, Instant{0}).code(), ErrorCode::kAlreadyComplete);
  EXPECT_EQ(migrator.completeMigration(id, Instant{0}).code(), ErrorCode::kAlreadyComplete);
}

TEST(DataMigrator, SlotsQueueByPriorityThenByArrival) {
  DataMigrator migrator(DataMigrator::Config{.slots = 1});
  std::vector<std::string> ids;
  for (const uint8_t priority : {uint8_t{1}, uint8_t{5}, uint8_t{9}, uint8_t{9}}) {
    ids.push_back(migrator.startMigration(planOf(priority), Instant{0}).value());
  }
  EXPECT_EQ(migrator.transferChunk(ids[1], {"b", ""}).code(), ErrorCode::kLimitExceeded);
  std::vector<std::string> order;
  for (size_t n = 0; n < ids.size(); ++n) {
    for (const std::string& id : ids) {
      if (migrator.getStatus(id)->state != State::kInProgress) continue;
      order.push_back(id);
      EXPECT_TRUE(migrator.completeMigration(id, Instant{0}).ok());
      break;
    }
  }
  EXPECT_EQ(order, (std::vector<std::string>{"mig-1", "mig-3", "mig-4", "mig-2"}));
}

TEST(DataMigrator, ForgetsAndRetains) {
  DataMigrator migrator(DataMigrator::Config{.retainedMax = 2});
  for (int i = 1; i <= 3; ++i) {
    const std::string id = migrator.startMigration(planOf(), Instant{0}).value();
    EXPECT_EQ(migrator.forget(id).code(), ErrorCode::kUnsupported);
    EXPECT_TRUE(migrator.completeMigration(id, Instant{0}).ok());
  }
  EXPECT_FALSE(migrator.getStatus("mig-1").has_value());
  EXPECT_TRUE(migrator.forget("mig-2").ok());
  EXPECT_EQ(migrator.forget("mig-2").code(), ErrorCode::kNotFound);
  EXPECT_EQ(migrator.startMigration(planOf(), Instant{0}).value(), "mig-4");
}

TEST(DataMigrator, ARepeatedSequenceNumberCountsOnce) {
  DataMigrator migrator;
  const std::string id = migrator.startMigration(planOf(), Instant{0}, 500).value();
  Random random(9);
  std::set<uint64_t> sent;
  for (int i = 0; i < 20'000; ++i) {
    DataChunk chunk("key", "12345");
    chunk.sequence = random.below(4) == 0 ? random.next() : random.below(3'000);
    ASSERT_TRUE(migrator.transferChunk(id, chunk).ok());
    sent.insert(*chunk.sequence);
    ASSERT_EQ(migrator.getStatus(id)->transferred, sent.size());
  }
  EXPECT_EQ(migrator.getStatus(id)->total, 500U);
}

}  // namespace
}  // namespace keyhaul::test
