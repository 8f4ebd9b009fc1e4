// What a migration is to do, checked before it may start.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "keyhaul/checksum.h"
#include "keyhaul/digest.h"
#include "keyhaul/key_range.h"
#include "keyhaul/ownership.h"
#include "keyhaul/status.h"

namespace keyhaul {

// Pages of so many bytes are large. One that is written, the next, and the one by which that is known not to be the
// last keep both stores at work; more only leave the caches.
inline constexpr uint32_t kLargePageBytes = 2'000'000;
inline constexpr uint32_t kLargePagesMost = 3;

// What a store can do, one bit each. The names are those of the adapters
// (js/src/stores/store.ts); a bit promises the behaviour, not just the method. Bits 3, 6 and 12 are
// reserved: journals may have them, and they mean nothing.
enum class Capability : uint32_t {
  kScan = 1U << 0,
  kApply = 1U << 1,
  // Values carry a version, deletes included (a tombstone is an entry), and a write can be asked to
  // count only where it is newer than what is there: Action::ifNewer.
  kVersion = 1U << 2,
  kFeed = 1U << 4,
  // The feed may deliver a change before scans see it, though they see it once its writer is told, and once a
  // feed was opened that begins behind it. Only
  // versions make up for that: without kVersion on both sides it is Unsupported, with that bit missing.
  kFeedEarly = 1U << 5,
  kFence = 1U << 7,
  kReadFence = 1U << 8,
  kActivate = 1U << 9,
  kDigest = 1U << 10,
  kRangeDelete = 1U << 11,
  kStats = 1U << 13,
};
inline constexpr uint32_t kKnownCapabilities = (1U << 14) - 1;

struct Capabilities {
  uint32_t bits = 0;
  constexpr bool has(Capability c) const { return (bits & static_cast<uint32_t>(c)) != 0; }
};

// L0: equal if nobody writes the range meanwhile. L1: the changes made meanwhile
// are followed too (by the feed, or where both sides have versions by comparing again), and once the
// writers have stopped both sides are equal. L2 to L4: a cutover, see
// README.md. L5, which only a plan that requires it gets: right before the decision the digests of
// both sides were equal at a position of the feed that the receipt names, and nothing was written
// to either from there on.
enum class GuaranteeLevel : uint8_t { kL0 = 0, kL1 = 1, kL2 = 2, kL3 = 3, kL4 = 4, kL5 = 5 };

enum class MigrationMode : uint8_t {
  kCopy = 1,
  kMove = 2,    // copy, verify, then delete from the source
  kVerify = 3,  // compare; with `repair` make the target equal
  kLive = 4,    // move while clients write: fence, decide in the register, activate, clean up
};

// What is read again after the copy.
enum class VerifyDepth : uint8_t {
  kNone = 0,    // nothing: the receipt says "not verified"
  kTarget = 1,  // the target, against the digests taken while the source was read
  kBoth = 2,    // both sides, key by key
};

inline constexpr uint32_t kRangesMax = 65'536;
inline constexpr uint32_t kReverseWindowMsMax = 7 * 24 * 3'600'000;
inline constexpr uint32_t kSplitMax = 64;
inline constexpr uint32_t kNameBytesMax = 4'096;
inline constexpr uint32_t kHostInfoBytesMax = 64 * 1024;

struct Plan {
  std::string source, target;  // names, unique a store; at most kNameBytesMax bytes
  Capabilities sourceCapabilities, targetCapabilities;
  std::vector<KeyRange> ranges;  // disjoint; kept in order
  MigrationMode mode = MigrationMode::kCopy;
  VerifyDepth verify = VerifyDepth::kTarget;
  GuaranteeLevel require = GuaranteeLevel::kL0;
  uint8_t priority = 128;    // higher goes first
  bool intoNonempty = false;  // the target ranges may hold keys already; they are kept
  bool repair = false;        // kVerify: mend what differs, then verify again
  bool follow = false;        // L1: keep following the feed until finish() is called
  ChecksumKind checksumKind = ChecksumKind::kCrc32;
  DigestKey digestKey{};      // secret, fresh a migration; the host draws it
  uint32_t pageBytes = 256 * 1024;      // a scan's byte limit
  uint32_t pageEntries = 16'384;        // and its entry limit
  uint32_t lanes = 1;                   // ranges copied at the same time, 1 to 64
  uint32_t windowPages = 8;             // pages read ahead of the target, a lane; of large ones kLargePagesMost at most
  uint32_t durablePages = 20;           // a durable write and a checkpoint every so many pages
  uint64_t entryBytesMax = 64U << 20;   // a larger entry stops the migration
  uint64_t expectedEntries = 0;         // 0: unknown
  uint64_t expectedBytes = 0;
  std::string hostInfo;  // opaque to the core; comes back from the journal

