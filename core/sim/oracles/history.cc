// What clients of live migrations see is one register a key: no acknowledged write is lost, no
// read is older than what was acknowledged or read before it began, nothing that was overwritten
// or deleted comes back, and nothing appears that nobody wrote.
//
// Each key has one writer, which writes one thing after the other; so a read is right when it
// shows a write between the last one that was known when the read began and the last one that
// was begun when it ended. Time is the number of the event.
//
// A value with an end may be gone from then on, and never before. Once somebody saw that it is gone, or its owner
// has swept it, it is as if its writer had deleted it: it never shows again. And each owner sweeps.
#include <algorithm>
#include <optional>
#include <vector>

#include "by_key.h"
#include "../value.h"
#include "oracles.h"

namespace keyhaul::sim {
namespace {

class History : public Oracle {
 public:
  using Oracle::Oracle;
  std::string_view name() const override { return "history"; }
  bool assumesOneWriter() const override { return true; }

  void onChange(const StoreChange& change) override {
    if (change.cause == ChangeCause::kExpired && change.before != nullptr) return expired(change);
    if (change.cause != ChangeCause::kSetUp || change.after == nullptr) return;
    keys_[std::string(change.key)].writes = {{0, *change.after}};
  }
  void onInvoked(const ClientWrite& write) override {
    std::vector<Write>& writes = lifeOf(write.key).writes;
    writes.push_back({2 * write.sequence, write.value ? std::optional(*write.value) : std::nullopt});
    const uint64_t endUs = write.value ? endOf(*write.value) : kNoEnd;
    if (endUs != kNoEnd) writes.push_back({2 * write.sequence + 1, std::nullopt, endUs});
  }
  void onAcked(const ClientWrite& write) override { raise(lifeOf(write.key), 2 * write.sequence); }
  void onGate(uint16_t, const GateCall& call) override {
    if (Gate::opens(call.verb)) openedUs_ = world_.nowUs();
  }

  void onRoutedRead(const RoutedRead& read) override {
    judge(read.key, read.value, read.invoked, "a client read");
  }
  void onRoutedPage(const RoutedPage& page) override {
    forEachOnPage(
        page, keys_,
        [&](std::string_view key, const std::string* value) {
          judge(key, value, page.invoked, value ? "a scan gave" : "a scan left out");
        },
        [this](Harm harm, const char* text, std::string_view key) { violated(harm, text, key); });
  }

  // Everything has come to rest: the owner of each key holds its last write, and nobody else
  // holds anything.
  void onEnd() override {
    forEachAtItsOwner(
        world_, keys_,
        [this](std::string_view key, const std::string* value) {
          judge(key, value, world_.eventNumber() + 1, "the owner holds");
          const bool late = value != nullptr && endOf(*value) < world_.nowUs() - std::min(world_.nowUs(), kSweptWithinUs);
          if (late && openedUs_ + kSweptWithinUs < world_.nowUs()) violated("its owner has not swept what ended long ago", key);
        },
        [this](Harm harm, const char* text, std::string_view key) { violated(harm, text, key); });
  }

 private:
  struct Write {
    uint64_t sequence = 0;
    std::optional<std::string> value;
    uint64_t fromUs = 0;  // not before
  };
  struct Floor {  // from this event on, no older write may be seen
    uint64_t event = 0, sequence = 0;
  };
  // Once its range is open and nothing fails any more.
  static constexpr uint64_t kSweptWithinUs = 3'000'000;
  struct Life {
    std::vector<Write> writes;  // by sequence
    std::vector<Floor> floors;
  };

  Life& lifeOf(std::string_view key) {
    const auto at = keys_.find(key);
    if (at != keys_.end()) return at->second;
    Life& life = keys_[std::string(key)];
    life.writes.push_back({0, std::nullopt});
    return life;
  }
  void raise(Life& life, uint64_t sequence) {
    if (!life.floors.empty() && life.floors.back().sequence >= sequence) return;
    life.floors.push_back({world_.eventNumber(), sequence});
  }
  // Its end comes right behind it.
  void expired(const StoreChange& change) {
    Life& life = lifeOf(change.key);
    const auto isIt = [&](const Write& write) { return write.value && *write.value == *change.before; };
    const auto at = std::find_if(life.writes.rbegin(), life.writes.rend(), isIt);
    if (at == life.writes.rend()) return;
    if (endOf(*change.before) > world_.nowUs() + kEndSkewUs) violated("it was swept before it ended", change.key);
    raise(life, at->sequence + 1);
  }
  static uint64_t floorAt(const Life& life, uint64_t event) {
    for (size_t i = life.floors.size(); i-- > 0;) {
      if (life.floors[i].event < event) return life.floors[i].sequence;
    }
    return 0;
  }

  void judge(std::string_view key, const std::string* value, uint64_t invoked,
             std::string_view what) {
    Life& life = lifeOf(key);
    const uint64_t floor = floorAt(life, invoked);
    // Most see the last one or the one before.
    const Write* seen = nullptr;
    for (size_t i = life.writes.size(); i-- > 0;) {
      const Write& write = life.writes[i];
      if (write.sequence < floor) break;
      const bool ended = write.fromUs <= world_.nowUs() + kEndSkewUs;
      const bool same = value ? write.value && *write.value == *value : !write.value && ended;
      if (same) seen = &write;  // the oldest that fits: it says least about what follows
      if (same && value) break;
    }
    if (seen != nullptr) return raise(life, seen->sequence);
    const bool old = std::any_of(life.writes.begin(), life.writes.end(), [&](const Write& write) {
      return value ? write.value && *write.value == *value : !write.value;
    });
    const bool deleted = std::any_of(life.writes.begin(), life.writes.end(), [&](const Write& write) {
      return write.sequence == floor && floor != 0 && !write.value;
    });
    const Harm harm = !value    ? Harm::kLost
                      : !old    ? Harm::kNone
                      : deleted ? Harm::kResurrected
                                : Harm::kStale;
    const char* why = !old                          ? ", which nobody wrote"
                      : harm == Harm::kResurrected ? ", which was deleted"
                                                   : ", which is older than what was known";
    violated(harm, std::string(what) + " " + (value ? value->substr(0, 60) : "nothing") + why, key);
  }

  ByKey<Life> keys_;
  uint64_t openedUs_ = 0;
};

}  // namespace

std::unique_ptr<Oracle> makeHistory(World& world) { return std::make_unique<History>(world); }

}  // namespace keyhaul::sim
