// Scenarios of live migrations: who owns what, what moves where, and who writes meanwhile.
#pragma once

#include <cstdint>
#include <vector>

#include "keyhaul/key_range.h"

namespace keyhaul {
struct Config;
}

namespace keyhaul::sim {

class World;
struct Job;
class Prng;

// A live migration of these ranges, which this mover carries out between gated stores.
void makeLive(const World& world, Job& job, uint16_t mover, std::vector<KeyRange> ranges);

void buildLive(World& world);
void buildLivePingPong(World& world);
void buildLiveRivals(World& world);
void buildLiveCancel(World& world);
void buildLiveGroup(World& world);
void buildLiveSwarm(World& world);
void buildLiveMany(World& world);
void buildLiveReverse(World& world);
void buildLiveReverseSmall(World& world);
void buildLiveSourceLost(World& world);
void buildLiveShared(World& world);
void buildLiveSmall(World& world);
void buildLiveVerified(World& world);
void buildLiveEarly(World& world);
void buildLiveSplit(World& world);

// This job may be split, in four: with those that move in its place then. Its mover takes up less than so many
// clients write, or not much more.
void addParts(World& world, Job& whole, Prng& prng);
void outrun(World& world, uint32_t clients, Prng& prng);
// And then it moves back as one, from where its parts have gone.
void addJoined(World& world, const Job& whole, Prng& prng);
// In a third of the seeds: some of the values that clients write end by themselves, and stores sweep.
void letValuesEnd(World& world);

// A second coordinator of this job, on a mover of its own: it begins with the first one's journal.
Job& addRival(World& world, uint32_t of, const Config& config, uint64_t startUs);

}  // namespace keyhaul::sim
