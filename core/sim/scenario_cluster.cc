#include "scenario_cluster.h"

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "gated_store.h"
#include "mover.h"
#include "register.h"
#include "scenario_live.h"
#include "value.h"
#include "world.h"

namespace keyhaul::sim {
namespace {

// Of a run whose chaos lasts for the usual forty seconds.
constexpr uint64_t kUsualChaosMs = 40'000;
constexpr uint32_t kNone = UINT32_MAX;
// Somebody who wants a range elsewhere asks again: once everything works, which a disk that was
// filled right before it healed does for another five seconds; and where he had filled it by hand.
constexpr uint64_t kSparesAfterUs[] = {6'000'000, 65'000'000};

// The ranges lie side by side, and each belongs to one store. Moves of one range come one after
// the other; its last one is where it has to be in the end.
struct Move {
  uint32_t range;
  uint16_t target;
  uint64_t atMs;
  uint64_t cancelAfterMs = 0;  // 0: it is not cancelled
};
struct Stroke {
  uint64_t atMs;
  InterventionKind kind;
  uint32_t which, amount;
};
struct Cluster {
  uint16_t stores;
  std::span<const uint16_t> owners;  // by range
  std::span<const Move> moves;
  std::span<const Stroke> strokes = {};
  uint32_t emptied = kNone;   // a store that holds nothing in the end
  uint32_t hotRange = kNone;  // most of the load is on it
  uint16_t perZone = 0;       // stores; 0: there are no zones
};

class ClusterBuilder {
 public:
  ClusterBuilder(World& world, const Cluster& cluster)
      : world_(world), cluster_(cluster), prng_(world.seed(), "cluster") {}

