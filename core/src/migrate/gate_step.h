// One call to a store's gate, until it was acknowledged.
#pragma once

#include <string>

#include "keyhaul/gate.h"
#include "migrate/shared.h"

namespace keyhaul {

class GateStep {
 public:
  explicit GateStep(Shared& shared) : shared_(shared) {}

  // `patient`: tried for ever where the failure is one that can pass.
  void start(NodeId node, GateVerb verb, uint64_t epoch, bool patient);
  Status pump(Port& port);
  Status onEvent(Port& port, const Event& event);
  bool done() const { return done_; }
  bool failing() const { return !done_ && failures_ > 0; }
  NodeId node() const { return node_; }
  uint64_t lastUs() const { return lastUs_; }  // how long the last answer took
  uint32_t failures() const { return done_ ? 0 : failures_; }
  void stop(Port& port);

 private:
  Status retry(Port& port, ErrorCode error);

  Shared& shared_;
  NodeId node_;
  GateVerb verb_ = GateVerb::kPrepare;
  uint64_t epoch_ = 0;
  bool patient_ = false;
  OpId op_;
  Instant issuedAt_{0}, retryAt_{0};
  bool done_ = true;
  uint32_t failures_ = 0;
  uint64_t lastUs_ = 0;
};

}  // namespace keyhaul
