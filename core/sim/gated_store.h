// A store whose writers all pass through a gate (keyhaul/gate.h), as live migrations need
// them. The gate's record is written in the same batches as the data.
//
// Calls to the gate may come twice, late and from anybody: it is the gate that refuses them.
// A write of a migration is carried out at most once, and belongs to the life of the store in
// which its session was told that the range is prepared: what a crash took away would not be
// written again otherwise. For the same reason one that was sent before the last prepare is refused:
// who prepares to empty what it staged has given up its writes, and the network may still hold
// one. A client says which epoch it believes in, so that a copy of its
// request that was late for years finds no store that takes it.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "keyhaul/gate.h"
#include "store.h"

namespace keyhaul::sim {

class GatedStoreNode : public StoreNode {
 public:
  GatedStoreNode(World& world, uint16_t id, std::string name);
  void onMessage(Message message) override;
  void onTimer(uint8_t what, uint64_t arg) override;

  // The world's view.
  const Gate& gate() const { return gate_; }
  // As it would be after a crash at this moment.
  Gate durableGate() const;
  void openStaged();
  const GateRange* gateAt(std::string_view key) const;
  void setUpGate(const KeyRange& range);
  // Values that have ended are to be deleted from now on.
  void startSweeping();

 private:
  enum GatedWhat : uint8_t {
    kLand = 16,  // arg: which of held_
    kSelfUnfence = 17,  // of sabotages
    kSelfSync = 18,
    kShow = 19,  // arg: which of early_
    kSweep = 20,
  };
  struct LiveSession {
    std::set<uint64_t> queued;            // calls that wait for their commit
    std::map<uint64_t, Message> replies;  // of calls that change something
    uint64_t preparedBy = 0;              // the last call that prepared; a write sent before it comes too late
  };

  // A client's write that the feed tells of and that migrations do not read yet.
  struct Early {
    std::string key;
    std::optional<std::string> before;
    Message call, reply;
  };

  void finish(const Message& call, Message reply, bool sends) override;
  const std::string* seen(const std::string& key, const std::string& value) const override;
  void show(uint64_t upto);
  Message execute(const Message& message, bool synced) override;
  void onCrash() override;
  void onRestart() override;
  void sweep();

  // Of clients (gated_client_calls.cc).
  void onClient(Message message);
  void refuse(const Message& message, const Admission& admission);
  void showRead(const Message& message);
  void showPage(const Message& message);
  void bypass(const Message& message, Admission& admission) const;
  void take(Message message);

  // Of migrations.
  void onGateCall(Message message);
  void onWrite(Message message);
  GateCall callOf(const Message& message) const;
  ErrorCode changeGate(const Message& message, GateCall call);
  Message executeGate(const Message& message);
  Message executeWrite(const Message& message, bool synced);
  Message executeIf(const Message& message, bool synced);
  bool holdsExpected(const Message& message) const;
  void letQuietOnesIn();
  bool isDoneOrQueued(const Message& message);
  LiveSession& sessionOf(const Message& message) {
    return liveSessions_[{message.party, message.session}];
  }
  // Tickets for the keys of a write, a range of the plan at a time: between them lie keys that
  // are not the migration's.
  ErrorCode admit(const FrameView& frame, Message& message);
  bool isOfAnyCoordinator(const Job& job, const KeyRange& span) const;
  void obeyLateActivate(Message message);

  Prng versionPrng_;
  Gate gate_;
  std::string durableGate_;
  std::map<uint64_t, Message> held_;  // admitted, and not on their way to the disk yet
  uint64_t lastHeld_ = 0;
  std::map<uint64_t, Early> early_;
  uint64_t lastEarly_ = 0;
  std::optional<Early> hiding_;  // is being carried out
  std::vector<Message> waiting_;  // calls that close, until what was admitted has landed
  std::map<std::pair<uint32_t, uint64_t>, LiveSession> liveSessions_;
  std::optional<GateCall> lastFence_;  // for a sabotage
  Prng sweeps_;
  uint64_t aheadUs_;  // its clock is ahead of the world's by this, less kEndSkewUs
  uint64_t swept_ = 0;
};

}  // namespace keyhaul::sim
