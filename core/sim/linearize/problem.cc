#include "linearize/problem.h"

#include <algorithm>

namespace keyhaul::sim {
namespace {

State stateOf(Value value) { return static_cast<State>(value); }

// Without the values, which come next; none if the operation tells nothing.
std::optional<Move> moveOf(const Operation& operation) {
  const bool unknown = operation.outcome == Outcome::kUnknown || operation.returned == kNever;
  const bool refused = operation.outcome == Outcome::kRefused && !unknown;
  Move move;
  move.mayBeLost = unknown;
  move.invoked = operation.invoked;
  move.returned = unknown ? kNever : operation.returned;
  move.a = stateOf(operation.value);
  switch (operation.kind) {
    case RegisterKind::kRead:
      if (unknown || refused) return std::nullopt;
      move.effect = Effect::kObserve;
      return move;
    case RegisterKind::kWrite:
      if (refused) return std::nullopt;
      move.effect = Effect::kSet;
      return move;
    case RegisterKind::kCas:
      move.effect = refused ? Effect::kObserveOther : Effect::kSwap;
      move.a = stateOf(operation.expected);
      move.b = stateOf(operation.value);
      return move;
  }
  return std::nullopt;
}

void sortUnique(std::vector<State>& states) {
  std::sort(states.begin(), states.end());
  states.erase(std::unique(states.begin(), states.end()), states.end());
}

}  // namespace

void poseRegister(std::span<const Operation> history, Value initial, Problem& problem) {
  problem.moves.clear();
  problem.states.clear();
  problem.prefixes.reset();
  for (uint32_t i = 0; i < history.size(); ++i) {
    std::optional<Move> move = moveOf(history[i]);
    if (!move) continue;
    move->origin = i;
    problem.moves.push_back(*move);
    if (move->effect != Effect::kSet) problem.states.push_back(move->a);
  }
  // Values that no operation looks for are all the same to everybody: one state.
  sortUnique(problem.states);
  const std::span<const State> sought(problem.states);
  State other = 0;
  while (std::binary_search(sought.begin(), sought.end(), other)) ++other;
  const auto seen = [&](State state) {
    return std::binary_search(sought.begin(), sought.end(), state) ? state : other;
  };
  for (Move& move : problem.moves) {
    move.a = seen(move.a);
    move.b = seen(move.b);
  }
  problem.start = seen(stateOf(initial));
  problem.states.push_back(other);
}

void poseKey(std::span<const KeyValueOperation> history, std::span<const uint32_t> indices,
             Problem& problem) {
  problem.moves.clear();
  problem.states.clear();
  std::vector<std::string_view> read;
  for (const uint32_t i : indices) {
    const KeyValueOperation& operation = history[i];
    const bool unknown = operation.outcome == Outcome::kUnknown || operation.returned == kNever;
    const bool looks = operation.kind == KeyValueKind::kGet;
    if (operation.outcome == Outcome::kRefused || (looks && unknown)) continue;
    if (looks) read.push_back(operation.value);
    Move move;
    move.effect = looks                                       ? Effect::kObserve
                  : operation.kind == KeyValueKind::kPut ? Effect::kSet
                                                         : Effect::kAppend;
    move.mayBeLost = unknown;
    move.origin = i;
    move.text = operation.value;
    move.invoked = operation.invoked;
    move.returned = unknown ? kNever : operation.returned;
    problem.moves.push_back(move);
  }
  problem.prefixes.emplace(std::move(read));
  problem.start = problem.prefixes->of("");
  for (Move& move : problem.moves) {
    if (move.effect != Effect::kAppend) move.a = problem.prefixes->of(move.text);
  }
}

}  // namespace keyhaul::sim
