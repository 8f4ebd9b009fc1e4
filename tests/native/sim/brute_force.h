// Linearizability by its definition: every order there is, for histories of a few operations.
// Shares nothing with the checker.
#pragma once

#include <optional>
#include <vector>

#include "linearize/history.h"

namespace keyhaul::test {

inline bool noAnswer(const auto& operation) {
  return operation.outcome == sim::Outcome::kUnknown || operation.returned == sim::kNever;
}

// `apply(operation, state)` gives the state after it, or nothing if it cannot be next.
template <typename Op, typename State, typename Apply>
class BruteForce {
 public:
  BruteForce(const std::vector<Op>& history, Apply apply)
      : history_(history), apply_(apply), placed_(history.size(), false) {}

  bool linearizable(const State& state) {
    bool over = true;
    for (size_t i = 0; i < history_.size(); ++i) over = over && (placed_[i] || noAnswer(history_[i]));
    if (over) return true;
    for (size_t i = 0; i < history_.size(); ++i) {
      if (placed_[i] || !mayBeNext(i)) continue;
      const std::optional<State> after = apply_(history_[i], state);
      if (!after) continue;
      placed_[i] = true;
      const bool found = linearizable(*after);
      placed_[i] = false;
      if (found) return true;
    }
    return false;
  }

 private:
  // Nothing that is still to come was over when it began.
  bool mayBeNext(size_t i) const {
    for (size_t j = 0; j < history_.size(); ++j) {
      if (j != i && !placed_[j] && !noAnswer(history_[j]) &&
          history_[j].returned < history_[i].invoked) {
        return false;
      }
    }
    return true;
  }

  const std::vector<Op>& history_;
  Apply apply_;
  std::vector<bool> placed_;
};

inline std::optional<sim::Value> applyToRegister(const sim::Operation& op, sim::Value held) {
  const bool silent = noAnswer(op);
  const bool refused = !silent && op.outcome == sim::Outcome::kRefused;
  switch (op.kind) {
    case sim::RegisterKind::kRead:
      if (silent || refused || op.value == held) return held;
      return std::nullopt;
    case sim::RegisterKind::kWrite:
      return refused ? held : op.value;
    case sim::RegisterKind::kCas:
      if (refused) return held == op.expected ? std::nullopt : std::optional(held);
      if (held == op.expected) return op.value;
      return silent ? std::optional(held) : std::nullopt;
  }
  return std::nullopt;
}

inline std::optional<std::string> applyToKey(const sim::KeyValueOperation& op,
                                             const std::string& held) {
  const bool silent = noAnswer(op);
  const bool refused = !silent && op.outcome == sim::Outcome::kRefused;
  switch (op.kind) {
    case sim::KeyValueKind::kGet:
      if (silent || refused || op.value == held) return held;
      return std::nullopt;
    case sim::KeyValueKind::kPut:
      return refused ? held : op.value;
    case sim::KeyValueKind::kAppend:
      return refused ? held : held + op.value;
  }
  return std::nullopt;
}

inline bool bruteRegister(const std::vector<sim::Operation>& history, sim::Value initial) {
  return BruteForce<sim::Operation, sim::Value, decltype(&applyToRegister)>(history, applyToRegister)
      .linearizable(initial);
}

inline bool bruteKey(const std::vector<sim::KeyValueOperation>& history) {
  return BruteForce<sim::KeyValueOperation, std::string, decltype(&applyToKey)>(history, applyToKey)
      .linearizable("");
}

}  // namespace keyhaul::test
