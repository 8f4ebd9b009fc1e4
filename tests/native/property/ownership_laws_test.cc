// The register's document against a model that knows every single key, and two gates
// under a network that delivers the calls of migrations late, twice and in any order.
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <optional>

#include "keyhaul/gate.h"
#include "keyhaul/ownership.h"
#include "support/random.h"

namespace keyhaul::test {
namespace {

constexpr int kKeys = 12;
std::string keyOf(int i) { return std::string(1, static_cast<char>('a' + i)); }
KeyRange rangeOf(int from, int to) { return {keyOf(from), Bound::at(keyOf(to))}; }
ClaimId idOf(uint8_t n) {
  ClaimId id{};
  id[0] = n;
  return id;
}

struct Cell {
  std::string owner;
  uint64_t epoch = 0;
};

TEST(OwnershipLaws, AgreesWithAModelOfSingleKeys) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    Random random(seed);
    OwnershipMap map;
    ASSERT_TRUE(map.assign(rangeOf(0, kKeys), "S").ok());
    std::vector<Cell> cells(kKeys, {"S", 1});
    std::map<uint8_t, std::pair<int, int>> claimed;  // id -> keys
    uint8_t nextId = 1;
    for (int step = 0; step < 60; ++step) {
      const int from = static_cast<int>(random.below(kKeys));
      const int to = from + 1 + static_cast<int>(random.below(static_cast<uint64_t>(kKeys - from)));
      if (random.below(2) == 0) {
        const std::string source = random.below(2) == 0 ? "S" : "T";
        const std::string target = source == "S" ? "T" : "S";
        bool owns = true, free = true;
        for (int k = from; k < to; ++k) owns = owns && cells[static_cast<size_t>(k)].owner == source;
        for (const auto& [id, keys] : claimed) free = free && (keys.second <= from || to <= keys.first);
        const Status s = map.claim(idOf(nextId), source, target, {rangeOf(from, to)});
        ASSERT_EQ(s.code(), !owns  ? ErrorCode::kNotOwner
                            : !free ? ErrorCode::kRangeClaimed
                                    : ErrorCode::kOk);
        if (s.ok()) claimed[nextId++] = {from, to};
      } else if (!claimed.empty()) {
        const uint8_t id = std::next(claimed.begin(), static_cast<long>(random.below(claimed.size())))->first;
        const auto [lo, hi] = claimed[id];
        if (random.below(4) == 0) {
          ASSERT_TRUE(map.takeOver(idOf(id)).ok());
        } else if (random.below(4) == 0) {
          ASSERT_TRUE(map.postpone(idOf(id), map.find(idOf(id))->coordEpoch).ok());
        }
        const Claim claim = *map.find(idOf(id));
        const uint64_t coord = claim.coordEpoch;
        ASSERT_EQ(map.decide(idOf(id), coord + 1).code(), ErrorCode::kSuperseded);
        const bool decide = random.below(2) == 0;
        ASSERT_TRUE((decide ? map.decide(idOf(id), coord) : map.abort(idOf(id), coord)).ok());
        ASSERT_EQ((decide ? map.abort(idOf(id), coord) : map.decide(idOf(id), coord)).code(),
                  ErrorCode::kAlreadyComplete);
        ASSERT_TRUE((decide ? map.decide(idOf(id), coord) : map.abort(idOf(id), coord)).ok());
        for (int k = lo; k < hi; ++k) {
          Cell& cell = cells[static_cast<size_t>(k)];
          const uint64_t epoch = decide ? claim.fenceEpoch() : claim.abortEpoch();
          ASSERT_GT(epoch, cell.epoch) << "epochs grow";
          cell = {decide ? claim.target : claim.source, epoch};
        }
        ASSERT_EQ(map.turn(idOf(id), coord + 1).code(), ErrorCode::kSuperseded);
        if (!decide) {
          ASSERT_EQ(map.turn(idOf(id), coord).code(), ErrorCode::kUnsupported);
        }
        if (decide && random.below(2) == 0) {
          // The way back is claimed, by the same claim; it is decided or given up later.
          ASSERT_TRUE(map.turn(idOf(id), coord).ok());
          ASSERT_EQ(map.turn(idOf(id), coord).code(), ErrorCode::kUnsupported);
          ASSERT_EQ(map.close(idOf(id), coord).code(), ErrorCode::kUnsupported);
          const Claim back = *map.find(idOf(id));
          ASSERT_EQ(back.source, claim.target);
          ASSERT_EQ(back.target, claim.source);
          ASSERT_EQ(back.epoch, claim.fenceEpoch());
        } else {
          ASSERT_TRUE(map.close(idOf(id), coord).ok());
          claimed.erase(id);
        }
      }
      for (int k = 0; k < kKeys; ++k) {
        const Ownership* part = map.lookup(keyOf(k));
        ASSERT_NE(part, nullptr);
        ASSERT_EQ(part->owner, cells[static_cast<size_t>(k)].owner) << "seed " << seed << " key " << k;
        ASSERT_EQ(part->epoch, cells[static_cast<size_t>(k)].epoch);
      }
      const std::string bytes = map.encode();
      const auto again = OwnershipMap::decode(std::as_bytes(std::span(bytes)));
      ASSERT_TRUE(again.ok());
      ASSERT_EQ(again->encode(), bytes);
    }
  }
}