  void build() {
    for (uint16_t i = 0; i < cluster_.stores; ++i) {
      GatedStoreNode& store = world_.addGatedStore("s" + std::to_string(i));
      if (cluster_.perZone != 0) store.zone = static_cast<uint8_t>(1 + i / cluster_.perZone);
    }
    world_.addRegister();
    mover_ = world_.addMover(clusterConfig()).id();
    world_.network().delayBy(30'000);
    giveOut();
    addMoves();
    addClients();
    for (const Stroke& stroke : cluster_.strokes) {
      world_.script({atUs(stroke.atMs), stroke.kind, stroke.which, stroke.amount});
    }
  }

 private:
  uint64_t atUs(uint64_t ms) const { return ms * world_.healAtUs() / kUsualChaosMs; }

  void giveOut() {
    const uint64_t percent = world_.options().workloadPercent;
    const uint64_t each = std::max<uint64_t>(4, prng_.between(100, 180) * percent / 100);
    placeRanges(world_, prng_, std::vector<uint64_t>(cluster_.owners.size(), each), cluster_.owners);
  }

  void addMoves() {
    const std::vector<KeyRange>& ranges = world_.space().placed;
    std::vector<uint32_t> last(ranges.size(), 0);  // the job, counted from one
    const auto add = [&](const Move& move, uint64_t spareAfterUs) {
      Job& job = world_.addJob();
      makeLive(world_, job, mover_, {ranges[move.range]});
      job.after = last[move.range];
      last[move.range] = job.index + 1;
      job.onward = true;
      job.spare = spareAfterUs != 0;
      job.source = cluster_.owners[move.range];
      job.target = move.target;
      job.startUs = job.spare ? world_.healAtUs() + spareAfterUs : atUs(move.atMs) + prng_.below(300'000);
      if (move.cancelAfterMs != 0) job.cancelAtUs = job.startUs + atUs(move.cancelAfterMs);
      drawClusterPlan(prng_, job.plan);
    };
    std::vector<const Move*> wanted(ranges.size(), nullptr);
    for (const Move& move : cluster_.moves) {
      add(move, 0);
      wanted[move.range] = &move;
    }
    // Behind all others, so that those have their numbers whether or not these are needed.
    for (const Move* move : wanted) {
      if (move == nullptr) continue;
      world_.space().goals.push_back({ranges[move->range], move->target});
      for (const uint64_t afterUs : kSparesAfterUs) add({move->range, move->target, 0}, afterUs);
    }
    if (cluster_.emptied != kNone) world_.space().emptied.push_back(static_cast<uint16_t>(cluster_.emptied));
  }

  void addClients() {
    Space& space = world_.space();
    space.thinkUs = 90'000;
    space.deletePercent = 15;
    space.stopUs = world_.options().untilUs + 150'000'000;
    if (cluster_.hotRange != kNone) {
      space.hotPercent = 80;
      space.hot = space.placed[cluster_.hotRange];
    }
    constexpr uint32_t kClients = 3;
    for (uint32_t i = 0; i < kClients; ++i) world_.addRoutedClient(i, kClients);
  }

  World& world_;
  const Cluster& cluster_;
  Prng prng_;
  uint16_t mover_ = 0;
};

using enum InterventionKind;

// Nodes in the order in which they are made: the stores, the register, the mover.
constexpr uint16_t kTwoEach[] = {0, 0, 1, 1, 2, 2};
constexpr uint16_t kOneEach[] = {0, 0, 1, 2}, kFour[] = {0, 0, 1, 2, 3};

constexpr Move kToTheNewOne[] = {{1, 3, 1'000}, {2, 3, 3'000}, {4, 3, 5'500}};
constexpr Move kAwayFromS1[] = {{2, 0, 1'000}, {3, 2, 4'000}};
constexpr Move kHotToS2[] = {{1, 2, 2'000}};
constexpr Move kRoundAbout[] = {{1, 2, 1'000}, {2, 0, 6'000}, {4, 1, 11'000}};
constexpr Stroke kEachInTurn[] = {{2'500, kCrash, 0, 1'500}, {6'500, kCrash, 1, 1'500},
                                  {10'500, kCrash, 2, 1'500}, {14'000, kCrash, 3, 1'000},
                                  {17'000, kCrash, 4, 1'000}};
constexpr Move kTwoToS2[] = {{1, 2, 1'000}, {3, 2, 6'000}};
// The target answers and is not heard, then the source, then keyhaul itself.
constexpr Stroke kNotHeard[] = {{2'000, kMute, 2, 3'000}, {6'800, kMute, 1, 3'000},
                                {12'000, kMute, 4, 3'000}};
constexpr uint32_t kEvery25th = 40'000;
constexpr Stroke kFlippedBits[] = {{500, kRate, static_cast<uint32_t>(FaultKind::kCorrupt), kEvery25th}};
// Without room for its journal keyhaul gives up what it has not decided; it is planned once more.
constexpr Move kTwoAndAgain[] = {{1, 2, 1'000}, {3, 2, 8'000}, {1, 2, 11'500}, {3, 2, 12'500}};
constexpr Stroke kNoRoom[] = {{1'800, kDiskFull, 2, 2'500}, {8'800, kDiskFull, 4, 2'000}};
constexpr Move kSecondThoughts[] = {{1, 1, 1'000, 1'200}, {3, 2, 1'600, 900}, {1, 2, 3'500, 800},
                                    {3, 0, 4'000, 1'500}, {1, 1, 7'000, 300}, {1, 2, 10'000},
                                    {3, 0, 12'000}};

// The zone of a target, that of a source, and one in which nothing moves.
constexpr Move kAcrossZones[] = {{1, 2, 1'000}, {4, 1, 11'000}, {3, 3, 22'000}};
constexpr Stroke kZones[] = {{2'300, kZoneLoss, 2, 2'000}, {12'500, kZoneLoss, 3, 2'000},
                             {23'500, kZoneLoss, 0, 2'000}};

void build(World& world, const Cluster& cluster) { ClusterBuilder(world, cluster).build(); }

}  // namespace

Config clusterConfig() {
  Config config;
  config.stallBase = seconds(5);
  config.stallBytesPerSecond = 64 * 1024;  // links are slow here
  config.retriesMax = 6;
  config.bufferBytesMax = 8U << 20;
  return config;
}

void drawClusterPlan(Prng& prng, Plan& plan) {
  plan.verify = VerifyDepth::kBoth;
  for (std::byte& byte : plan.digestKey) byte = static_cast<std::byte>(prng.below(256));
  for (uint8_t& byte : plan.claim) byte = static_cast<uint8_t>(prng.below(256));
  plan.pageEntries = 8;
  plan.lanes = 1;
  plan.windowPages = 2;
  plan.durablePages = 4;
  plan.pauseBudgetMs = 4'000;
}

void placeRanges(World& world, Prng& prng, std::span<const uint64_t> sizes, std::span<const uint16_t> owners) {
  Space& space = world.space();
  OwnershipMap map;
  uint64_t key = 0;
  for (size_t i = 0; i < sizes.size(); ++i) {
    const uint64_t end = key + sizes[i];
    const Bound hi = i + 1 == sizes.size() ? Bound::infinity() : Bound::at(numberedKey("k", end));
    const KeyRange range{i == 0 ? Key() : numberedKey("k", key), hi};
    GatedStoreNode& owner = world.gated(owners[i]);
    if (!map.assign(range, owner.name()).ok()) world.violated("scenario", "a range is given twice", {});
    owner.setUpGate(range);
    space.placed.push_back(range);
    for (; key < end; ++key) {
      space.keys.push_back(numberedKey("k", key));
      const uint64_t padding = prng.below(80);
      if (prng.below(100) < 92) owner.setUp(space.keys.back(), makeValue(space.keys.back(), 0, 0, padding));
    }
  }
  world.theRegister().setUp(map);
}

void buildAddNode(World& world) {
  Cluster cluster{4, kTwoEach, kToTheNewOne};
  cluster.perZone = 2;
  build(world, cluster);
}
void buildDrain(World& world) {
  Cluster cluster{3, kTwoEach, kAwayFromS1};
  cluster.emptied = 1;
  build(world, cluster);
}
void buildHotRange(World& world) {
  Cluster cluster{3, kOneEach, kHotToS2};
  cluster.hotRange = 1;
  build(world, cluster);
}
void buildRollingRestart(World& world) { build(world, {3, kTwoEach, kRoundAbout, kEachInTurn}); }
void buildAsymmetricPartition(World& world) { build(world, {3, kTwoEach, kTwoToS2, kNotHeard}); }
void buildCorruptLink(World& world) { build(world, {3, kTwoEach, kTwoToS2, kFlippedBits}); }
void buildDiskFull(World& world) { build(world, {3, kTwoEach, kTwoAndAgain, kNoRoom}); }
void buildCancelReplan(World& world) { build(world, {3, kTwoEach, kSecondThoughts}); }
void buildZoneLoss(World& world) {
  Cluster cluster{4, kFour, kAcrossZones, kZones};
  cluster.perZone = 2;
  build(world, cluster);
}

}  // namespace keyhaul::sim
