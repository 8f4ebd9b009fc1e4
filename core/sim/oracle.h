// An oracle watches what happens and says when a promise is broken. It sees
// everything and changes nothing. One file each, in oracles/.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "harm.h"
#include "job.h"
#include "keyhaul/frame.h"

namespace keyhaul::sim {

class World;

enum class ChangeCause : uint8_t {
  kSetUp = 1,
  kClient = 2,
  kApply = 3,    // a migration's write
  kGuarded = 4,  // a migration's delete on the source
  kUndone = 5,   // lost in a crash
  kRot = 6,      // nobody's doing
  kCleanUp = 7,  // a live migration's delete of what moved away
  kExpired = 8,  // it had ended, and its owner has swept it
};

// One entry of a store changed, visibly.
struct StoreChange {
  uint16_t store = 0;
  ChangeCause cause = ChangeCause::kApply;
  uint32_t party = 0;  // the job or the client
  std::string_view key;
  const std::string* before = nullptr;  // null: was not there
  const std::string* after = nullptr;   // null: is not there
};

// A client's write. `sequence` rises with each write of one client to one key.
struct ClientWrite {
  uint16_t store = 0;
  uint32_t client = 0;
  uint64_t sequence = 0;
  std::string_view key;
  const std::string* value = nullptr;  // null: a delete
  // Only if the key holds `expected`, null: nothing. Acknowledged: `refused` if it did not.
  bool conditional = false, refused = false;
  const std::string* expected = nullptr;
};

// A store has carried out a client's write, at an epoch. `sequence` as above.
struct TakenWrite {
  uint16_t store = 0;
  uint32_t client = 0;
  uint64_t sequence = 0;
  std::string_view key;
  uint64_t epoch = 0;
};

// What a client of a live migration was told. `invoked` is the number of the event in which it
// first asked; what it is told was true at some moment since.
struct RoutedRead {
  uint32_t client = 0;
  uint64_t invoked = 0;
  std::string_view key;
  const std::string* value = nullptr;  // null: nothing was there
  uint16_t store = 0;                  // that answered
};
// A page of a scan: everything that is in [lo, upto), or up to the end where `end`.
struct RoutedPage {
  uint32_t client = 0;
  uint64_t invoked = 0;
  std::string_view lo, upto;
  bool end = false;
  const FrameView* entries = nullptr;
  uint16_t store = 0;
};

// Records of a journal that are on disk from now on.
struct JournalPart {
  std::string_view bytes;  // whole records; the first of a journal begin with its header
};

class Oracle {
 public:
  explicit Oracle(World& world) : world_(world) {}
  virtual ~Oracle() = default;
  Oracle(const Oracle&) = delete;
  Oracle& operator=(const Oracle&) = delete;
  virtual std::string_view name() const = 0;
  // Would it be wrong about a key that several clients write? Then it may not watch where one is.
  virtual bool assumesOneWriter() const { return false; }

  virtual void onChange(const StoreChange&) {}
  virtual void onInvoked(const ClientWrite&) {}
  virtual void onAcked(const ClientWrite&) {}
  // A client read this; null: nothing was there.
  virtual void onRead(std::string_view, const std::string*) {}
  // Live migrations: a client has begun something, and has its answer or has given it up, if only
  // to begin something else: it has one call at a time.
  virtual void onRoutedBegun(uint32_t /*client*/) {}
  virtual void onRoutedEnded(uint32_t /*client*/) {}
  // A client was told; a store has taken its write; a store shows something to a client.
  virtual void onRoutedRead(const RoutedRead&) {}
  virtual void onRoutedPage(const RoutedPage&) {}
  virtual void onTaken(const TakenWrite&) {}
  virtual void onShown(uint16_t /*store*/, std::string_view /*key*/) {}
  // A store's gate has changed, in memory; the register's document has, durably.
  virtual void onGate(uint16_t /*store*/, const GateCall&) {}
  virtual void onRegister(const OwnershipMap& /*before*/, const OwnershipMap& /*after*/) {}
  // A new incarnation runs; `image` is null for a new migration.
  virtual void onBegun(const Job&, const JournalImage*) {}
  virtual void onAction(const Job&, const Action&) {}
  // After onAction of a scan: the first key that it asks for.
  virtual void onScan(const Job&, const Action&, std::string_view /*from*/) {}
  // The page that an apply of the copy carries.
  virtual void onCopied(const Job&, const FrameView&) {}
  // An action's completion is given to the engine.
  virtual void onCompleted(const Job&, ActionKind, const Event&) {}
  virtual void onJournal(const Job&, const JournalPart&) {}
  virtual void onState(const Job&, MigrationState, MigrationState) {}
  // Somebody has limited its rate; `throttle` says to what.
  virtual void onThrottled(const Job&) {}
  // Somebody has said how many may run; config() says how many.
  virtual void onSlots(uint16_t /*mover*/) {}
  // The engine has made a step; what it asks for is carried out after this.
  virtual void onStepped(uint16_t /*mover*/, const Engine&) {}
  // A live migration has come to its end, and its receipt is there.
  virtual void onLiveEnd(const Job&) {}
  // Whoever plans looks at what is where, the first time, the second, …; and asks for this move, by what it saw
  // at this look. Told before it begins.
  virtual void onLooked(const PlannerNode&) {}
  virtual void onPlanned(const PlannerNode&, const Job&, uint64_t /*look*/) {}
  virtual void onMoverCrash(uint16_t /*mover*/) {}
  virtual void onEnd() {}

 protected:
  void violated(std::string text, std::string_view key = {}) { violated(Harm::kNone, std::move(text), key); }
  void violated(Harm harm, std::string text, std::string_view key = {}, std::string witness = {});
  World& world_;
};

}  // namespace keyhaul::sim
