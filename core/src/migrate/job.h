// What the engine knows of a migration, whatever kind it is.
#pragma once

#include "keyhaul/engine.h"
#include "migrate/port.h"

namespace keyhaul {

class Job {
 public:
  virtual ~Job() = default;

  virtual MigrationId id() const = 0;
  virtual MigrationState state() const = 0;
  virtual const Plan& spec() const = 0;
  virtual uint8_t priority() const = 0;
  // Its writes count only where they are newer: mergesVersions().
  virtual bool merges() const = 0;
  // It cannot keep up, and goes before those of a lower priority.
  virtual bool isAhead() const { return false; }
  virtual NodeId source() const = 0;
  virtual NodeId target() const = 0;

  // It got its slot; once more after it gave it back.
  virtual void admit(Port& port) = 0;
  // It has nothing to do that a slot is for, for who knows how long.
  virtual bool rests() const { return false; }
  virtual void giveSlotBack() {}
  virtual bool wantsSlot() const { return true; }
  // It copies, and can go on later from where it stands.
  virtual bool mayYield() const = 0;
  // Finishes the pages under way, then rests until it gets a slot again.
  virtual void yield() = 0;
  virtual bool yields() const = 0;
  // Does what can be done now; safe to call at any time.
  virtual void pump(Port& port) = 0;
  virtual void onEvent(Port& port, OpTag tag, const Event& event) = 0;

  virtual void setPaused(bool paused) = 0;
  virtual void requestStop() = 0;
  virtual Status requestCancel() = 0;
  virtual void finishFollowing() = 0;
  virtual Status requestReverse() { return ErrorCode::kUnsupported; }
  virtual Status requestCloseWindow() { return ErrorCode::kUnsupported; }
  virtual Status requestGiveUp() { return ErrorCode::kUnsupported; }
  virtual void setRate(Instant now, uint64_t bytesPerSecond) = 0;

  virtual MigrationView view(Instant now) const = 0;
  virtual Receipt receipt() const = 0;
  virtual uint64_t hash(uint64_t seed) const = 0;
};

}  // namespace keyhaul
