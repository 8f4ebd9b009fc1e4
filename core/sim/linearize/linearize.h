// Is a history linearizable: is there one order of its operations, each placed between its
// invocation and its return, that a single register or store would have answered alike?
//
// Exact, not sampled. The cost is linear in the history and at worst exponential in how many
// operations overlap, hence the budget: where it runs out the answer is kUnknown, never a guess.
// No thread, clock, chance or I/O: equal histories get equal verdicts and witnesses anywhere.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "linearize/history.h"

namespace keyhaul::sim {

enum class Answer : uint8_t { kLinearizable, kNotLinearizable, kUnknown };

// A proof. No order of `operations` is right, even if every other operation that was invoked
// before `last` returned takes effect at any moment, or not at all.
struct Witness {
  // Indices into the history, rising. None of them can be missed.
  std::vector<uint32_t> operations;
  // Those that made values which `operations` saw; for the reader, not for the proof.
  std::vector<uint32_t> helpers;
  // With its return the history stops to be linearizable: the prefix before it is.
  uint32_t last = 0;
  // Everything that returned by this moment could be left out, whatever it left behind.
  std::optional<Moment> cut;
  // The budget ran out before every operation was tried: fewer might do.
  bool complete = true;
};

struct Verdict {
  Answer answer = Answer::kLinearizable;
  // Only of what is not linearizable, and only if it was asked for.
  std::optional<Witness> witness;
  // Nodes of the search, of the verdict alone.
  uint64_t steps = 0;

  bool linearizable() const { return answer == Answer::kLinearizable; }
};

struct CheckOptions {
  // Nodes of the search; those that take more memory than usual, where more than a hundred
  // operations are open at a time, count as several.
  uint64_t stepsMax = 10'000'000;
  // Again as much may be spent to make a witness; off where only the answer matters.
  bool wantWitness = true;
  // What the register holds when the history begins; a store begins empty.
  Value initial = kNil;
};

struct Workspace;

// Keeps its memory from call to call: for many small histories, such as the windows of a key
// in a simulation, which must begin at a moment at which the value is known and nothing runs.
class LinearizabilityChecker {
 public:
  LinearizabilityChecker();
  ~LinearizabilityChecker();
  LinearizabilityChecker(LinearizabilityChecker&&) noexcept;
  LinearizabilityChecker& operator=(LinearizabilityChecker&&) noexcept;

  Verdict checkRegister(std::span<const Operation> history, const CheckOptions& options = {});
  // Keys are independent and are checked one by one, each with the whole budget. The witness
  // is of the key that goes wrong first.
  Verdict checkKeyValue(std::span<const KeyValueOperation> history,
                        const CheckOptions& options = {});

 private:
  std::unique_ptr<Workspace> work_;
};

Verdict checkRegister(std::span<const Operation> history, const CheckOptions& options = {});
Verdict checkKeyValue(std::span<const KeyValueOperation> history, const CheckOptions& options = {});

}  // namespace keyhaul::sim
