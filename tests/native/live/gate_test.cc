// What a gate refuses, one rule a test: the last line of defence against calls of the past.
#include "keyhaul/gate.h"
#include "keyhaul/plan.h"

#include <gtest/gtest.h>

namespace keyhaul::test {
namespace {

KeyRange rangeOf(const char* lo, const char* hi) { return {lo, Bound::at(hi)}; }

GateCall call(GateVerb verb, uint64_t epoch, uint64_t coordEpoch = 1, uint8_t id = 1) {
  GateCall call;
  call.verb = verb;
  call.claim[0] = id;
  call.coordEpoch = coordEpoch;
  call.epoch = epoch;
  call.target = "T";
  call.ranges = {rangeOf("a", "m")};
  return call;
}

Gate serving() {
  Gate gate;
  EXPECT_TRUE(gate.change(call(GateVerb::kAssign, 1, 0, 0)).ok());
  return gate;
}

TEST(Gate, AnOlderCoordinatorOfTheSameMigrationIsRefused) {
  Gate gate = serving();
  ASSERT_TRUE(gate.change(call(GateVerb::kFence, 2, 3)).ok());
  for (const GateVerb verb : {GateVerb::kFence, GateVerb::kFenceReads, GateVerb::kRedirect}) {
    EXPECT_EQ(gate.change(call(verb, 2, 2)).code(), ErrorCode::kSuperseded) << gateVerbName(verb);
  }
  EXPECT_EQ(gate.change(call(GateVerb::kUnfence, 3, 2)).code(), ErrorCode::kSuperseded);
  EXPECT_TRUE(gate.change(call(GateVerb::kUnfence, 3, 3)).ok());
  EXPECT_EQ(gate.change(call(GateVerb::kFence, 4, 2)).code(), ErrorCode::kSuperseded);
}

TEST(Gate, AWriteOfAnOlderCoordinatorOrOfAnotherMigrationIsRefused) {
  Gate gate;
  ASSERT_TRUE(gate.change(call(GateVerb::kPrepare, 2, 3)).ok());
  const ClaimId own = call(GateVerb::kPrepare, 2).claim;
  EXPECT_EQ(gate.admitApply(own, 2, rangeOf("b", "c")).code(), ErrorCode::kSuperseded);
  EXPECT_TRUE(gate.admitApply(own, 3, rangeOf("b", "c")).ok());
  EXPECT_EQ(gate.admitApply(call(GateVerb::kPrepare, 2, 3, 9).claim, 3, rangeOf("b", "c")).code(),
            ErrorCode::kSuperseded);
}

// Seed 88716 of live-swarm: what it had filled meanwhile stayed there, and belonged to nobody.
// What comes back without its disk knows of nothing: a prepare would stage it, and the copy would go on behind what is gone.
TEST(Gate, WhatWasFilledIsStagedAgainOnlyWhereItIsKnown) {
  Gate gate;
  EXPECT_EQ(gate.change(call(GateVerb::kRestage, 2, 2)).code(), ErrorCode::kNotOwner);
  EXPECT_TRUE(gate.ranges().empty());
  ASSERT_TRUE(gate.change(call(GateVerb::kPrepare, 2, 1)).ok());
  EXPECT_TRUE(gate.change(call(GateVerb::kRestage, 2, 2)).ok());
  EXPECT_TRUE(gate.change(call(GateVerb::kRestage, 2, 2)).ok());  // repeated
  EXPECT_TRUE(gate.change(call(GateVerb::kRestage, 3, 3)).ok());  // of another attempt
  EXPECT_EQ(gate.ranges()[0].coordEpoch, 3U);
  EXPECT_EQ(gate.change(call(GateVerb::kRestage, 3, 2)).code(), ErrorCode::kSuperseded);
  EXPECT_EQ(gate.change(call(GateVerb::kRestage, 4, 1, 9)).code(), ErrorCode::kNotOwner);  // of another migration
  ASSERT_TRUE(gate.change(call(GateVerb::kDiscard, 3, 3)).ok());
  EXPECT_EQ(gate.change(call(GateVerb::kRestage, 4, 4)).code(), ErrorCode::kNotOwner);
}

TEST(Gate, WhatAnOlderCoordinatorPreparedIsNotDiscardedUnseen) {
  Gate gate;
  ASSERT_EQ(gate.change(call(GateVerb::kInspect, 2, 2)).code(), ErrorCode::kNotOwner);
  ASSERT_TRUE(gate.change(call(GateVerb::kPrepare, 2, 1)).ok());  // it does not know yet
  EXPECT_EQ(gate.change(call(GateVerb::kDiscard, 2, 2)).code(), ErrorCode::kTargetNotEmpty);
  const ClaimId own = call(GateVerb::kPrepare, 2).claim;
  ASSERT_TRUE(gate.change(call(GateVerb::kPrepare, 2, 2)).ok());
  EXPECT_EQ(gate.admitApply(own, 1, rangeOf("b", "c")).code(), ErrorCode::kSuperseded);
  EXPECT_TRUE(gate.change(call(GateVerb::kDiscard, 2, 2)).ok());
  EXPECT_EQ(gate.change(call(GateVerb::kPrepare, 2, 1)).code(), ErrorCode::kSuperseded);
}

// What a migration had staged on a store that was given up: a later one that does not want it there
// after all is no more bound to it than one that does. Late calls of the older one change nothing.
TEST(Gate, WhatAnOlderMigrationLeftStagedIsLitter) {
  Gate gate;
  ASSERT_TRUE(gate.change(call(GateVerb::kPrepare, 2, 1)).ok());
  GateCall later = call(GateVerb::kDiscard, 5);
  later.claim[0] = 9;
  later.epoch = 1;
  EXPECT_EQ(gate.change(later).code(), ErrorCode::kSuperseded);
  later.epoch = 5;
  EXPECT_TRUE(gate.change(later).ok());
  for (const GateVerb verb : {GateVerb::kPrepare, GateVerb::kActivate, GateVerb::kDiscard}) {
    EXPECT_EQ(gate.change(call(verb, 2, 1)).code(), ErrorCode::kSuperseded) << gateVerbName(verb);
  }
  EXPECT_NE(gate.answer("b", false), Answer::kOk);
}

TEST(Gate, AFenceThatComesAgainLeavesReadsClosed) {
  Gate gate = serving();
  ASSERT_TRUE(gate.change(call(GateVerb::kFence, 2)).ok());
  EXPECT_EQ(gate.admitRead("b").answer, Answer::kOk);
  ASSERT_TRUE(gate.change(call(GateVerb::kFenceReads, 2)).ok());
  ASSERT_TRUE(gate.change(call(GateVerb::kFence, 2)).ok());
  EXPECT_EQ(gate.admitRead("b").answer, Answer::kRetry);
}

TEST(Gate, ACleanUpOfAnotherEpochDeletesNothing) {
  Gate gate = serving();
  ASSERT_TRUE(gate.change(call(GateVerb::kFence, 2)).ok());
  EXPECT_EQ(gate.admitCleanUp(2, rangeOf("b", "c")).code(), ErrorCode::kSuperseded) << "not moved yet";
  ASSERT_TRUE(gate.change(call(GateVerb::kRedirect, 2)).ok());
  EXPECT_TRUE(gate.admitCleanUp(2, rangeOf("b", "c")).ok());
  for (const uint64_t epoch : {0U, 1U, 3U}) {
    EXPECT_EQ(gate.admitCleanUp(epoch, rangeOf("b", "c")).code(), ErrorCode::kSuperseded) << epoch;
  }
}

// Whoever asks a store that is only kept for a way back is told where to go, then and afterwards.
TEST(Gate, WhatIsKeptForAWayBackSendsClientsOn) {
  Gate gate = serving();
  ASSERT_TRUE(gate.change(call(GateVerb::kFence, 2)).ok());
  ASSERT_TRUE(gate.change(call(GateVerb::kRedirect, 2)).ok());
  const auto sendsOn = [&gate](const char* key) {
    const KeyView view = key;
    const Admission write = gate.admitWrite(std::span(&view, 1)), read = gate.admitRead(key);
    return read.answer == Answer::kMoved && read.owner == "T" && write.answer == Answer::kMoved && write.owner == "T";
  };
  GateCall wide = call(GateVerb::kPrepare, 3);
  wide.ranges = {rangeOf("a", "z")};  // more than was ever here
  ASSERT_TRUE(gate.change(wide).ok());
  EXPECT_TRUE(sendsOn("b"));
  EXPECT_EQ(gate.admitRead("n").answer, Answer::kRetry);
  EXPECT_TRUE(gate.admitApply(wide.claim, 1, rangeOf("b", "p")).ok());
  wide.epoch = 5;  // an attempt was given up
  wide.coordEpoch = 2;
  ASSERT_TRUE(gate.change(wide).ok());
  EXPECT_TRUE(sendsOn("b"));
  const std::string record = gate.encode();
  Gate other = Gate::restore(std::as_bytes(std::span(record)), 0).value();
  GateCall discard = wide;
  discard.verb = GateVerb::kDiscard;
  for (int again = 0; again < 2; ++again) {
    ASSERT_TRUE(gate.change(discard).ok());
    EXPECT_TRUE(sendsOn("b"));
    ASSERT_EQ(gate.ranges().size(), 2U);
    EXPECT_EQ(gate.ranges()[0].state, GateState::kRedirecting);
    EXPECT_EQ(gate.ranges()[1].state, GateState::kAbsent);
  }
  EXPECT_EQ(gate.admitCleanUp(2, rangeOf("b", "c")).code(), ErrorCode::kSuperseded) << "of the way there";
  GateCall activate = wide;
  activate.verb = GateVerb::kActivate;
  ASSERT_TRUE(other.change(activate).ok());
  EXPECT_EQ(other.admitRead("b").answer, Answer::kOk);
  // Another migration stages it as if it had never been here.
  ASSERT_TRUE(gate.change(call(GateVerb::kPrepare, 8, 1, 9)).ok());
  EXPECT_EQ(gate.admitRead("b").answer, Answer::kRetry);
}

TEST(Gate, WhatClosesWaitsForWritesOfClientsAndOfMigrations) {
  Gate gate = serving();
  const KeyView inside = "b";
  const Admission write = gate.admitWrite(std::span(&inside, 1));
  ASSERT_TRUE(gate.change(call(GateVerb::kFence, 2)).ok());
  EXPECT_FALSE(gate.quiet(call(GateVerb::kFence, 2).ranges));
  gate.landed(write.position);
  EXPECT_TRUE(gate.quiet(call(GateVerb::kFence, 2).ranges));

  Gate target;
  ASSERT_TRUE(target.change(call(GateVerb::kPrepare, 2)).ok());
  const auto ticket = target.admitApply(call(GateVerb::kPrepare, 2).claim, 1, rangeOf("b", "c"));
  ASSERT_TRUE(ticket.ok());
  ASSERT_TRUE(target.change(call(GateVerb::kPrepare, 4)).ok());
  EXPECT_FALSE(target.quiet(call(GateVerb::kPrepare, 4).ranges));
  target.landed(ticket.value());
  EXPECT_TRUE(target.quiet(call(GateVerb::kPrepare, 4).ranges));
}

// A write that hangs outside of the ranges must not hide, behind a fence, one that was acknowledged.
TEST(Gate, TheHeadOfRangesLooksAtTheirWritesOnly) {
  Gate gate;
  GateCall assign = call(GateVerb::kAssign, 1, 0, 0);
  assign.ranges = {KeyRange::all()};
  ASSERT_TRUE(gate.change(assign).ok());
  const KeyView outside = "x", inside = "b";
  const Admission hangs = gate.admitWrite(std::span(&outside, 1));
  const Admission first = gate.admitWrite(std::span(&inside, 1));
  const Admission second = gate.admitWrite(std::span(&inside, 1));
  const std::vector<KeyRange> ranges = call(GateVerb::kFence, 2).ranges;
  EXPECT_EQ(gate.head(ranges), first.position - 1);
  gate.landed(first.position);
  EXPECT_EQ(gate.head(ranges), first.position);
  gate.landed(second.position);
  EXPECT_TRUE(gate.quiet(ranges));
  EXPECT_EQ(gate.head(ranges), second.position);
  EXPECT_EQ(gate.head(), hangs.position - 1);
}

// Whatever an attempt that was given up made serve, what serves after it has a higher epoch.
TEST(Gate, AnAbortLeavesRoomForALateActivation) {
  OwnershipMap map;
  ASSERT_TRUE(map.assign(KeyRange::all(), "S").ok());
  ClaimId id{};
  id[0] = 1;
  ASSERT_TRUE(map.claim(id, "S", "T", {rangeOf("a", "m")}).ok());
  const Claim claim = *map.find(id);
  ASSERT_TRUE(map.abort(id, 1).ok());
  EXPECT_GT(map.lookup("b")->epoch, claim.fenceEpoch());
  Gate gate = serving();
  ASSERT_TRUE(gate.change(call(GateVerb::kFence, claim.fenceEpoch())).ok());
  ASSERT_TRUE(gate.change(call(GateVerb::kUnfence, map.lookup("b")->epoch)).ok());
  EXPECT_EQ(gate.change(call(GateVerb::kFence, claim.fenceEpoch())).code(), ErrorCode::kSuperseded);
  EXPECT_EQ(gate.change(call(GateVerb::kRedirect, claim.fenceEpoch())).code(), ErrorCode::kSuperseded);
}

std::vector<KeyRange> everySecond(size_t count) {
  std::vector<KeyRange> ranges;
  for (size_t i = 0; i < count; ++i) {
    const std::string key = std::to_string(1'000'000 + i);
    ranges.push_back({key, Bound::at(key + "5")});
  }
  return ranges;
}

// Two passes over what is there and what changes: at the square of it this would take minutes.
TEST(Gate, TakesAsManyRangesAsAPlanMayHave) {
  GateCall many = call(GateVerb::kFence, 2);
  many.ranges = everySecond(kRangesMax);
  Gate gate;
  GateCall assign = call(GateVerb::kAssign, 1, 0, 0);
  assign.ranges = {KeyRange::all()};
  ASSERT_TRUE(gate.change(assign).ok());
  const KeyView inside = "1000003";
  const Admission write = gate.admitWrite(std::span(&inside, 1));
  for (const GateVerb verb : {GateVerb::kFence, GateVerb::kFenceReads, GateVerb::kFence, GateVerb::kRedirect}) {
    many.verb = verb;
    ASSERT_TRUE(gate.encodeAfter(many).ok()) << gateVerbName(verb);
    ASSERT_TRUE(gate.change(many).ok()) << gateVerbName(verb);
    EXPECT_FALSE(gate.quiet(many.ranges));
  }
  gate.landed(write.position);
  EXPECT_TRUE(gate.quiet(many.ranges));
  EXPECT_EQ(gate.ranges().size(), 2 * size_t{kRangesMax} + 1);
  EXPECT_EQ(gate.admitRead(inside).answer, Answer::kMoved);
  EXPECT_EQ(gate.admitRead("10000037").answer, Answer::kOk);
}

TEST(Ownership, TakesAsManyRangesAsAPlanMayHave) {
  OwnershipMap map;
  ASSERT_TRUE(map.assign(KeyRange::all(), "S").ok());
  ClaimId id{}, other{};
  id[0] = 1;
  other[0] = 2;
  std::vector<KeyRange> ranges = everySecond(kRangesMax);
  ASSERT_TRUE(map.claim(id, "S", "T", ranges).ok());
  EXPECT_EQ(map.claim(other, "S", "T", {ranges.back()}).code(), ErrorCode::kRangeClaimed);
  EXPECT_TRUE(map.claim(other, "S", "T", {{"10000035", Bound::at("1000004")}}).ok()) << "between two";
  ASSERT_TRUE(map.postpone(id, 1).ok());
  ASSERT_TRUE(map.decide(id, 1).ok());
  EXPECT_EQ(map.parts().size(), 2 * size_t{kRangesMax} + 1);
  EXPECT_EQ(map.lookup("1000003")->owner, "T");
  EXPECT_EQ(map.lookup("10000037")->owner, "S");
  const std::string bytes = map.encode();
  const auto again = OwnershipMap::decode(std::as_bytes(std::span(bytes)));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->encode(), bytes);
  std::swap(ranges.front(), ranges.back());
  ClaimId third{};
  third[0] = 3;
  EXPECT_EQ(again.value().claims().size(), 2U);
  EXPECT_EQ(map.claim(third, "S", "T", ranges).code(), ErrorCode::kInvalidRange);
}

TEST(Gate, AFenceThatComesAgainKeepsEachPartAsItIs) {
  Gate gate = serving();
  GateCall first = call(GateVerb::kFence, 2);
  ASSERT_TRUE(gate.change(first).ok());
  GateCall part = call(GateVerb::kFenceReads, 2);
  part.ranges = {rangeOf("c", "d")};
  ASSERT_TRUE(gate.change(part).ok());
  ASSERT_TRUE(gate.change(first).ok());
  EXPECT_EQ(gate.admitRead("b").answer, Answer::kOk);
  EXPECT_EQ(gate.admitRead("c").answer, Answer::kRetry);
}

TEST(Gate, ARefusedCallChangesNoRangeAtAll) {
  Gate gate = serving();
  GateCall both = call(GateVerb::kFence, 2);
  both.ranges = {rangeOf("a", "b"), rangeOf("x", "z")};  // the second is not here
  const std::string before = gate.encode();
  EXPECT_EQ(gate.change(both).code(), ErrorCode::kNotOwner);
  EXPECT_EQ(gate.encode(), before);
}

}  // namespace
}  // namespace keyhaul::test
