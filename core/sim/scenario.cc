#include "scenario.h"

#include <algorithm>
#include <string>

#include "mover.h"
#include "scenario_cluster.h"
#include "scenario_live.h"
#include "store.h"
#include "value.h"
#include "world.h"

namespace keyhaul::sim {
namespace {

constexpr uint64_t kSecondUs = 1'000'000;
constexpr uint32_t kStores = 3;

// How the jobs of a scenario are drawn; percentages.
struct Shape {
  uint32_t jobsMin = 3, jobsMax = 5;
  uint32_t movePercent = 0, verifyPercent = 0;
  uint32_t feedPercent = 0;     // of copies and moves; with writers
  uint32_t racingPercent = 0;   // of those without a feed: clients write all the same
  uint32_t cancelPercent = 0;
  uint32_t nonemptyPercent = 0;
  uint32_t keysMax = 400;
  bool limited = false;         // slots and a rate
  bool versioned = false;       // values carry versions, and clients write at the target too
};

std::string keyName(uint32_t job, uint64_t index) {
  return numberedKey("j" + std::to_string(job) + "/", index);
}

uint32_t bits(std::initializer_list<Capability> list) {
  uint32_t all = 0;
  for (const Capability capability : list) all |= static_cast<uint32_t>(capability);
  return all;
}

class Builder {
 public:
  Builder(World& world, const Shape& shape)
      : world_(world), shape_(shape), prng_(world.seed(), "scenario") {}

  void build() {
    world_.space().shared = world_.space().versioned = shape_.versioned;
    for (uint32_t i = 0; i < kStores; ++i) world_.addStore("s" + std::to_string(i));
    Config config;
    config.stallBase = seconds(5);
    config.retriesMax = 6;
    config.bufferBytesMax = 8U << 20;
    if (shape_.limited) {
      config.slots = static_cast<uint32_t>(prng_.between(1, 4));
      config.sourceSlots = static_cast<uint32_t>(prng_.between(1, 2));
      config.targetSlots = static_cast<uint32_t>(prng_.between(1, 2));
      config.bytesPerSecond = prng_.between(20'000, 400'000);
    }
    moverId_ = world_.addMover(config).id();
    const uint64_t drawn = prng_.between(shape_.jobsMin, shape_.jobsMax);
    const uint64_t jobs = std::max<uint64_t>(1, drawn * world_.options().workloadPercent / 100);
    for (uint64_t i = 0; i < jobs; ++i) addJob();
    // Keys that belong to no job: nobody may touch them.
    for (uint16_t store = 0; store < kStores; ++store) {
      for (const char* key : {"a", "j", "j0", "j00", "k", "z"}) {
        world_.store(store).setUp(key, makeValue(key, 0, store, 3));
      }
    }
  }

 private:
  bool percent(uint32_t of) { return prng_.below(100) < of; }

  void addJob() {
    Job& job = world_.addJob();
    job.mover = moverId_;
    job.source = static_cast<uint16_t>(prng_.below(kStores));
    job.target = static_cast<uint16_t>((job.source + prng_.between(1, kStores - 1)) % kStores);
    job.startUs = prng_.below(world_.healAtUs() * 4 / 5);
    const uint64_t most = std::max<uint64_t>(4, uint64_t{shape_.keysMax} *
                                                    world_.options().workloadPercent / 100);
    const uint64_t keys = prng_.between(2, most);
    drawPlan(job, keys);
    fill(job, keys);
    if (job.written || shape_.versioned) addClients(job);
    if (percent(shape_.cancelPercent)) {
      job.cancelAtUs = job.startUs + prng_.exponential(2 * kSecondUs);
    }
  }

