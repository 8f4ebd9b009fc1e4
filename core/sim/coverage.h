// Which faults struck a migration in which of its states, and how often. Live migrations and the others each have a
// table: what can strike where is not the same.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "faults.h"
#include "keyhaul/migration.h"

namespace keyhaul::sim {

struct Coverage {
  std::array<std::array<uint32_t, kFaultKinds>, kMigrationStates> cells{};

  void note(MigrationState state, FaultKind kind) {
    ++cells[static_cast<uint32_t>(state)][static_cast<uint32_t>(kind)];
  }
  void add(const Coverage& other) {
    for (uint32_t state = 0; state < kMigrationStates; ++state) {
      for (uint32_t kind = 0; kind < kFaultKinds; ++kind) {
        cells[state][kind] += other.cells[state][kind];
      }
    }
  }
  uint32_t of(MigrationState state, FaultKind kind) const {
    return cells[static_cast<uint32_t>(state)][static_cast<uint32_t>(kind)];
  }
};

enum class CoverageOf : uint8_t { kCopies, kLive };

// Where to look for them: every other seed has reverse windows, whose states are short and rare.
inline std::string_view coverageScenario(CoverageOf of, uint64_t seed) {
  if (of == CoverageOf::kCopies) return "swarm";
  return seed % 2 == 0 ? "live-reverse" : "live-swarm";
}
// Those in which a migration works.
std::span<const MigrationState> coveredStates(CoverageOf of);
// Why this fault cannot strike what is asked for in this state, only what comes late of the one
// before; empty where it can.
std::string_view whyImpossible(CoverageOf of, MigrationState state, FaultKind kind);
// States by faults; "-" where it is impossible.
std::string toTable(CoverageOf of, const Coverage& coverage);
// The cells that are empty and need not be.
std::vector<std::string> uncovered(CoverageOf of, const Coverage& coverage);

}  // namespace keyhaul::sim
