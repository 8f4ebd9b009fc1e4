// A history of one register or one key as moves of the search.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "linearize/history.h"
#include "linearize/prefixes.h"
#include "linearize/search.h"

namespace keyhaul::sim {

struct Problem {
  std::vector<Move> moves;
  State start = 0;
  // Every state that can be told from others; empty if they are too many to go through.
  std::vector<State> states;
  std::optional<Prefixes> prefixes;
};

// What the checker keeps from call to call.
struct Workspace {
  Search search;
  Problem problem;
};

void poseRegister(std::span<const Operation> history, Value initial, Problem& problem);
// Of the operations at `indices`, which are those on one key.
void poseKey(std::span<const KeyValueOperation> history, std::span<const uint32_t> indices,
             Problem& problem);

}  // namespace keyhaul::sim