  void drawPlan(Job& job, uint64_t keys) {
    Plan& plan = job.plan;
    plan.source = world_.store(job.source).name();
    plan.target = world_.store(job.target).name();
    plan.sourceCapabilities.bits = plan.targetCapabilities.bits =
        bits({Capability::kScan, Capability::kApply, Capability::kStats});
    if (percent(shape_.movePercent)) plan.mode = MigrationMode::kMove;
    if (percent(shape_.verifyPercent)) plan.mode = MigrationMode::kVerify;
    const bool feed = percent(shape_.feedPercent) && plan.mode != MigrationMode::kVerify;
    if (feed) {
      plan.sourceCapabilities.bits |= static_cast<uint32_t>(Capability::kFeed);
      plan.follow = percent(80);
      job.written = true;
    } else if (plan.mode != MigrationMode::kVerify) {
      job.written = percent(shape_.racingPercent);
    }
    plan.repair = plan.mode == MigrationMode::kVerify && percent(70);
    plan.intoNonempty = !feed && plan.mode == MigrationMode::kCopy && percent(shape_.nonemptyPercent);
    if (shape_.versioned) {
      plan.sourceCapabilities.bits |= bits({Capability::kVersion});
      plan.targetCapabilities.bits |= bits({Capability::kVersion});
      plan.intoNonempty = plan.mode != MigrationMode::kVerify;
    }
    plan.verify = static_cast<VerifyDepth>(prng_.below(3));
    if (plan.mode != MigrationMode::kCopy && plan.verify == VerifyDepth::kNone) {
      plan.verify = VerifyDepth::kBoth;
    }
    plan.priority = static_cast<uint8_t>(prng_.below(256));
    plan.checksumKind = prng_.below(2) == 0 ? ChecksumKind::kCrc32 : ChecksumKind::kCrc32c;
    for (std::byte& byte : plan.digestKey) byte = static_cast<std::byte>(prng_.below(256));
    plan.pageEntries = static_cast<uint32_t>(prng_.between(1, 40));
    plan.pageBytes = static_cast<uint32_t>(prng_.between(1'024, 8'192));
    plan.lanes = static_cast<uint32_t>(prng_.between(1, 4));
    plan.windowPages = static_cast<uint32_t>(prng_.between(1, 6));
    plan.durablePages = static_cast<uint32_t>(prng_.between(1, 6));
    drawRanges(job, keys);
  }

  // The job's keys, cut into one to four ranges that touch or leave gaps.
  void drawRanges(Job& job, uint64_t keys) {
    const uint64_t count = prng_.between(1, 4);
    uint64_t from = 0;
    for (uint64_t i = 0; i < count && from < keys; ++i) {
      uint64_t to = i + 1 == count ? keys - 1 : prng_.between(from, keys - 1);
      job.plan.ranges.push_back(
          KeyRange::inclusive(keyName(job.index, from), keyName(job.index, to)).value());
      from = to + 1 + prng_.below(3) / 2;
    }
  }

  void fill(Job& job, uint64_t keys) {
    StoreNode& source = world_.store(job.source);
    StoreNode& target = world_.store(job.target);
    const bool both = shape_.versioned && percent(50);
    for (uint64_t i = 0; i < keys; ++i) {
      const std::string key = keyName(job.index, i);
      if (!job.contains(key)) continue;
      job.keys.push_back(key);
      const uint64_t padding = percent(2) ? prng_.between(1'000, 8'000) : prng_.below(80);
      const std::string value = makeValue(key, 0, i, padding);
      const bool present = percent(85);
      if (present) source.setUp(key, value);
      const bool mirrored = job.plan.mode == MigrationMode::kVerify;
      if (mirrored && !percent(5)) {
        if (present || percent(10)) target.setUp(key, percent(3) ? makeValue(key, 0, i + 1, 5) : value);
      }
      if (both && percent(30)) target.setUp(key, makeValue(key, 0, versionThere(i), 2));
      if (!shape_.versioned && job.plan.intoNonempty && percent(10)) target.setUp(key, makeValue(key, 0, i + 7, 2));
    }
  }

  // What the target holds of a key is older, newer or, with another value, of the same version.
  uint64_t versionThere(uint64_t version) {
    const uint64_t kind = prng_.below(30);
    return kind == 0 ? version : kind % 2 == 0 ? version + 7 : version / 2;
  }

  void addClients(Job& job) {
    const uint64_t latest = world_.healAtUs() + (world_.options().untilUs - world_.healAtUs()) / 2;
    job.writersStopUs = job.startUs + prng_.below(latest - job.startUs);
    job.deletePercent = percent(30) ? 70 : static_cast<uint32_t>(prng_.below(40));
    job.thinkUs = prng_.between(20'000, 300'000);
    if (job.written) addClientsOf(job, job.source);
    if (!shape_.versioned) return;
    // Real deletes have no version: what they leave at the target is named.
    if (percent(70)) job.deletePercent = 0;
    addClientsOf(job, job.target);
  }

