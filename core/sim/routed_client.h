// A client of stores between which ranges move. It keeps a copy of the ownership document and
// asks whom that names; a store that does not own the key says so, and says who does. Where each
// key has one writer, a write is tried again, at whichever store, until it is acknowledged or given
// up; never is a later one of the same client sent before.
//
// Where keys have several writers that would not do: one that a store took and whose answer was
// lost may have moved on with the range, and others have written since; carried out again by the
// new owner it would take effect twice. So a write is of one epoch. There it is repeated under
// its number, which the store knows, and is one operation; before it is sent at another epoch it
// is given up, whether it took place or not, and another one begins.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "job.h"
#include "keyhaul/ownership.h"
#include "node.h"
#include "oracle.h"
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
  void start(Message request);
  bool isOfAnotherEpoch() const;
  void beginAnew();
  void giveUp();
  void setIf(Message& request);
  void drawEnd();
  std::string newValue(std::string_view key) const;
  void see(std::string_view key, const std::string* value);
  ClientWrite write(uint16_t store) const;
  bool readsByHeart(const Message& request);
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

  Prng prng_, conditions_, ends_;
  std::vector<std::string> own_;  // that it writes
  OwnershipMap cache_;
  uint64_t cacheVersion_ = 0;
  std::optional<Hint> hint_;
  Message request_;
  uint64_t call_ = 0;      // the last one begun
  uint64_t attempt_ = 0;   // rises over all calls
  uint64_t begunUs_ = 0, invoked_ = 0;
  uint64_t sentEpoch_ = 0;  // at which the write that is under way was first sent; 0: not yet
  uint64_t padding_ = 0;    // of the value that it writes
  uint64_t endsAfterUs_ = 0;  // 0: that does not end
  // Where it compares and sets: what it saw or left last of a key, if that was the last thing it did.
  std::string seenKey_;
  std::optional<std::string> seen_;
  // Of a write that is under way: what it puts there; nothing: a delete.
  std::optional<std::string> value_;
  // Of one that is conditional: what has to be there.
  std::optional<std::string> expected_;
  // Sabotage: what it wrote last, by key, where that was acknowledged.
  std::map<std::string, std::optional<std::string>, std::less<>> byHeart_;
  bool waiting_ = false, stopped_ = false;
};

}  // namespace keyhaul::sim
