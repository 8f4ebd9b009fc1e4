// Makes a witness small: what is left of it is needed, and proves the verdict by itself.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "linearize/linearize.h"
#include "linearize/problem.h"

namespace keyhaul::sim {

// Of a problem that is not linearizable, or that may not be.
class Explainer {
 public:
  Explainer(Search& search, const Problem& problem, uint64_t stepsMax)
      : search_(search), problem_(problem), stepsLeft_(stepsMax) {}
  // The search got no further than the return of `stuck`, whatever it tried.
  Witness explain(uint32_t stuck);
  // The search has been at the return of `stuck` and not beyond yet. Is it refuted by what went
  // shortly before? Much less to go through than all there is; false says nothing.
  bool refutes(uint32_t stuck);

 private:
  // Only what is not linearizable for sure: not if the budget runs out.
  bool fails(std::span<const Move> moves, std::span<const State> starts, uint64_t stepsMax);
  void takePrefix(uint32_t stuck);
  bool cutBefore();
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