TEST(OwnershipLaws, EveryFlippedBitAndEveryCutIsRefused) {
  OwnershipMap map;
  ASSERT_TRUE(map.assign(rangeOf(0, 4), "S").ok());
  ASSERT_TRUE(map.claim(idOf(7), "S", "T", {rangeOf(1, 2)}).ok());
  const std::string bytes = map.encode();
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = bytes;
      bad[i] = static_cast<char>(bad[i] ^ (1 << bit));
      ASSERT_EQ(OwnershipMap::decode(std::as_bytes(std::span(bad))).code(), ErrorCode::kRegisterCorrupt);
    }
    if (i == 0) continue;
    const auto cut = std::as_bytes(std::span(bytes)).first(i);
    ASSERT_EQ(OwnershipMap::decode(cut).code(), ErrorCode::kRegisterCorrupt);
  }
}

// A migration of all keys between two gates, and what its coordinator may send now.
struct Mover {
  ClaimId id{};
  int from = 0, to = 1;
  uint64_t fence = 0, coord = 1;
  int step = 0;
};

struct Message {
  int node;
  GateCall call;
};

class TwoGates {
 public:
  explicit TwoGates(uint64_t seed) : random_(seed) {
    EXPECT_TRUE(map_.assign(KeyRange::all(), names_[0]).ok());
    GateCall assign;
    assign.verb = GateVerb::kAssign;
    assign.epoch = 1;
    assign.ranges = {KeyRange::all()};
    EXPECT_TRUE(gates_[0].change(assign).ok());
  }

  void run(int steps) {
    for (int i = 0; i < steps && !::testing::Test::HasFatalFailure(); ++i) {
      switch (random_.below(4)) {
        case 0: advance(); break;
        case 1: deliver(); break;
        case 2: restart(); break;
        case 3: check(); break;
      }
    }
  }
  uint64_t decisions() const { return decisions_; }

 private:
  // Sends the call and goes on only when it was acknowledged (perhaps to a copy of it).
  bool call(int node, GateVerb verb, uint64_t epoch) {
    GateCall call;
    call.verb = verb;
    call.claim = mover_->id;
    call.coordEpoch = mover_->coord;
    call.epoch = epoch;
    call.target = names_[mover_->to];
    call.ranges = {KeyRange::all()};
    late_.push_back({node, call});  // a copy that may arrive at any time from now on
    if (random_.below(3) == 0) return false;  // lost: the coordinator sends it again
    return gates_[node].change(call).ok();
  }

  void advance() {
    if (!mover_) {
      mover_.emplace();
      mover_->id = idOf(static_cast<uint8_t>(++ids_ & 0xFF));
      mover_->id[1] = static_cast<uint8_t>(ids_ >> 8);
      mover_->from = map_.lookup("k")->owner == names_[0] ? 0 : 1;
      mover_->to = 1 - mover_->from;
      ASSERT_TRUE(map_.claim(mover_->id, names_[mover_->from], names_[mover_->to], {KeyRange::all()}).ok());
      mover_->fence = map_.find(mover_->id)->fenceEpoch();
      return;
    }
    Mover& m = *mover_;
    const bool undecided = map_.find(m.id)->state == ClaimState::kClaimed;
    if (undecided && random_.below(6) == 0) {
      // A new coordinator, or this one gives up the attempt: the source serves again.
      if (random_.below(2) == 0) {
        ASSERT_TRUE(map_.takeOver(m.id).ok());
      } else {
        ASSERT_TRUE(map_.postpone(m.id, m.coord).ok());
      }
      m.coord = map_.find(m.id)->coordEpoch;
      m.fence = map_.find(m.id)->fenceEpoch();
      m.step = -1;
      return;
    }
    if (undecided && random_.below(8) == 0) {
      ASSERT_TRUE(map_.abort(m.id, m.coord).ok());
      m.step = 100;
      return;
    }
    switch (m.step) {
      case -1: m.step += call(m.from, GateVerb::kUnfence, m.fence - 1); break;
      case 0: m.step += call(m.to, GateVerb::kPrepare, m.fence); break;
      case 1: m.step += call(m.from, GateVerb::kFence, m.fence); break;
      case 2: m.step += random_.below(2) == 0 || call(m.from, GateVerb::kFenceReads, m.fence); break;
      case 3:
        ASSERT_TRUE(map_.decide(m.id, m.coord).ok());
        ++decisions_;
        ++m.step;
        break;
      case 4: m.step += call(m.to, GateVerb::kActivate, m.fence); break;
      case 5: m.step += call(m.from, GateVerb::kRedirect, m.fence); break;
      case 6: finish(); break;
      case 100: m.step += call(m.from, GateVerb::kUnfence, m.fence + 1); break;
      case 101: m.step += call(m.to, GateVerb::kDiscard, m.fence); break;
      case 102: finish(); break;
    }
  }

