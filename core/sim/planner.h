// An operator that balances stores: from time to time it looks at how many bytes each range has, and asks for live
// migrations from the fuller to the emptier ones. What it goes by is late and inexact, so it takes every figure for the
// worst that it may stand for, and counts a range that is under way wherever it may end up: at both. So each decision is
// right whatever becomes of those before it; what it leaves alone is a difference that it cannot be sure of (hysteresis).
// It neither sends nor hears anything: somebody at a desk, who may die and come back, with nothing in mind, and asks the
// mover what is under way.
//
// In some worlds there are two that know nothing of each other. Each goes by what was under way, and who owned what, at the
// look that it goes by, and by what it has asked for itself. Both may want the same room, so the room is reserved where
// both have to ask: the mover refuses what finds no room or no slot beside all that it has admitted, and what was decided
// without knowing of a move from or to one of the two stores. Without that two planners keep neither capacity nor limits
// (sabotage `admits-all`).
#pragma once

#include <cstdint>
#include <vector>

#include "job.h"
#include "node.h"
#include "prng.h"

namespace keyhaul::sim {

class PlannerNode : public Node {
 public:
  // As the seed has drawn it. Stores are nodes 0 and up.
  struct Rules {
    uint16_t mover = 0, stores = 0;
    uint32_t number = 0;           // of those that plan
    bool alone = true;             // else it does not know what the other has asked for since its look
    uint64_t diesAtUs = UINT64_MAX, awayUs = 0;
    uint64_t everyUs = 1'000'000;  // between two looks
    uint32_t lateBy = 0;           // looks: it goes by what it saw then
    uint32_t noisePercent = 0;     // by which a figure may be wrong, up and down
    uint32_t cancelPercent = 0;    // of looks, until the healing: a move is cancelled
    uint32_t throttlePercent = 0;  // of looks, until then: a move that is under way gets a lower rate
    uint32_t movesMax = 1;         // at once, out of a store and into a store
    uint64_t loweredAtUs = UINT64_MAX;  // to one
    uint16_t joins = UINT16_MAX, leaves = UINT16_MAX;  // stores; none of them
    uint64_t joinsAtUs = 0, leavesAtUs = 0;
    std::vector<uint64_t> capacities;  // bytes, by store
    std::vector<uint64_t> most;        // bytes that a range may have, by range
  };
  PlannerNode(World& world, uint16_t id, Rules rules);
  void onMessage(Message message) override;
  void onTimer(uint8_t what, uint64_t arg) override;

  const Rules& rules() const { return rules_; }
  uint32_t movesMax() const;
  bool isMember(uint16_t store) const;
  bool leaves(uint16_t store) const;
  bool stopped() const { return stopped_; }
  bool died() const { return died_; }
  uint64_t refused() const { return refused_; }  // by the mover
  // Of each range, as of now: its bytes at its owner.
  static std::vector<uint64_t> bytesOf(const World& world);
  static uint16_t ownerOf(const World& world, const KeyRange& range);
  // The job that moves it and has not ended; null: none.
  static const Job* moveOf(const World& world, const KeyRange& range);

 private:
  enum What : uint8_t { kLook = 1, kBack = 2 };
  // Of each range: what was told, what that may stand for at least and at most, and who owned it.
  struct Look {
    std::vector<uint64_t> least, most, told;
    std::vector<uint16_t> owners;
    std::vector<const Job*> moves;  // under way; null: none
    size_t jobs = 0;                // that there were
    uint64_t slack = 0;  // a smaller difference is none
    bool still = false;  // healed, and nobody writes any more
  };
  struct Stock {
    uint64_t least = 0, most = 0, reserved = 0;
    uint32_t in = 0, out = 0;
  };
  void look();
  void die();
  bool knowsAll(const Look& seen) const;
  // As it knows it, or as it is.
  const Job* moveOf(const Look& seen, size_t range, bool truly) const;
  uint16_t ownerOf(const Look& seen, size_t range, bool truly) const;
  std::vector<Stock> takeStock(const Look& seen, bool truly) const;
  bool hasRoom(const std::vector<Stock>& stock, size_t range, uint16_t from, uint16_t to) const;
  // The mover's part.
  bool isAdmitted(const Look& seen, size_t range, uint16_t from, uint16_t to) const;
  bool decide(size_t look);
  bool mayMove(const Look& seen, const std::vector<Stock>& stock, size_t range, uint16_t from, uint16_t to) const;
  void move(size_t range, uint16_t from, uint16_t to, size_t look);
  void changeItsMind();

  Rules rules_;
  Prng prng_, whims_;
  // Until it dies.
  std::vector<Look> looks_;
  std::vector<const Job*> asked_;
  uint64_t firstLook_ = 0;     // of looks_, among all that it ever made
  uint64_t refused_ = 0;
  bool died_ = false, stopped_ = false;
};

}  // namespace keyhaul::sim
