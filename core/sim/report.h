// What came of a run.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "coverage.h"
#include "harm.h"

namespace keyhaul::sim {

struct Violation {
  std::string oracle, text, key;  // key: empty where no single key is concerned
  Harm harm = Harm::kNone;
  uint64_t timeUs = 0, event = 0;
  std::string witness;  // of several lines; empty where the text says it all
};

// By how many milliseconds: below one, below two, below four, …
using Pauses = std::array<uint64_t, 21>;

struct Report {
  uint64_t seed = 0;
  uint64_t hash = 0;
  uint64_t events = 0, timeUs = 0;
  uint64_t faults = 0;  // mask of those that were on
  std::string scenario;
  std::vector<Violation> violations;  // the first few
  // What happened, so that a run in which nothing happened does not look well.
  struct Counts {
    uint64_t jobs = 0, done = 0, verified = 0, mismatched = 0, cancelled = 0, failed = 0;
    uint64_t resumes = 0, crashes = 0, messages = 0, damaged = 0;
    uint64_t windows = 0, reversed = 0;  // moves that could go back, and those that did
    uint64_t givenUp = 0;  // whose source somebody gave up
    uint64_t madeRoom = 0;  // how often one did for another of a higher priority
    uint64_t routedReads = 0, scans = 0, refusals = 0, postponed = 0, takeOvers = 0;
    uint64_t conditionalSets = 0, refusedSets = 0;  // compare-and-set that found what it should, and something else
    uint64_t clientOps = 0, clientAcks = 0, copiedEntries = 0, feedChanges = 0;
    // Windows of histories of keys, and those that were too long for the checker.
    uint64_t judged = 0, unjudged = 0;
    uint64_t staleReads = 0;  // that were old, as may be where there is no read fence
    Pauses pauses{};  // how often nobody could write a key because its range changed its owner, or was to
  } counts;
  Coverage coverage;
  std::vector<uint64_t> nodeEvents;  // that each node has seen
  std::vector<std::string> life;  // of the explained key, or the log

  bool ok() const { return violations.empty(); }
};

// Which oracles said something besides the first one, in the order in which they did: "a, b".
std::string otherOracles(const Report& report);
std::string toText(const Report& report);
std::string toText(const Pauses& pauses);  // one line
std::string toJson(const Report& report);  // one line
std::string toLine(const Report& report);  // seed, hash, events, and by whom a promise was broken

}  // namespace keyhaul::sim
