// Where a store cannot keep readers out, it may show what is old, from the decision that takes a
// range away from it until its coordinator knows that it sends readers on; and the receipt says
// for how long that was.
#pragma once

#include <string_view>
#include <vector>

#include "../linearize/history.h"
#include "../world.h"

namespace keyhaul::sim {

class StaleReads {
 public:
  explicit StaleReads(const World& world) : world_(world) {}

  void onRegister(const OwnershipMap& before, const OwnershipMap& after, Moment now);
  void onState(const Job& job, MigrationState from, MigrationState to, Moment now);

  // How old what this store shows of the key to somebody who asked at `begun` may be: `begun`
  // itself where it has to be the truth.
  Moment oldest(uint16_t store, std::string_view key, Moment begun) const;
  // No read that was asked at `running` or later is older.
  Moment oldestOf(std::string_view key, Moment running) const;

  // What is wrong with what its receipt says; null: nothing.
  const char* wrongWith(const Job& job) const;

 private:
  struct Window {
    ClaimId claim;
    std::vector<KeyRange> ranges;
    uint16_t store = 0;
    Moment decided = 0, over = kNever;
    uint64_t decidedUs = 0, overUs = 0;
    bool contains(std::string_view key) const;
  };

  const World& world_;
  std::vector<Window> windows_;
};

}  // namespace keyhaul::sim
