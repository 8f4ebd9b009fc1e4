// A gate whose store was emptied behind its back: what a migration has put or left there is lost, in memory and in
// the record that is written next, until it is staged anew.
#include "keyhaul/gate.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "keyhaul/checksum.h"

namespace keyhaul::test {
namespace {

const KeyRange kAll{"a", Bound::at("m")};

GateCall call(GateVerb verb, uint64_t epoch, uint64_t coordEpoch = 1) {
  GateCall call;
  call.verb = verb;
  call.claim[0] = 1;
  call.coordEpoch = coordEpoch;
  call.epoch = epoch;
  call.target = "T";
  call.ranges = {kAll};
  return call;
}

Gate after(std::initializer_list<GateCall> calls) {
  Gate gate;
  for (const GateCall& call : calls) EXPECT_TRUE(gate.change(call).ok()) << gateVerbName(call.verb);
  return gate;
}

Gate readAgain(const Gate& gate) {
  const std::string record = gate.encode();
  return Gate::restore(std::as_bytes(std::span(record.data(), record.size())), 0).value();
}

Gate redirecting() {
  return after({call(GateVerb::kAssign, 1), call(GateVerb::kFence, 2), call(GateVerb::kFenceReads, 2), call(GateVerb::kRedirect, 2)});
}

TEST(GateEmptied, WhatWasStagedIsNeitherGoneOnWithNorServed) {
  Gate gate = after({call(GateVerb::kPrepare, 2)});
  gate.emptied();
  for (Gate each : {gate, readAgain(gate)}) {
    EXPECT_EQ(each.change(call(GateVerb::kInspect, 2)).code(), ErrorCode::kNotOwner);
    EXPECT_EQ(each.encodeAfter(call(GateVerb::kActivate, 2)).code(), ErrorCode::kNotOwner);
    EXPECT_EQ(each.change(call(GateVerb::kActivate, 2)).code(), ErrorCode::kNotOwner);
    EXPECT_EQ(each.change(call(GateVerb::kRestage, 2)).code(), ErrorCode::kNotOwner);
    EXPECT_EQ(each.change(call(GateVerb::kRestage, 4, 2)).code(), ErrorCode::kNotOwner);
    // The call that staged it, which comes late once more, brings nothing back.
    ASSERT_TRUE(each.change(call(GateVerb::kPrepare, 2)).ok());
    EXPECT_EQ(each.change(call(GateVerb::kInspect, 2)).code(), ErrorCode::kNotOwner);
  }
}

TEST(GateEmptied, WhoGivesItUpTakesOffWhatWasWrittenSince) {
  Gate gate = after({call(GateVerb::kPrepare, 2)});
  gate.emptied();
  EXPECT_TRUE(gate.admitApply(call(GateVerb::kPrepare, 2).claim, 1, kAll).ok());
  EXPECT_TRUE(gate.change(call(GateVerb::kInspect, 0)).ok());
  ASSERT_TRUE(gate.change(call(GateVerb::kPrepare, 4)).ok());
  ASSERT_TRUE(gate.change(call(GateVerb::kDiscard, 4)).ok());
  EXPECT_EQ(gate.ranges()[0].state, GateState::kAbsent);
  EXPECT_EQ(gate.change(call(GateVerb::kInspect, 0)).code(), ErrorCode::kNotOwner);
}

TEST(GateEmptied, WhatIsStagedAnewIsKnownAgain) {
  for (const GateCall& again : {call(GateVerb::kPrepare, 2, 2), call(GateVerb::kPrepare, 4)}) {
    Gate gate = after({call(GateVerb::kPrepare, 2)});
    gate.emptied();
    ASSERT_TRUE(gate.change(again).ok());
    EXPECT_TRUE(gate.change(call(GateVerb::kInspect, 4, 2)).ok());
  }
}

TEST(GateEmptied, APartThatAnotherStagesIsItsOwn) {
  Gate gate = after({call(GateVerb::kPrepare, 2)});
  gate.emptied();
  GateCall other = call(GateVerb::kPrepare, 3);
  other.claim[0] = 2;
  other.ranges = {{"c", Bound::at("f")}};
  ASSERT_TRUE(gate.change(other).ok());
  other.verb = GateVerb::kInspect;
  EXPECT_TRUE(gate.change(other).ok());
  EXPECT_EQ(gate.ranges().size(), 3U);
  EXPECT_TRUE(gate.ranges()[0].lost && !gate.ranges()[1].lost && gate.ranges()[2].lost);
}

// It sends clients on, and its clean-up finds nothing; but nobody goes back to it.
TEST(GateEmptied, WhatMovedAwaySendsOnAndIsNotGoneBackTo) {
  for (const bool beforeTheRedirect : {false, true}) {
    Gate gate = redirecting();
    if (beforeTheRedirect) gate = after({call(GateVerb::kAssign, 1), call(GateVerb::kFence, 2)});
    gate.emptied();
    for (Gate each : {gate, readAgain(gate)}) {
      if (beforeTheRedirect) {
        ASSERT_TRUE(each.change(call(GateVerb::kFence, 2)).ok());
        ASSERT_TRUE(each.change(call(GateVerb::kFenceReads, 2)).ok());
      }
      ASSERT_TRUE(each.change(call(GateVerb::kRedirect, 2)).ok());
      EXPECT_EQ(each.admitRead("b").owner, "T");
      EXPECT_TRUE(each.admitCleanUp(2, kAll).ok());
      EXPECT_EQ(each.change(call(GateVerb::kRestage, 3)).code(), ErrorCode::kNotOwner);
      // What was kept is given up.
      ASSERT_TRUE(each.change(call(GateVerb::kPrepare, 5)).ok());
      ASSERT_TRUE(each.change(call(GateVerb::kDiscard, 5)).ok());
      EXPECT_EQ(each.admitRead("b").owner, "T");
    }
  }
}

TEST(GateEmptied, WhatIsKeptForAWayBackIsLostToo) {
  Gate gate = redirecting();
  ASSERT_TRUE(gate.change(call(GateVerb::kRestage, 3)).ok());
  gate.emptied();
  EXPECT_EQ(gate.change(call(GateVerb::kInspect, 3)).code(), ErrorCode::kNotOwner);
  EXPECT_EQ(gate.change(call(GateVerb::kActivate, 3)).code(), ErrorCode::kNotOwner);
  EXPECT_EQ(gate.change(call(GateVerb::kRestage, 3)).code(), ErrorCode::kNotOwner);
  EXPECT_EQ(gate.admitRead("b").owner, "T");
}

// Nobody else has what its owner lost, and who is fenced is to serve again.
TEST(GateEmptied, AnOwnerStaysOne) {
  Gate gate = after({call(GateVerb::kAssign, 1)});
  gate.emptied();
  EXPECT_EQ(gate.admitRead("b").answer, Answer::kOk);
  EXPECT_FALSE(gate.ranges()[0].lost);
  ASSERT_TRUE(gate.change(call(GateVerb::kFence, 2)).ok());
  gate.emptied();
  ASSERT_TRUE(gate.change(call(GateVerb::kUnfence, 3)).ok());
  EXPECT_EQ(gate.admitRead("b").answer, Answer::kOk);
  EXPECT_FALSE(gate.ranges()[0].lost);
}

std::string sealed(std::string body) {
  char tail[sizeof(uint32_t)];
  storeLe(tail, crc32c(body));
  return body.append(tail, sizeof tail);
}

// Byte by byte (core/src/ownership/FORMAT.md): what was written before anything could be lost is read as it was.
TEST(GateEmptied, RecordsOfBefore) {
  const std::string staged("KHGT\1\1\1a\0\1m\6\2\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0", 31);
  Gate gate = after({call(GateVerb::kPrepare, 2)});
  EXPECT_EQ(gate.encode(), sealed(staged));
  gate.emptied();
  std::string lost = staged;
  lost[11] = 8 + 6;
  EXPECT_EQ(gate.encode(), sealed(lost));
}

// State 8 more: lost. What is absent or served is never lost.
TEST(GateEmptied, ARecordThatEncodeCannotHaveMadeIsCorrupt) {
  Gate gate = after({call(GateVerb::kPrepare, 2)});
  gate.emptied();
  EXPECT_TRUE(readAgain(gate).ranges()[0].sameAs(gate.ranges()[0]));
  const std::string record = gate.encode();
  const size_t at = record.find('m') + 1;
  ASSERT_EQ(record[at], 8 + 6);
  for (char state = 0; state < 18; ++state) {
    std::string other = record.substr(0, record.size() - sizeof(uint32_t));
    other[at] = state;
    other = sealed(other);
    const bool known = (state >= 1 && state <= 6) || (state >= 8 + 3 && state <= 8 + 6);
    EXPECT_EQ(Gate::restore(std::as_bytes(std::span(other.data(), other.size())), 0).ok(), known) << int{state};
  }
}

}  // namespace
}  // namespace keyhaul::test
