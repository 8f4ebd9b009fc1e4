// Reads what oracles need from journal records, by core/src/journal/FORMAT.md and not by
// the core's own reader, so that a mistake there is not made twice.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "keyhaul/digest.h"

namespace keyhaul::sim {

struct TappedRecord {
  enum Type : uint8_t { kPrepared = 4, kCheckpoint = 5, kFeedApplied = 6, kVerified = 7, kFinished = 10, kClaimed = 11, kPhase = 3, kArmed = 12 };
  uint8_t type = 0;
  // kCheckpoint
  uint64_t range = 0;
  bool end = false;
  std::string upto;
  uint64_t leafEntries = 0;
  // kPrepared, kFeedApplied, kArmed, kVerified (empty: none is named)
  std::string position;
  uint64_t state = 0;   // kPhase
  bool turned = false;  // kClaimed
  uint64_t epoch = 0;   // kVerified
  Digest source, target;
};

class JournalTap {
 public:
  explicit JournalTap(std::string_view bytes);
  // False at the end.
  bool next(TappedRecord& record);

 private:
  std::string_view rest_;
};

}  // namespace keyhaul::sim