  void finish() {
    ASSERT_TRUE(map_.close(mover_->id, mover_->coord).ok());
    mover_.reset();
  }

  void deliver() {
    if (late_.empty()) return;
    const size_t at = random_.below(late_.size());
    const Message message = late_[at];
    if (random_.below(2) == 0) late_.erase(late_.begin() + static_cast<long>(at));
    (void)gates_[message.node].change(message.call);
  }

  void restart() {
    Gate& gate = gates_[random_.below(2)];
    const std::string bytes = gate.encode();
    gate = Gate::restore(std::as_bytes(std::span(bytes)), gate.last()).value();
    ASSERT_EQ(gate.encode(), bytes);
  }

  // One writer at most, and only the one that the register names.
  void check() {
    const KeyView key = "k";
    int writers = 0;
    for (int node = 0; node < 2; ++node) {
      const Admission admission = gates_[node].admitWrite(std::span(&key, 1));
      if (admission.answer != Answer::kOk) continue;
      gates_[node].landed(admission.position);
      ++writers;
      ASSERT_EQ(map_.lookup(key)->owner, names_[node]) << "a store serves what it does not own";
      ASSERT_GE(admission.epoch, served_) << "an older epoch serves again";
      served_ = admission.epoch;
    }
    ASSERT_LE(writers, 1);
  }

  const std::string names_[2] = {"S", "T"};
  Random random_;
  OwnershipMap map_;
  Gate gates_[2];
  std::optional<Mover> mover_;
  std::vector<Message> late_;
  int ids_ = 0;
  uint64_t served_ = 0, decisions_ = 0;
};

TEST(GateLaws, AtMostOneStoreTakesWritesHoweverCallsArrive) {
  uint64_t decisions = 0;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    TwoGates world(seed);
    world.run(400);
    ASSERT_FALSE(HasFatalFailure()) << "seed " << seed;
    decisions += world.decisions();
  }
  EXPECT_GT(decisions, 400U) << "the test has to get somewhere";
}

TEST(GateLaws, AFenceWaitsForWritesInFlightAndStaysAfterARestart) {
  Gate gate;
  GateCall call;
  call.verb = GateVerb::kAssign;
  call.epoch = 1;
  call.ranges = {rangeOf(0, 6)};
  ASSERT_TRUE(gate.change(call).ok());
  const KeyView inside = "b", outside = "z";
  const Admission write = gate.admitWrite(std::span(&inside, 1));
  ASSERT_EQ(write.answer, Answer::kOk);
  EXPECT_EQ(gate.admitWrite(std::span(&outside, 1)).answer, Answer::kMoved);
  EXPECT_EQ(gate.head(), write.position - 1);
  call.verb = GateVerb::kFence;
  call.claim = idOf(1);
  call.coordEpoch = 1;
  call.epoch = 2;
  ASSERT_TRUE(gate.change(call).ok());
  EXPECT_FALSE(gate.quiet(call.ranges));
  EXPECT_EQ(gate.admitWrite(std::span(&inside, 1)).answer, Answer::kRetry);
  EXPECT_EQ(gate.admitRead(inside).answer, Answer::kOk);
  gate.landed(write.position);
  EXPECT_TRUE(gate.quiet(call.ranges));
  EXPECT_EQ(gate.head(), write.position);
  const std::string bytes = gate.encode();
  Gate again = Gate::restore(std::as_bytes(std::span(bytes)), gate.last()).value();
  EXPECT_EQ(again.admitWrite(std::span(&inside, 1)).answer, Answer::kRetry);
}

TEST(GateLaws, AnOlderCoordinatorAndAnOlderMigrationWriteNothing) {
  Gate gate;
  GateCall call;
  call.verb = GateVerb::kPrepare;
  call.claim = idOf(1);
  call.coordEpoch = 1;
  call.epoch = 2;
  call.ranges = {rangeOf(0, 6)};
  ASSERT_TRUE(gate.change(call).ok());
  const auto ticket = gate.admitApply(call.claim, 1, rangeOf(1, 2));
  ASSERT_TRUE(ticket.ok());
  call.coordEpoch = 2;
  ASSERT_TRUE(gate.change(call).ok());
  EXPECT_FALSE(gate.quiet(call.ranges)) << "the older coordinator's write is still under way";
  gate.landed(ticket.value());
  EXPECT_TRUE(gate.quiet(call.ranges));
  EXPECT_EQ(gate.admitApply(call.claim, 1, rangeOf(1, 2)).code(), ErrorCode::kSuperseded);
  EXPECT_EQ(gate.admitApply(idOf(9), 5, rangeOf(1, 2)).code(), ErrorCode::kSuperseded);
  EXPECT_EQ(gate.admitApply(call.claim, 2, rangeOf(1, 9)).code(), ErrorCode::kSuperseded)
      << "part of it is not staged";
  EXPECT_EQ(gate.admitCleanUp(2, rangeOf(1, 2)).code(), ErrorCode::kSuperseded);
}

}  // namespace
}  // namespace keyhaul::test