  void addClientsOf(Job& job, uint16_t store) {
    const auto clients = static_cast<uint32_t>(prng_.between(1, 3));
    for (uint32_t i = 0; i < clients; ++i) world_.addClient(job, store, i, clients);
  }

  World& world_;
  Shape shape_;
  Prng prng_;
  uint16_t moverId_ = 0;
};

void copy(World& world) { Builder(world, {}).build(); }
void follow(World& world) {
  Shape shape;
  shape.feedPercent = 100;
  Builder(world, shape).build();
}
void move(World& world) {
  Shape shape;
  shape.movePercent = 100;
  shape.racingPercent = 60;
  Builder(world, shape).build();
}
void moveFollow(World& world) {
  Shape shape;
  shape.movePercent = shape.feedPercent = 100;
  Builder(world, shape).build();
}
void cancel(World& world) {
  Shape shape;
  shape.movePercent = 40;
  shape.feedPercent = 40;
  shape.nonemptyPercent = 20;
  shape.cancelPercent = 100;
  Builder(world, shape).build();
}
void verify(World& world) {
  Shape shape;
  shape.verifyPercent = 100;
  Builder(world, shape).build();
}
void versioned(World& world) {
  Shape shape;
  shape.movePercent = 20;
  shape.verifyPercent = 15;
  shape.racingPercent = 70;
  shape.cancelPercent = 10;
  shape.keysMax = 120;
  shape.versioned = true;
  Builder(world, shape).build();
}
void many(World& world) {
  Shape shape;
  shape.jobsMin = 10;
  shape.jobsMax = 24;
  shape.keysMax = 120;
  shape.movePercent = 30;
  shape.feedPercent = 20;
  shape.limited = true;
  Builder(world, shape).build();
}
void swarm(World& world) {
  Prng prng(world.seed(), "swarm");
  Shape shape;
  shape.movePercent = static_cast<uint32_t>(prng.below(101));
  shape.verifyPercent = static_cast<uint32_t>(prng.below(60));
  shape.feedPercent = static_cast<uint32_t>(prng.below(101));
  shape.racingPercent = static_cast<uint32_t>(prng.below(101));
  shape.cancelPercent = static_cast<uint32_t>(prng.below(50));
  shape.nonemptyPercent = static_cast<uint32_t>(prng.below(40));
  shape.limited = prng.below(3) == 0;
  Builder(world, shape).build();
}


// Slow enough to be watched: a new store takes a range of each of the two old ones while clients
// write them, then one old store gives a quiet range to the other.
void story(World& world) {
  Prng prng(world.seed(), "story");
  for (uint32_t i = 0; i < kStores; ++i) world.addStore("s" + std::to_string(i));
  Config config;
  config.stallBase = seconds(5);
  config.stallBytesPerSecond = 64 * 1024;
  config.retriesMax = 6;
  const uint16_t mover = world.addMover(config).id();
  world.network().delayBy(40'000);
  struct Part {
    uint16_t source, target;
    uint64_t startMs, writersStopMs;
  };
  for (const Part& part : {Part{0, 2, 1'000, 14'000}, Part{1, 2, 3'500, 20'000}, Part{0, 1, 17'000, 0}}) {
    Job& job = world.addJob();
    job.mover = mover;
    job.source = part.source;
    job.target = part.target;
    job.startUs = part.startMs * 1'000;
    Plan& plan = job.plan;
    plan.source = world.store(job.source).name();
    plan.target = world.store(job.target).name();
    plan.mode = MigrationMode::kMove;
    plan.verify = VerifyDepth::kBoth;
    plan.sourceCapabilities.bits = plan.targetCapabilities.bits =
        bits({Capability::kScan, Capability::kApply, Capability::kStats});
    job.written = plan.follow = part.writersStopMs != 0;
    if (plan.follow) plan.sourceCapabilities.bits |= static_cast<uint32_t>(Capability::kFeed);
    for (std::byte& byte : plan.digestKey) byte = static_cast<std::byte>(prng.below(256));
    plan.pageEntries = 8;
    plan.lanes = 1;
    plan.windowPages = 2;
    plan.durablePages = 4;
    const uint64_t keys = std::max<uint64_t>(8, uint64_t{288} * world.options().workloadPercent / 100);
    plan.ranges.push_back(
        KeyRange::inclusive(keyName(job.index, 0), keyName(job.index, keys - 1)).value());
    for (uint64_t i = 0; i < keys; ++i) {
      job.keys.push_back(keyName(job.index, i));
      world.store(job.source).setUp(job.keys.back(), makeValue(job.keys.back(), 0, i, prng.below(80)));
    }
    if (!job.written) continue;
    // The share of the chaos that these times are of the usual forty seconds.
    job.writersStopUs = part.writersStopMs * world.healAtUs() / 40'000;
    job.deletePercent = 10;
    job.thinkUs = 120'000;
    for (uint32_t share = 0; share < 2; ++share) world.addClient(job, job.source, share, 2);
  }
}

constexpr Scenario kScenarios[] = {
    {"swarm", "all kinds of migrations, in shares drawn from the seed", swarm},
    {"copy", "copies of ranges that nobody writes", copy},
    {"follow", "copies that follow the feed while clients write (L1)", follow},
    {"move", "moves, with clients that write all the same", move},
    {"move-follow", "moves that follow the feed; the writers stop before the end", moveFollow},
    {"cancel", "copies and moves that are cancelled at any moment", cancel},
    {"verify", "verification of stores that differ here and there, with and without repair", verify},
    {"story", "slow enough to be watched: a new store takes ranges of two others that are in use", story},
    {"many", "10 to 24 jobs at once under slots and a rate", many},
    {"versioned", "copies without a feed between stores whose values carry versions, which clients write on both sides",
     versioned, false, true},
    {"live", "a range moves while clients read and write it", buildLive, true},
    {"live-pingpong", "ranges move there, back and there again; calls of older moves arrive late",
     buildLivePingPong, true},
    {"live-rivals", "two coordinators of one plan, each believing in itself", buildLiveRivals, true},
    {"live-cancel", "live migrations that are cancelled at any moment", buildLiveCancel, true},
    {"live-group", "several ranges change their owner in one decision", buildLiveGroup, true},
    {"live-swarm", "all of these, in shares drawn from the seed", buildLiveSwarm, true},
    {"live-many", "several ranges move at once, each by itself, under slots and a rate", buildLiveMany, true},
    {"live-reverse", "live migrations with a reverse window: some go back, some do not", buildLiveReverse, true},
    {"live-reverse-small", "the same with a few keys and one client", buildLiveReverseSmall, true},
    {"live-source-lost", "sources die for good in their reverse window, and somebody gives them up", buildLiveSourceLost, true},
    {"live-shared", "several clients write, delete and read the same few keys while ranges move",
     buildLiveShared, true, true},
    {"live-verified", "live migrations of level 5: both sides are equal at a named position", buildLiveVerified, true},
    {"live-early", "feeds are ahead of scans, and values carry versions", buildLiveEarly, true},
    {"live-split", "writers outrun the move of their range, so it is moved in parts", buildLiveSplit, true},
    {"live-small", "a few keys and one client, for crashes at every event", buildLiveSmall, true},
    {"add-node", "a fourth store is added, and takes a range of each of the three others",
     buildAddNode, true},
    {"drain", "a store gives its ranges to the two others, and is empty in the end", buildDrain, true},
    {"hot-range", "one range has most of the load, and moves while it has", buildHotRange, true},
    {"rolling-restart", "every process is restarted, one after the other, while ranges move",
     buildRollingRestart, true},
    {"asymmetric-partition", "the target, the source and then keyhaul hear everybody and are not heard",
     buildAsymmetricPartition, true},
    {"corrupt-link", "one message in 25 of those that carry bytes arrives damaged", buildCorruptLink, true},
    {"disk-full", "the disk of the target and then that of keyhaul is full for some seconds",
     buildDiskFull, true},
    {"cancel-replan", "moves are cancelled and planned anew, to other stores, again and again",
     buildCancelReplan, true},
    {"zone-loss", "both stores of a zone die at once: that of the target, that of the source, then one beside them",
     buildZoneLoss, true},
    {"rebalance", "somebody balances ranges of unequal size by late and inexact figures; stores join and leave meanwhile",
     buildRebalance, true},
};

}  // namespace

std::span<const Scenario> scenarios() { return kScenarios; }

bool isLive(std::string_view name) {
  const Scenario* scenario = findScenario(name);
  return scenario != nullptr && scenario->live;
}

const Scenario* findScenario(std::string_view name) {
  for (const Scenario& scenario : kScenarios) {
    if (scenario.name == name) return &scenario;
  }
  return nullptr;
}

}  // namespace keyhaul::sim
