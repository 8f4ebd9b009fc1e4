// What no bug around the engine can bring about is shown to the oracles that look for it.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "oracles/oracles.h"
#include "register.h"
#include "scenario.h"
#include "world.h"

namespace keyhaul::sim {
namespace {

class Shown : public testing::Test {
 protected:
  void start(const char* scenario, std::unique_ptr<Oracle> (*make)(World&)) {
    Options options;
    options.scenario = scenario;
    options.seed = 1;
    world = std::make_unique<World>(options);
    findScenario(scenario)->build(*world);
    oracle = make(*world);
  }
  size_t said() const { return world->report().violations.size(); }
  std::string last() const { return world->report().violations.back().text; }
  std::unique_ptr<World> world;
  std::unique_ptr<Oracle> oracle;
};

TEST_F(Shown, EdgesOfACopyThatAreNotDrawn) {
  using enum MigrationState;
  start("copy", makeEdges);
  const Job& job = world->job(0);
  oracle->onState(job, kPending, kPreparing);
  oracle->onState(job, kPreparing, kCopying);
  oracle->onState(job, kCopying, kDone);
  EXPECT_EQ(said(), 0U);
  oracle->onState(job, kCopying, kDeleting);
  EXPECT_EQ(said(), 1U);
  oracle->onState(job, kDone, kCopying);
  EXPECT_EQ(said(), 2U);
  world->job(0).phase = Job::Phase::kEnded;
  oracle->onBegun(job, nullptr);
  EXPECT_EQ(said(), 3U);
}

TEST_F(Shown, EdgesOfALiveMigrationThatAreNotDrawn) {
  using enum MigrationState;
  start("live", makeLiveEdges);
  const Job& job = world->job(0);
  oracle->onState(job, kPending, kClaiming);
  oracle->onState(job, kDeciding, kActivating);
  oracle->onState(job, kDraining, kPostponing);
  EXPECT_EQ(said(), 0U);
  oracle->onState(job, kActivating, kAborting);
  EXPECT_EQ(said(), 1U) << "what was decided is never given up";
  oracle->onState(job, kRedirecting, kTurning);
  EXPECT_EQ(said(), 2U) << "it has no window";
  oracle->onState(job, kDone, kClaiming);
  EXPECT_EQ(said(), 3U);
}

// No host can make the engine read what it has read: that it would be noticed.
TEST_F(Shown, PagesThatAreReadAgain) {
  start("copy", makePreemption);
  Job& job = world->job(0);
  job.state = MigrationState::kCopying;
  job.journal.clear();
  const auto asks = [&](uint32_t op, size_t key) {
    Action scan;
    scan.kind = ActionKind::kScan;
    scan.op.value = op;
    oracle->onScan(job, scan, job.keys[key]);
  };
  const auto answered = [&](uint32_t op, EventKind kind) {
    Event event;
    event.kind = kind;
    event.op.value = op;
    event.count = 1;
    oracle->onCompleted(job, ActionKind::kScan, event);
  };
  asks(1, 0);
  answered(1, EventKind::kPage);
  asks(2, 1);
  answered(2, EventKind::kFailed);
  asks(3, 1);
  EXPECT_EQ(said(), 0U) << "what failed is asked for once more";
  answered(3, EventKind::kPage);
  asks(4, 0);
  ASSERT_EQ(said(), 1U);
  EXPECT_NE(last().find("reads 2 pages again"), std::string::npos) << last();
  oracle->onState(job, MigrationState::kPending, MigrationState::kCopying);
  asks(5, 0);
  EXPECT_EQ(said(), 1U) << "another copy";
}

KeyRange below(const char* key) { return {Key(), Bound::at(key)}; }
KeyRange from(const char* key) { return {key, Bound::infinity()}; }

TEST_F(Shown, DocumentsThatLeaveAKeyWithoutAnOwner) {
  start("live", makeOwnership);
  OwnershipMap whole, gap, end, stranger;
  ASSERT_TRUE(whole.assign(KeyRange::all(), "s0").ok());
  oracle->onRegister(whole, whole);
  EXPECT_EQ(said(), 0U);
  ASSERT_TRUE(gap.assign(below("k1"), "s0").ok());
  ASSERT_TRUE(gap.assign(from("k2"), "s1").ok());
  oracle->onRegister(gap, gap);
  ASSERT_EQ(said(), 1U);
  EXPECT_EQ(last(), "a gap or an overlap");
  ASSERT_TRUE(end.assign(below("k1"), "s0").ok());
  oracle->onRegister(end, end);
  ASSERT_EQ(said(), 2U);
  EXPECT_EQ(last(), "the last keys have no owner");
  ASSERT_TRUE(stranger.assign(KeyRange::all(), "nobody").ok());
  oracle->onRegister(stranger, stranger);
  ASSERT_EQ(said(), 3U);
  EXPECT_EQ(last(), "an owner that is none");
}

TEST_F(Shown, EpochsThatGoBackAndOwnersWithoutANewOne) {
  start("live", makeOwnership);
  OwnershipMap old, other;
  ASSERT_TRUE(old.assign(KeyRange::all(), "s0").ok());
  ASSERT_TRUE(other.assign(KeyRange::all(), "s1").ok());
  oracle->onRegister(old, other);
  const size_t first = said();
  EXPECT_GT(first, 0U) << "another owner at the same epoch";
  OwnershipMap moved = old;
  const ClaimId id{1};
  ASSERT_TRUE(moved.claim(id, "s0", "s1", {KeyRange::all()}).ok());
  ASSERT_TRUE(moved.decide(id, 1).ok());
  oracle->onRegister(old, moved);
  EXPECT_EQ(said(), first);
  oracle->onRegister(moved, old);
  EXPECT_GT(said(), first) << "back to an older epoch";
}

// Over a network as slow as that of add-node no pause is as short as this.
TEST_F(Shown, APauseOverItsBudgetThoughNothingFails) {
  Options options;
  options.scenario = "add-node";
  options.faults = 0;
  options.seed = 1;
  World slow(options);
  slow.addOracle(makePause(slow));
  findScenario("add-node")->build(slow);
  slow.begin();
  while (slow.job(0).state != MigrationState::kDeciding && slow.advance()) {
  }
  ASSERT_EQ(slow.job(0).state, MigrationState::kDeciding);
  slow.job(0).plan.pauseBudgetMs = 1;
  while (slow.job(0).state != MigrationState::kRedirecting && slow.advance()) {
  }
  ASSERT_FALSE(slow.report().violations.empty());
  EXPECT_EQ(slow.report().violations[0].text.rfind("nobody could write for ", 0), 0U) << slow.report().violations[0].text;
}

}  // namespace
}  // namespace keyhaul::sim
