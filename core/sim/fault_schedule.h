// What happens to nodes and paths as a whole, looked at every 100 ms; and crashes that
// strike between any two events.
#pragma once

#include <cstdint>

#include "faults.h"
#include "prng.h"

namespace keyhaul::sim {

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
  // Brings everything back and stops.
  void heal();

 private:
  enum What : uint8_t { kTick = 1, kCrash = 2, kRestart = 3 };
  void tick();
  void harm(Node& node);
  void harmStore(Node& node);
  void harmMover(Node& node);
  void cut(Prng& prng, uint16_t node);
  bool strikes(Prng& prng, FaultKind kind);
  void crashSoon(Prng& prng, Node& node, uint64_t downUsMax);
  void post(uint64_t delayUs, What what, uint16_t node);

  World& world_;
  Prng path_, mover_, store_, disk_, user_;
};

}  // namespace keyhaul::sim
