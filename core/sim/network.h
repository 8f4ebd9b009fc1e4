// The network: everything may be lost, doubled, late, overtaken, cut or damaged; nothing
// is invented. A damaged message is noticed by its checksum and dropped, as a driver does.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "event_queue.h"
#include "faults.h"
#include "message.h"
#include "prng.h"

namespace keyhaul::sim {

class World;

// How a message fares, as far as it can be told when it is sent.
enum class Fate : uint8_t { kArrives, kLost, kDamaged, kDoubled, kVeryLate };

// Sees every message, and changes nothing.
class NetworkWatcher {
 public:
  virtual ~NetworkWatcher() = default;
  virtual void onSent(uint64_t nowUs, uint64_t arrivalUs, const Message& message, Fate fate) = 0;
};

class Network {
 public:
  Network(uint64_t seed, const Faults& faults, EventQueue& queue);
  // Of all there are now; paths that there were stay as they are.
  void addNodes(uint32_t count);
  // Who is told of what strikes a message.
  void tellTo(World* world) { world_ = world; }

  // `delayUs`: what the sender needs before it is on the wire.
  void send(uint64_t nowUs, Message message, uint64_t delayUs = 0);
  // The message of a kDeliver event; false when it does not get through after all.
  bool take(uint64_t nowUs, uint64_t index, Message& message);

  // Until then nothing passes from one to the other.
  void block(uint16_t from, uint16_t to, uint64_t untilUs);
  // Until then it waits.
  void clog(uint16_t from, uint16_t to, uint64_t untilUs);
  // One of the last calls that change something arrives once more.
  void replay(uint64_t nowUs, Prng& prng);
  // Chaos is over: every path is free.
  void heal();
  uint64_t sent() const { return sent_; }
  void watch(NetworkWatcher* watcher) { watcher_ = watcher; }
  bool isBlocked(uint64_t nowUs, uint16_t from, uint16_t to) const {
    return paths_[size_t{from} * nodes_ + to].blockedUntilUs > nowUs;
  }
  // Sender and receiver share a process: a call takes no time by itself.
  void inProcess() { leastDelayUs_ = 5; }
  // Exponential delays of this mean, until it heals.
  void delayBy(uint64_t meanUs) { meanDelayUs_ = meanUs; }
  // By hand: of up to kOvertakingUs, by the million, where they are not longer anyway.
  void reorder(uint32_t perMillion);
  uint64_t damaged() const { return damaged_; }

 private:
  struct Path {
    uint64_t blockedUntilUs = 0, cloggedUntilUs = 0;
    uint64_t busyUntilUs = 0;  // bandwidth
    uint64_t lastUs = 0;       // of the last arrival: order is kept where nothing reorders
    std::vector<uint64_t> arrivals;  // of what is under way; kept where a path holds only so much
  };
  Path& path(uint16_t from, uint16_t to) { return paths_[size_t{from} * nodes_ + to]; }
  void remember(const Message& message);
  uint64_t meanDelay() const { return std::max(meanDelayUs_, leastMeanUs_); }
  uint64_t delay(Path& path, uint64_t startUs, size_t bytes);
  bool isFull(Path& path, uint64_t nowUs, uint64_t arrivalUs) const;
  void damage(Message& message);
  void makeForeign(Message& message);
  void keepBody(const Message& message);
  bool strikes(Prng& prng, FaultKind kind, const Message& message);
  void post(uint64_t timeUs, Message message);
  void told(uint64_t nowUs, uint64_t arrivalUs, const Message& message, Fate fate) const {
    if (watcher_ != nullptr) watcher_->onSent(nowUs, arrivalUs, message, fate);
  }

  Prng prng_;
  Prng delayPrng_, damagePrng_, foreignPrng_;
  const Faults& faults_;
  EventQueue& queue_;
  World* world_ = nullptr;
  uint64_t bytesPerSecond_ = 0;
  size_t capacity_ = 0;  // messages under way on a path; 0: no limit
  uint64_t meanDelayUs_ = 0, leastMeanUs_ = 0;
  uint64_t leastDelayUs_ = 200;
  uint32_t nodes_ = 0;
  std::vector<Path> paths_;
  std::vector<Message> pool_;
  std::vector<uint32_t> free_;
  std::vector<Message> remembered_;
  size_t nextRemembered_ = 0;
  std::vector<std::string> bodies_;  // of messages that went by
  size_t nextBody_ = 0;
  uint64_t sent_ = 0, damaged_ = 0;
  NetworkWatcher* watcher_ = nullptr;
};

}  // namespace keyhaul::sim
