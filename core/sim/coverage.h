// Which faults struck a live migration in which of its states, and how often.
#pragma once

#include <array>
#include <cstdint>
#include <string>

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

}  // namespace keyhaul::sim
