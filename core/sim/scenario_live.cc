#include "scenario_live.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "gated_store.h"
#include "mover.h"
#include "register.h"
#include "value.h"
#include "world.h"

namespace keyhaul::sim {
namespace {

constexpr uint64_t kSecondUs = 1'000'000;

// How a scenario is drawn; percentages.
struct LiveShape {
  uint32_t stores = 2;
  uint32_t movesMin = 1, movesMax = 1;  // one after the other, of the same ranges
  uint32_t rivalPercent = 0;            // of moves: a second coordinator
  uint32_t cancelPercent = 0;
  uint32_t rangesMax = 1;
  uint32_t keysMax = 300;
  uint32_t windowPercent = 0;           // of moves: with a reverse window
  uint32_t clientsMax = 4;
  bool ofProcesses = false;             // movers that know what time it is, checkpoints in time
  uint32_t lostPercent = 0;             // of those with a window: the source dies for good in it
  uint32_t blindPercent = 10;           // of moves: nothing is verified
  bool shared = false;                  // two clients or more write all keys, most often a few
  bool proves = false;                  // at level 5
  bool early = false;                   // feeds are ahead of scans, and values have versions
  bool limited = false;                 // slots and a rate
  bool splits = false;                  // writers outrun the move, and it may be split
  bool ends = false;                    // some values end by themselves, in a third of the seeds
  bool parallel = false;                // each range moves by itself, and one mover moves all
};

std::string keyName(uint64_t index) { return numberedKey("k", index); }

class LiveBuilder {
 public:
  LiveBuilder(World& world, const LiveShape& shape)
      : world_(world),
        shape_(shape),
        prng_(world.seed(), "live scenario"),
        windows_(world.seed(), "live windows"),
        losses_(world.seed(), "live losses"),
        movers_(world.seed(), "live movers"),
        proofs_(world.seed(), "live proofs"),
        limits_(world.seed(), "live limits"),
        splits_(world.seed(), "live splits") {}

  void build() {
    for (uint32_t i = 0; i < shape_.stores; ++i) {
      stores_.push_back(world_.addGatedStore("s" + std::to_string(i)).id());
    }
    world_.addRegister();
    const uint64_t most = std::max<uint64_t>(
        6, uint64_t{shape_.keysMax} * world_.options().workloadPercent / 100);
    keys_ = prng_.between(5, most);
    drawRanges();
    giveOut();
    fill();
    addMoves();
    addClients();
  }

 private:
  bool percent(uint32_t of) { return prng_.below(100) < of; }

