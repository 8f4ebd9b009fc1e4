// The register: one document with a version, replaced by compare-and-set. What it has
// acknowledged is on its disk; what was being written when it died may be, or not.
#pragma once

#include <deque>
#include <string>

#include "disk.h"
#include "keyhaul/ownership.h"
#include "node.h"

namespace keyhaul::sim {

class RegisterNode : public Node {
 public:
  RegisterNode(World& world, uint16_t id);
  void onMessage(Message message) override;
  void onTimer(uint8_t what, uint64_t arg) override;

  // The world's view.
  void setUp(const OwnershipMap& map);
  const OwnershipMap& map() const { return map_; }
  uint64_t version() const { return version_; }
  Disk& disk() { return disk_; }

 private:
  enum What : uint8_t { kWritten = 1 };
  void onCrash() override;
  void onRestart() override;
  void beginSwap();
  void endSwap(bool answers);
  Message replyTo(const Message& message) const;
  void answer(Message reply);

  Disk disk_;
  Prng prng_;
  std::string document_;
  uint64_t version_ = 0;
  OwnershipMap map_;  // document_, for the oracles
  std::deque<Message> swaps_;  // the first is being written
  ErrorCode swapError_ = ErrorCode::kOk;
  // Sabotage: what stands on the disk, while it answers before it writes.
  std::string diskDocument_;
  uint64_t diskVersion_ = 0;
};

}  // namespace keyhaul::sim
