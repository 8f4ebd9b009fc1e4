// A client of stores between which ranges move. It keeps a copy of the ownership document and
// asks whom that names; a store that does not own the key says so, and says who does. Each key
// has one writer. A write is tried again, at whichever store, until it is acknowledged or given
// up; never is a later one of the same client sent before.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "job.h"
#include "keyhaul/ownership.h"
#include "node.h"
#include "prng.h"

namespace keyhaul::sim {

class RoutedClientNode : public Node {
 public:
  RoutedClientNode(World& world, uint16_t id, uint32_t share, uint32_t shares);
  void onMessage(Message message) override;
  void onTimer(uint8_t what, uint64_t arg) override;

 private:
  enum What : uint8_t { kNext = 1, kAttempt = 2 };
  struct Hint {  // what a store said
    uint16_t store = 0;
    uint64_t epoch = 0;
  };
  void next();
  void begin(Message request);
  void attempt();
  void attemptIn(uint64_t delayUs);
  void refresh();
  bool route(Message& request);
  void onRefused(const Message& reply);
  void onAnswer(const Message& reply);
  void onPage(const Message& reply);
  void done();
  void think();
  const std::string& pick(const std::vector<std::string>& keys);
  bool mayStop() const;

  Prng prng_;
  std::vector<std::string> own_;
  OwnershipMap cache_;
  uint64_t cacheVersion_ = 0;
  std::optional<Hint> hint_;
  Message request_;
  uint64_t call_ = 0;      // the last one begun
  uint64_t attempt_ = 0;   // rises over all calls
  uint64_t begunUs_ = 0, invoked_ = 0;
  bool waiting_ = false, stopped_ = false;
};

}  // namespace keyhaul::sim
