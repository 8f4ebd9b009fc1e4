// Makes a witness small: what is left of it is needed, and proves the verdict by itself.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "linearize/linearize.h"
#include "linearize/problem.h"

namespace keyhaul::sim {

// `problem` is not linearizable and the search got `stuck` at this move.
class Explainer {
 public:
  Explainer(Search& search, const Problem& problem, uint64_t stepsMax)
      : search_(search), problem_(problem), stepsLeft_(stepsMax) {}
  Witness explain(uint32_t stuck);

 private:
  // Only what is not linearizable for sure: not if the budget runs out.
  bool fails(std::span<const Move> moves, std::span<const State> starts);
  void takePrefix(uint32_t stuck);
  void cutBefore();
  void weaken(size_t begin, size_t end);
  std::vector<Move> weakened() const;
  std::vector<uint32_t> helpers(std::span<const Move> left) const;

  Search& search_;
  const Problem& problem_;
  uint64_t stepsLeft_;
  Witness witness_;
  std::vector<Move> moves_;
  std::vector<State> starts_;
  // Of `moves_`: not needed, it may take effect or not.
  std::vector<bool> weak_;
};

}  // namespace keyhaul::sim
