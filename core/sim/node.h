// What every node of the world has in common: it may be down, paused or slow.
#pragma once

#include <cstdint>

#include "event_queue.h"
#include "message.h"

namespace keyhaul::sim {

class World;

enum class NodeKind : uint8_t { kStore, kMover, kClient, kRegister };

class Node {
 public:
  Node(World& world, NodeKind kind, uint16_t id) : world_(world), kind_(kind), id_(id) {}
  virtual ~Node() = default;
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  virtual void onMessage(Message message) = 0;
  virtual void onTimer(uint8_t what, uint64_t arg) = 0;
  void crash();
  void restart();
  // Nothing but comeBack() restarts it.
  void dieForGood();
  void comeBack();
  bool isGone() const { return goneSinceUs_ != UINT64_MAX; }
  uint64_t goneSinceUs() const { return goneSinceUs_; }

  NodeKind kind() const { return kind_; }
  uint16_t id() const { return id_; }
  uint32_t boot() const { return boot_; }
  bool isUp() const { return up_; }
  uint64_t events = 0;  // that it has seen
  // A store's disk was lost then, as it crashed. What was sent to it before is of connections that are gone.
  uint64_t bornUs = 0;
  uint64_t pausedUntilUs = 0;
  uint64_t slowUntilUs = 0;
  uint32_t slowBy = 1;
  // What fails together: stores of one number. 0: it is in no zone.
  uint8_t zone = 0;

 protected:
  virtual void onCrash() {}
  virtual void onRestart() {}
  uint32_t slowFactor() const;
  void timer(uint64_t delayUs, uint8_t what, uint64_t arg = 0);
  void send(Message message, uint64_t delayUs = 0);
  World& world_;

 private:
  NodeKind kind_;
  uint16_t id_;
  uint32_t boot_ = 1;
  bool up_ = true;
  uint64_t goneSinceUs_ = UINT64_MAX;
};

}  // namespace keyhaul::sim
