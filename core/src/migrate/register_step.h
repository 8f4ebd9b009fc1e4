// One change of the ownership document: read it, change it, put it back where nobody was
// faster. An answer that was lost is no answer: the document is read again, and what it
// says then is what happened.
#pragma once

#include "keyhaul/ownership.h"
#include "migrate/shared.h"

namespace keyhaul {

class RegisterStep {
 public:
  // kLook changes nothing: is the claim still this coordinator's?
  enum class Change : uint8_t { kClaim, kTakeOver, kPostpone, kDecide, kAbort, kTurn, kClose, kLook };

  explicit RegisterStep(Shared& shared) : shared_(shared) {}

  void start(Change change);
  // RegisterFailed after retriesMax failures of claim, take-over and look; the other changes are
  // tried for ever, with a warning each time, because stores may be fenced meanwhile.
  // NotOwner, RangeClaimed, Superseded, RegisterCorrupt.
  Status pump(Port& port);
  Status onEvent(Port& port, const Event& event);
  bool done() const { return done_; }
  // The claim is not in the register: it was closed, or never made.
  bool gone() const { return gone_; }
  // Does this store own all ranges of the plan, as the register was last read?
  bool ownedBy(std::string_view owner) const;
  // And at this epoch?
  bool ownedAt(std::string_view owner, uint64_t epoch) const;
  // A decision was sent and nobody knows yet whether it was taken.
  bool unknown() const { return sent_; }
  bool failing() const { return failures_ > 0; }
  uint32_t failures() const { return done_ ? 0 : failures_; }
  uint64_t lastUs() const { return lastUs_; }  // how long the last answer took
  void stop(Port& port);

 private:
  Status take(const Event& event, Port& port);
  Status changeMap(bool& changed);
  Status swap(Port& port);
  Status retry(Port& port, ErrorCode error);
  bool isPatient() const;

  Shared& shared_;
  Change change_ = Change::kClaim;
  OwnershipMap map_;      // as last read or written
  uint64_t version_ = 0;
  bool known_ = false;    // map_ may still be the present one
  uint64_t epochBefore_ = 0;
  OpId op_;
  Instant issuedAt_{0}, retryAt_{0};
  bool swapping_ = false;
  bool sent_ = false;
  bool done_ = true, gone_ = false;
  uint32_t failures_ = 0;
  uint64_t lastUs_ = 0;
};

}  // namespace keyhaul
