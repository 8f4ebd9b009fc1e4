// What the parts of one migration share: the plan, what is known to be done, and
// the way out. Owned by the migration.
#pragma once

#include <algorithm>

#include "keyhaul/digest.h"
#include "keyhaul/journal.h"
#include "keyhaul/ownership.h"
#include "migrate/buckets.h"
#include "migrate/changed_keys.h"
#include "migrate/changed_sample.h"
#include "migrate/journal_queue.h"
#include "migrate/port.h"
#include "migrate/scanner.h"

namespace keyhaul {

// Who in a migration an operation belongs to (OpTag::part).
enum class MigrationPart : uint8_t {
  kJournal = 1,
  kPrepare = 2,
  kSource = 3,  // pages read from the source
  kTarget = 4,  // pages read from the target
  kWrite = 5,
  kFeed = 6,
  kRegister = 7,
  kGate = 8,
};

struct Shared {
  Shared(ValidPlan valid, NodeId sourceNode, NodeId targetNode)
      : plan(std::move(valid)),
        source(sourceNode),
        target(targetNode),
        hasher(plan.plan().digestKey),
        merges(mergesVersions(plan.plan())) {}

  const Plan& spec() const { return plan.plan(); }

  // `keep`: pages that are written on, sealed and with their digest.
  Scanner::Limits limits(bool keep) const {
    Scanner::Limits limits;
    limits.entries = spec().pageEntries;
    limits.bytes = spec().pageBytes;
    limits.windowPages = spec().windowPages;
    limits.entryBytesMax = spec().entryBytesMax;
    limits.checksumKind = keep ? spec().checksumKind : ChecksumKind::kNone;
    limits.hasher = keep ? &hasher : nullptr;
    limits.keep = keep;
    limits.throttled = true;
    return limits;
  }

  ValidPlan plan;
  NodeId source, target;
  EntryHasher hasher;
  const bool merges;  // see mergesVersions()
  std::vector<JournalImage::RangeProgress> ranges;
  Totals totals;
  JournalQueue journal;
  TokenBucket bucket;  // this migration's own limit
  // What was taken is paid for before more is, of all together and of this one.
  Instant readyAt(Port& port) {
    return std::max(port.readyAt(), bucket.readyAt(port.now()));
  }
  void pay(Port& port, uint64_t bytes) {
    port.bucket().take(bytes, port.now());
    bucket.take(bytes, port.now());
  }
  // Live: the claim as the register has it, and what changed since it was compared.
  Claim claim;
  // The claim goes the way back: `source` is the store that was the plan's target, which serves,
  // and `target` the one that was its source.
  bool turned = false;
  ChangedKeys changed;
  ChangedSample sample;  // where it may be split
  // Level 5: digests instead, of all of both sides, and which of them a change made stale.
  Buckets buckets;
  bool namesPosition() const { return plan.level() == GuaranteeLevel::kL5; }
  // What was compared before may differ now.
  void noteChange(KeyView key, uint64_t valueBytes) {
    sample.add(key);
    if (buckets.known()) return buckets.mark(key);
    changed.add(key, valueBytes);
  }
  bool notesChanges() const { return changed.watching() || buckets.known() || sample.watching(); }
  bool hasChanged(KeyView key) const {
    return buckets.known() ? buckets.isMarked(key) : changed.has(key);
  }
  // Keys (hashed, ascending once sorted) that a comparison found to differ and that no change
  // of the feed has explained since. Overflow: there were more than are kept.
  static constexpr size_t kDifferingMax = 65'536;
  std::vector<uint64_t> differing;
  bool differingOverflow = false;
  // Progress of the state it is in.
  uint64_t doneEntries = 0, doneBytes = 0;

  void addWork(uint64_t entries, uint64_t bytes) {
    doneEntries += entries;
    doneBytes += bytes;
  }
};

inline OpTag tagOf(MigrationPart part, uint32_t lane = 0) {
  return {static_cast<uint8_t>(part), static_cast<uint16_t>(lane)};
}

}  // namespace keyhaul