  Config drawConfig() {
    Config config;
    config.stallBase = milliseconds(prng_.between(1'000, 5'000));
    config.retriesMax = 6;
    config.bufferBytesMax = 8U << 20;
    if (shape_.ofProcesses && movers_.below(2) == 0) config.checkpointEvery = milliseconds(movers_.between(5, 2'000));
    if (shape_.proves) config.bucketEntries = static_cast<uint32_t>(proofs_.between(1, 24));
    if (!shape_.limited) return config;
    config.slots = static_cast<uint32_t>(limits_.between(1, 3));
    config.sourceSlots = static_cast<uint32_t>(limits_.between(1, 3));
    config.targetSlots = static_cast<uint32_t>(limits_.between(1, 2));
    config.bytesPerSecond = limits_.between(20'000, 400'000);
    return config;
  }
  uint16_t drawMover() {
    MoverNode& mover = world_.addMover(drawConfig());
    if (shape_.ofProcesses && movers_.below(2) == 0) mover.knowTime();
    return mover.id();
  }

  // What moves: one to some parts of the keys, with keys on both sides that stay.
  void drawRanges() {
    const uint64_t count = prng_.between(1, shape_.rangesMax);
    uint64_t from = prng_.below(keys_ / 4 + 1);
    for (uint64_t i = 0; i < count && from + 1 < keys_; ++i) {
      const bool last = i + 1 == count;
      const uint64_t to = last ? std::max(from, keys_ - 1 - prng_.below(keys_ / 4 + 1))
                               : prng_.between(from, from + (keys_ - from) / 2);
      ranges_.push_back(KeyRange::inclusive(keyName(from), keyName(to)).value());
      from = to + 1 + prng_.below(3) / 2;
    }
  }

  // The first store owns what moves; what stays, it or another.
  void giveOut() {
    OwnershipMap map;
    const auto give = [&](const KeyRange& range, uint16_t store) {
      if (range.empty()) return;
      if (!map.assign(range, world_.store(store).name()).ok()) {
        world_.violated("scenario", "a range is given twice", {});
      }
      world_.gated(store).setUpGate(range);
    };
    const uint16_t neighbour = stores_[static_cast<size_t>(prng_.below(stores_.size()))];
    Key from;
    for (const KeyRange& range : ranges_) {
      give({from, Bound::at(range.lo)}, neighbour);
      give(range, stores_[0]);
      from = range.hi.key();
    }
    give({from, Bound::infinity()}, neighbour);
    world_.theRegister().setUp(map);
  }

  void fill() {
    for (uint64_t i = 0; i < keys_; ++i) {
      const std::string key = keyName(i);
      world_.space().keys.push_back(key);
      if (!percent(85)) continue;
      const uint64_t padding = percent(2) ? prng_.between(1'000, 8'000) : prng_.below(80);
      const Ownership* owner = world_.theRegister().map().lookup(key);
      world_.gatedNamed(owner->owner)->setUp(key, makeValue(key, 0, 0, padding));
    }
  }

  void addMoves() {
    if (shape_.parallel) {
      const uint16_t mover = drawMover();
      for (const KeyRange& range : ranges_) addMove(mover, {range});
      return;
    }
    const uint64_t moves = prng_.between(shape_.movesMin, shape_.movesMax);
    for (uint64_t i = 0; i < moves; ++i) addMove(drawMover(), ranges_);
  }

  void addMove(uint16_t mover, const std::vector<KeyRange>& ranges) {
    Job& job = world_.addJob();
    makeLive(world_, job, mover, ranges);
    if (shape_.early) {
      job.plan.sourceCapabilities.bits |= static_cast<uint32_t>(Capability::kVersion) | static_cast<uint32_t>(Capability::kFeedEarly);
      job.plan.targetCapabilities = job.plan.sourceCapabilities;
    }
    job.startUs = prng_.below(world_.healAtUs() / (shape_.splits ? 16 : 2));
    if (!shape_.parallel) job.after = lastMove_;
    if (shape_.parallel) job.plan.priority = static_cast<uint8_t>(limits_.below(256));
    job.source = stores_[0];
    job.target = stores_[1 + static_cast<size_t>(prng_.below(stores_.size() - 1))];
    lastMove_ = job.index + 1;
    drawPlan(job);
    if (windows_.below(100) < shape_.windowPercent) drawWindow(job);
    if (percent(shape_.cancelPercent)) job.cancelAtUs = job.startUs + prng_.exponential(3 * kSecondUs);
    if (percent(shape_.rivalPercent)) addRival(job);
    if (!shape_.splits) return;
    addParts(world_, job, splits_);
    if (Prng joined(world_.seed(), "live joined"); joined.below(3) == 0) addJoined(world_, job, joined);
    lastMove_ = static_cast<uint32_t>(world_.jobs().size());
  }

  void drawPlan(Job& job) {
    Plan& plan = job.plan;
    const Faults& faults = world_.faults();
    const bool rots = faults.on(FaultKind::kBitRot) || faults.on(FaultKind::kMisdirected);
    const bool looks = !percent(shape_.blindPercent) || rots;
    plan.verify = looks || shape_.proves ? VerifyDepth::kBoth : VerifyDepth::kNone;
    if (shape_.proves) plan.require = GuaranteeLevel::kL5;
    plan.checksumKind = prng_.below(2) == 0 ? ChecksumKind::kCrc32 : ChecksumKind::kCrc32c;
    for (std::byte& byte : plan.digestKey) byte = static_cast<std::byte>(prng_.below(256));
    for (uint8_t& byte : plan.claim) byte = static_cast<uint8_t>(prng_.below(256));
    plan.pageEntries = static_cast<uint32_t>(prng_.between(2, 40));
    plan.pageBytes = static_cast<uint32_t>(prng_.between(1'024, 8'192));
    plan.lanes = static_cast<uint32_t>(prng_.between(1, 3));
    plan.windowPages = static_cast<uint32_t>(prng_.between(1, 6));
    plan.durablePages = static_cast<uint32_t>(prng_.between(1, 6));
    plan.pauseBudgetMs = static_cast<uint32_t>(prng_.between(300, 4'000));
  }

  // Somebody goes back, or is content before its time; or nobody says anything.
  void drawWindow(Job& job) {
    const uint64_t wants = windows_.below(4);
    const uint64_t afterUs = 1 + windows_.exponential(kSecondUs);
    const uint64_t windowUs = 100'000 + windows_.exponential(2 * kSecondUs);
    job.plan.reverseWindowMs = static_cast<uint32_t>((wants < 3 ? afterUs + windowUs : windowUs) / 1'000);
    if (wants < 2) job.reverseAfterUs = afterUs;
    if (wants == 2) job.finishAfterUs = afterUs;
    if (losses_.below(100) >= shape_.lostPercent) return;
    job.sourceDiesAfterUs = 1 + losses_.exponential(kSecondUs);
    job.giveUpAfterUs = 1 + losses_.exponential(10 * kSecondUs);
    job.comesBackAfterUs = 1 + losses_.exponential(5 * kSecondUs);
  }

  void addRival(const Job& first) {
    const uint64_t startUs = first.startUs + prng_.exponential(2 * kSecondUs);
    Job& job = keyhaul::sim::addRival(world_, first.index, drawConfig(), startUs);
    if (percent(shape_.cancelPercent / 4)) job.cancelAtUs = job.startUs + prng_.exponential(3 * kSecondUs);
  }

  void addClients() {
    Space& space = world_.space();
    space.thinkUs = prng_.between(10'000, 200'000);
    space.deletePercent = percent(25) ? 70 : static_cast<uint32_t>(prng_.below(40));
    space.stopUs = world_.options().untilUs + 150 * kSecondUs;
    space.early = shape_.early;
    // A tombstone is a value as any other.
    if (shape_.early) space.deletePercent = 0;
    if (shape_.shared) share();
    const auto clients = static_cast<uint32_t>(prng_.between(shape_.shared ? 2 : 1, shape_.clientsMax));
    if (shape_.splits) outrun(world_, clients, splits_);
    if (shape_.ends) letValuesEnd(world_);
    for (uint32_t i = 0; i < clients; ++i) world_.addRoutedClient(i, clients);
  }

  // The keys for which clients contend lie in what moves, and one perhaps beside it.
  void share() {
    Space& space = world_.space();
    space.shared = true;
    space.thinkUs = prng_.between(5'000, 40'000);
    space.hotPercent = static_cast<uint32_t>(prng_.between(60, 98));
    space.conditional = Prng(world_.seed(), "live conditions").below(3) == 0;
    std::vector<std::string> moving;
    for (const std::string& key : space.keys) {
      const auto holds = [&key](const KeyRange& range) { return range.contains(key); };
      if (std::any_of(ranges_.begin(), ranges_.end(), holds)) moving.push_back(key);
    }
    const uint64_t few = prng_.between(1, 4);
    for (uint64_t i = 0; i < few; ++i) {
      const std::vector<std::string>& from = percent(85) ? moving : space.keys;
      space.contended.push_back(from[static_cast<size_t>(prng_.below(from.size()))]);
    }
  }

  World& world_;
  LiveShape shape_;
  Prng prng_, windows_, losses_, movers_, proofs_, limits_, splits_;
  std::vector<uint16_t> stores_;
  std::vector<KeyRange> ranges_;
  uint64_t keys_ = 0;
  uint32_t lastMove_ = 0;
};

}  // namespace

void buildLive(World& world) { LiveBuilder(world, {}).build(); }
void buildLivePingPong(World& world) {
  LiveShape shape;
  shape.movesMin = 2;
  shape.movesMax = 4;
  shape.rivalPercent = 25;
  shape.keysMax = 120;
  shape.ends = true;
  LiveBuilder(world, shape).build();
}
void buildLiveRivals(World& world) { LiveBuilder(world, {.rivalPercent = 100, .keysMax = 200}).build(); }
void buildLiveCancel(World& world) {
  LiveShape shape;
  shape.cancelPercent = 100;
  shape.movesMax = 2;
  shape.rivalPercent = 20;
  shape.keysMax = 200;
  LiveBuilder(world, shape).build();
}
void buildLiveGroup(World& world) {
  LiveShape shape;
  shape.rangesMax = 6;
  shape.stores = 3;
  shape.movesMax = 2;
  shape.rivalPercent = 10;
  LiveBuilder(world, shape).build();
}
void buildLiveSwarm(World& world) {
  Prng prng(world.seed(), "live swarm");
  LiveShape shape;
  shape.stores = static_cast<uint32_t>(prng.between(2, 3));
  shape.movesMax = static_cast<uint32_t>(prng.between(1, 4));
  shape.rivalPercent = static_cast<uint32_t>(prng.below(101));
  shape.cancelPercent = static_cast<uint32_t>(prng.below(60));
  shape.rangesMax = static_cast<uint32_t>(prng.between(1, 4));
  shape.keysMax = 150;
  // Of a stream of their own: a seed without a window is what it was before there were any.
  Prng windows(world.seed(), "live swarm windows");
  if (windows.below(100) < 35) shape.windowPercent = static_cast<uint32_t>(windows.between(20, 100));
  // So are limits.
  shape.limited = Prng(world.seed(), "live swarm limits").below(4) == 0;
  LiveBuilder(world, shape).build();
}
void buildLiveMany(World& world) {
  LiveShape shape;
  shape.parallel = shape.limited = true;
  shape.stores = 3;
  shape.rangesMax = 8;
  shape.rivalPercent = 15;
  shape.cancelPercent = 15;
  shape.keysMax = 250;
  LiveBuilder(world, shape).build();
}
void buildLiveReverse(World& world) {
  LiveShape shape;
  shape.ofProcesses = true;
  shape.windowPercent = 100;
  shape.movesMax = 3;
  shape.rivalPercent = 25;
  shape.cancelPercent = 10;
  shape.rangesMax = 2;
  shape.keysMax = 120;
  LiveBuilder(world, shape).build();
}
// It stays away until somebody gives it up, and for a while longer.
void buildLiveSourceLost(World& world) {
  LiveShape shape;
  shape.windowPercent = 100;
  shape.lostPercent = 75;
  shape.movesMax = 3;
  shape.rivalPercent = 20;
  shape.rangesMax = 2;
  shape.keysMax = 80;
  LiveBuilder(world, shape).build();
}
void buildLiveShared(World& world) {
  world.space().readFence = Prng(world.seed(), "live shared reads").below(4) != 0;
  Prng prng(world.seed(), "live shared");
  LiveShape shape;
  shape.shared = shape.ends = true;
  shape.stores = static_cast<uint32_t>(prng.between(2, 3));
  shape.movesMin = 3;
  shape.movesMax = static_cast<uint32_t>(prng.between(3, 8));
  shape.rivalPercent = static_cast<uint32_t>(prng.below(60));
  shape.cancelPercent = static_cast<uint32_t>(prng.below(40));
  shape.rangesMax = static_cast<uint32_t>(prng.between(1, 3));
  shape.windowPercent = prng.below(100) < 35 ? static_cast<uint32_t>(prng.between(20, 100)) : 0;
  shape.keysMax = 60;
  shape.clientsMax = 6;
  // What the last look would find is to be seen by clients as well.
  shape.blindPercent = 50;
  LiveBuilder(world, shape).build();
}
// For crashes at every single event; there and back.
void buildLiveReverseSmall(World& world) {
  LiveShape shape;
  shape.keysMax = 10;
  shape.clientsMax = 1;
  shape.windowPercent = 100;
  LiveBuilder(world, shape).build();
}
void buildLiveVerified(World& world) {
  LiveShape shape;
  shape.proves = true;
  shape.windowPercent = 30;
  shape.movesMax = 2;
  shape.rivalPercent = 20;
  shape.cancelPercent = 10;
  shape.rangesMax = 3;
  shape.keysMax = 200;
  LiveBuilder(world, shape).build();
}
void buildLiveEarly(World& world) {
  LiveShape shape;
  shape.early = true;
  shape.blindPercent = 0;
  shape.movesMax = 2;
  shape.windowPercent = 30;
  shape.rivalPercent = 20;
  shape.cancelPercent = 10;
  shape.rangesMax = 2;
  shape.keysMax = 120;
  LiveBuilder(world, shape).build();
}
void buildLiveSplit(World& world) {
  LiveShape shape;
  shape.splits = true;
  shape.rangesMax = 3;
  shape.keysMax = 120;
  shape.clientsMax = 4;
  LiveBuilder(world, shape).build();
}
// For crashes at every single event.
void buildLiveSmall(World& world) {
  LiveShape shape;
  shape.keysMax = 10;
  shape.clientsMax = 1;
  LiveBuilder(world, shape).build();
}

}  // namespace keyhaul::sim
