// One migration that the world wants: from its plan to its end, over all incarnations.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "keyhaul/engine.h"

namespace keyhaul::sim {

class PlannerNode;

using Entries = std::map<std::string, std::string, std::less<>>;

struct Job {
  // As the scenario wants it.
  uint32_t index = 0;
  Plan plan;
  uint16_t source = 0, target = 0, mover = 0;  // nodes
  uint64_t startUs = 0;
  uint64_t cancelAtUs = 0;  // 0: never
  std::vector<std::string> keys;  // that its clients write, in order
  bool written = false;           // it has clients at its source
  uint32_t deletePercent = 20;    // of their writes
  uint64_t thinkUs = 100'000;     // mean time between two operations of a client
  uint64_t writersStopUs = 0;

  bool live = false;
  uint16_t registerNode = 0;
  uint32_t after = 0;    // a live one begins once job `after` - 1 has ended; 0: at startUs
  bool onward = false;   // to its target, from whoever owns the range; there already: nothing to do
  bool spare = false;    // another try of the one before it, should that not have come to its goal
  // A half of job `partOf` - 1, should that be split: what is below its key, or what is from it on. 0: of none.
  uint32_t partOf = 0;
  bool secondHalf = false;
  // What was moved in parts, and this one moves as one.
  std::vector<KeyRange> joined;
  uint64_t rate = 0;  // bytes a second, until its clients stop; 0: no limit
  uint32_t rivalOf = 0;  // a second coordinator of job `rivalOf` - 1; 0: of none
  // So long after its reverse window opened somebody goes back, or closes it; 0: nobody does.
  uint64_t reverseAfterUs = 0, finishAfterUs = 0;
  // So long after its reverse window opened its source dies for good; so long after that somebody
  // gives the source up, and so long after it was given up it comes back after all. 0: does not die.
  uint64_t sourceDiesAfterUs = 0, giveUpAfterUs = 0, comesBackAfterUs = 0;

  // As it stands.
  enum class Phase : uint8_t { kWaiting, kGreeting, kRunning, kStopped, kEnded };
  Phase phase = Phase::kWaiting;
  uint64_t throttle = 0;   // bytes a second, as somebody told its mover since that began or resumed it; 0: no limit
  uint64_t session = 0;    // rises with each incarnation and each resume
  MigrationId id;          // while it runs
  MigrationState state = MigrationState::kPending;
  ErrorCode error = ErrorCode::kOk;
  bool cancelAsked = false, startOver = false;
  uint32_t writersLeft = 0;  // clients that may still write its keys
  std::string journal;       // the bytes on the mover's disk
  bool isLater = false;      // and began by a process whose version older ones do not know
  Receipt receipt;           // once it has ended
  std::vector<std::string> copiedUpto;  // by range; only kept for a sabotage

  bool begun = false;        // live: its plan names a source and a target
  bool reverseTold = false;  // that somebody wants back was known to it
  bool reverseDue = false;   // and is: it was not refused since, and is not only in a lost memory
  bool giveUpTold = false;   // that its source is given up was known to it
  bool closeTold = false;    // that its reverse window is to be closed was known to it
  bool undone = false;       // it was given up in some incarnation, whatever the reason
  ErrorCode reason = ErrorCode::kOk;  // the last one that was said, of any incarnation
  uint32_t staleReads = 0;   // how often its target has shown it something of the past
  bool refusedAsLater = false;  // an older process was given a document of a later version
  uint32_t superseded = 0;   // how often another coordinator took it away

  bool ended() const { return phase == Phase::kEnded; }
  bool contains(std::string_view key) const {
    for (const KeyRange& range : plan.ranges) {
      if (range.contains(key)) return true;
    }
    return false;
  }
  // Index of the range with this key; ranges.size() for none.
  size_t rangeOf(std::string_view key) const {
    size_t i = 0;
    while (i < plan.ranges.size() && !plan.ranges[i].contains(key)) ++i;
    return i;
  }
  bool isAboveWatermark(std::string_view key) const {
    const size_t range = rangeOf(key);
    return state == MigrationState::kCopying && range < copiedUpto.size() &&
           key >= copiedUpto[range];
  }
};

// The keys that live migrations move and clients write.
struct Space {
  std::vector<std::string> keys;  // in order
  // Every client writes every key, and most of what they do is on a few of them: `hotPercent`.
  bool shared = false;
  std::vector<std::string> contended;
  // Values carry versions: whatever is older than what a store holds changes nothing there. Jobs have
  // clients at their target too.
  bool versioned = false;
  // Its stores can keep readers out; else one that gave a range up may show what is old for a while.
  bool readFence = true;
  // Its feeds tell of a write before scans show it, though not later than its writer is told.
  bool early = false;
  // They tell how many changes wait.
  bool counted = false;
  // Clients compare and set: they write if a key still holds what they saw of it last.
  bool conditional = false;
  uint32_t endPercent = 0;  // of the values that clients write: they end by themselves
  uint64_t thinkUs = 100'000;     // mean time between two operations of a client
  uint32_t deletePercent = 20;    // of the writes
  uint64_t stopUs = 0;            // clients stop then, or once all jobs have ended
  uint32_t hotPercent = 0;        // of the operations are on keys of `hot`, or `contended`
  KeyRange hot;
  // Where ranges have to be in the end, and stores that hold nothing then.
  std::vector<std::pair<KeyRange, uint16_t>> goals;
  std::vector<uint16_t> emptied;
  // Of a cluster: the ranges, side by side, and who plans their moves, if anybody does.
  std::vector<KeyRange> placed;
  const PlannerNode* planner = nullptr;  // the first of them
  uint32_t plannersLeft = 0;
  uint64_t paddingMost = UINT64_MAX;  // bytes of a value beside its name
  uint32_t clientsLeft = 0;           // and whoever plans
};

}  // namespace keyhaul::sim