  // kLive only.
  ClaimId claim{};                   // random, fresh a migration; the host draws it
  uint32_t pauseBudgetMs = 1'000;    // writers may be paused for so long; 10 to 3,600,000
  bool durable = false;              // register and journal survive a crash: L4 instead of L3
  bool operatorFence = false;        // L2: the fence is a promise of the caller's
  // After the cutover the source is kept as the target is for so long, and reverse() goes back;
  // then it is cleaned up. 0: at once. At most kReverseWindowMsMax.
  uint32_t reverseWindowMs = 0;
  // What does not converge ends with a key at which to split it, and its halves are moved one after the
  // other: in so many parts at most. 0 and 1: never. At most kSplitMax; not with a reverse window, nor
  // at level 2, nor with `follow`.
  uint32_t splitMax = 0;
};

// What was wrong with a plan, for a message that names it.
struct PlanProblem {
  ErrorCode code = ErrorCode::kOk;
  uint32_t first = 0, second = 0;  // indexes of the ranges concerned
  uint32_t missing = 0;            // LevelNotMet, Unsupported: capability bits that are not there
  std::string_view field;          // InvalidArgument, LimitExceeded: which one
  uint64_t least = 0, most = 0;    // its bounds, where it is a number or has a greatest size
};

// A plan that passed validatePlan; the only kind the engine takes.
class ValidPlan {
 public:
  const Plan& plan() const { return plan_; }
  GuaranteeLevel level() const { return level_; }

 private:
  friend Result<ValidPlan> validatePlan(Plan, PlanProblem*);
  ValidPlan(Plan plan, GuaranteeLevel level) : plan_(std::move(plan)), level_(level) {}
  Plan plan_;
  GuaranteeLevel level_;
};

// InvalidRange, OverlappingRanges, SameStore, LevelNotMet, InvalidArgument,
// LimitExceeded, Unsupported (no SCAN or APPLY, or FEED_EARLY without VERSION; with the bits that are
// missing). Sorts the ranges.
Result<ValidPlan> validatePlan(Plan plan, PlanProblem* problem = nullptr);

// The level that these stores give in this plan; L5 only where the plan requires it, for it costs
// reads and a sync behind the fence. A demand for more is LevelNotMet, with the bits that are missing
// (none, where it is not a matter of the stores). L5 needs no bit beyond those of L4: the engine takes
// the digests itself, and reads again what changed meanwhile instead of a snapshot.
GuaranteeLevel guaranteeLevel(const Plan& plan);
uint32_t missingFor(GuaranteeLevel level, Capabilities source, Capabilities target);
// Whether writes to the target count only where they are newer than what is there: where both sides have
// versions, except where the only writer of the target is the feed and that is in step with scans.
bool mergesVersions(const Plan& plan);
// What the way back needs beyond that: both sides change their parts.
uint32_t missingForReverse(Capabilities source, Capabilities target);

// The halves of one that ended with Receipt::splitAt: what is below the key, and what is from it on. Each is a
// migration of its own, for which the host draws a claim and a digest key, and whose `splitMax` is its share.
std::pair<Plan, Plan> splitPlan(const Plan& plan, KeyView at);

}  // namespace keyhaul
