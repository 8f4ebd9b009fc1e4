// A run that can be watched: forward as far as somebody likes, and what there is to see as JSON.
// It has the hash of run() with the same options, whatever is looked at and how often.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "options.h"

namespace keyhaul::sim {

class Watcher;
class World;

// Where a run stands: two with the same did the same so far.
struct Moment {
  uint64_t events = 0, timeUs = 0, hash = 0, violations = 0;
  bool operator==(const Moment&) const = default;
};
Moment momentOf(const World& world);

class Player {
 public:
  // The scenario has to exist.
  explicit Player(const Options& options);
  ~Player();
  Player(const Player&) = delete;
  Player& operator=(const Player&) = delete;

  // Everything up to this time and this event, whichever is first; at most `most` events. How many.
  uint64_t advance(uint64_t untilUs, uint64_t untilEvent, uint64_t most);
  // Nothing more happens.
  bool ended() const { return ended_; }
  // In the present or later: what lies before the last event takes place now.
  void intervene(Intervention intervention);

  Moment now() const { return momentOf(*world_); }

  // The world as it is; flights and log lines are those since it was last asked.
  std::string view();
  // The key space by time (heat.h); columns are asked for after the rows.
  std::string rows();
  std::string column();
  // Marks from this one on.
  std::string marks(size_t from) const;
  // The report of the command; final once nothing more happens.
  std::string report() const;

 private:
  std::unique_ptr<World> world_;
  Watcher* watcher_ = nullptr;
  bool ended_ = false;
};

}  // namespace keyhaul::sim
