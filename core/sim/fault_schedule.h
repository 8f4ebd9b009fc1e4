// What happens to nodes and paths as a whole, looked at every 100 ms; and crashes that
// strike between any two events.
#pragma once

#include <cstdint>
#include <map>

#include "disk.h"
#include "faults.h"
#include "prng.h"

namespace keyhaul::sim {

class MoverNode;
class Node;
class World;

class FaultSchedule {
 public:
  explicit FaultSchedule(World& world);
  void start();
  // Of a kFault event.
  void onEvent(uint8_t what, uint16_t node);
  // By hand: it dies now and comes back then.
  void crash(Node& node, uint64_t untilUs);
  // The same, a little later.
  void crashIn(uint64_t inUs, uint64_t downUs, const Node& node);
  // Brings everything back and stops.
  void heal();
  // It comes back a while later.
  void crashNow(Node& node);

 private:
  enum What : uint8_t { kTick = 1, kCrash = 2, kRestart = 3, kClog = 4 };
  void tick();
  void harm(Node& node);
  void harmStore(Node& node);
  void harmMover(Node& node);
  void harmRegister(Node& node);
  // What every kind of node may meet: each for itself, by the stream of its kind.
  void holdUp(Prng& prng, Node& node, FaultKind pause, uint64_t pauseMaxUs, FaultKind slow);
  void fill(const Node& node, Disk& disk);
  bool crashes(Prng& prng, FaultKind kind);
  static FaultKind crashOf(const Node& node);
  void cut(Prng& prng, const Node& node);
  void cutInTwo();
  void swizzle();
  void clogAll(uint16_t node);
  void harmClock(MoverNode& mover);
  bool strikes(Prng& prng, FaultKind kind, const Node& node);
  void crashSoon(Prng& prng, Node& node, uint64_t downUsMax);
  void post(uint64_t delayUs, What what, uint16_t node);

  World& world_;
  Prng path_, mover_, store_, disk_, user_, register_, replay_, groups_, swizzle_, clocks_, slots_, losses_;
  std::map<uint16_t, uint64_t> cloggedUntilUs_;  // by node: of a swizzle
};

}  // namespace keyhaul::sim
