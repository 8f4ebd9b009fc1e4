// How much of a range is on each side of a migration, part by part.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "job.h"

namespace keyhaul::sim {

class World;

struct Cell {
  uint32_t keys = 0, source = 0, target = 0;
  uint32_t differ = 0;   // on both sides, with different values
  uint32_t missing = 0;  // on the source only
  uint64_t sourceBytes = 0, targetBytes = 0;  // of keys and values
};

// A live migration has no clients of its own: its keys are those of all clients in its ranges.
std::vector<std::string> keysOf(const World& world, const Job& job);

// Compares both sides key by key, in as many parts as there are cells.
void compare(const World& world, const Job& job, const std::vector<std::string>& keys,
             std::span<Cell> cells);

}  // namespace keyhaul::sim
