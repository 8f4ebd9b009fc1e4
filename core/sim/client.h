// A client that reads and writes its share of a job's keys at one store: the job's source, or where
// values carry versions its target too. Nobody else writes them there. It gives up on a call after a while and then does not know whether
// the write took place; it never sends a later one before.
#pragma once

#include <string>
#include <vector>

#include "job.h"
#include "node.h"
#include "prng.h"

namespace keyhaul::sim {

class ClientNode : public Node {
 public:
  ClientNode(World& world, uint16_t id, Job& job, uint16_t store, uint32_t share, uint32_t shares);
  void onMessage(Message message) override;
  void onTimer(uint8_t what, uint64_t arg) override;

 private:
  enum What : uint8_t { kNext = 1, kGiveUp = 2 };
  void next();
  void begin(Message request);
  void close();
  void think();
  const std::string& pickKey();
  // Of the value that it is about to write.
  uint64_t sequence() const;

  Job& job_;
  uint16_t store_;
  Prng prng_;
  std::vector<std::string> keys_;
  uint64_t call_ = 0;      // the last one begun
  bool waiting_ = false;   // for its answer
  bool closing_ = false, closed_ = false;
  Message request_;
};

}  // namespace keyhaul::sim
