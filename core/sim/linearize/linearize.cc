#include "linearize/linearize.h"

#include <algorithm>

#include "linearize/explain.h"
#include "linearize/problem.h"

namespace keyhaul::sim {
namespace {

// Almost every history is gone through at once. Where one is not, it is either wrong by what can
// be seen nearby, or hard; only then everything has to be tried.
SearchResult solve(Workspace& work, const CheckOptions& options) {
  const Problem& problem = work.problem;
  const Prefixes* prefixes = problem.prefixes ? &*problem.prefixes : nullptr;
  const std::span<const State> start(&problem.start, 1);
  const uint64_t soon = std::min<uint64_t>(options.stepsMax, 1000 + problem.moves.size() * 4);
  SearchResult result = work.search.run(problem.moves, start, prefixes, soon);
  if (result.answer != Answer::kUnknown || soon == options.stepsMax) return result;
  if (Explainer(work.search, problem, options.stepsMax).refutes(result.stuck)) {
    result.answer = Answer::kNotLinearizable;
    return result;
  }
  const uint64_t before = result.steps;
  result = work.search.run(problem.moves, start, prefixes, options.stepsMax - before);
  result.steps += before;
  return result;
}

}  // namespace

LinearizabilityChecker::LinearizabilityChecker() : work_(std::make_unique<Workspace>()) {}
LinearizabilityChecker::~LinearizabilityChecker() = default;
LinearizabilityChecker::LinearizabilityChecker(LinearizabilityChecker&&) noexcept = default;
LinearizabilityChecker& LinearizabilityChecker::operator=(LinearizabilityChecker&&) noexcept =
    default;

Verdict LinearizabilityChecker::checkRegister(std::span<const Operation> history,
                                              const CheckOptions& options) {
  poseRegister(history, options.initial, work_->problem);
  const SearchResult result = solve(*work_, options);
  Verdict verdict{result.answer, std::nullopt, result.steps};
  if (result.answer == Answer::kNotLinearizable && options.wantWitness) {
    verdict.witness =
        Explainer(work_->search, work_->problem, options.stepsMax).explain(result.stuck);
  }
  return verdict;
}

Verdict LinearizabilityChecker::checkKeyValue(std::span<const KeyValueOperation> history,
                                              const CheckOptions& options) {
  std::vector<uint32_t> order(history.size());
  for (uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t x, uint32_t y) { return history[x].key < history[y].key; });
  Verdict verdict;
  // The key that goes wrong first, and where.
  std::span<const uint32_t> wrong;
  uint32_t stuck = 0;
  Moment when = kNever;
  for (std::span<const uint32_t> rest(order); !rest.empty();) {
    const auto next = std::find_if(rest.begin(), rest.end(), [&](uint32_t i) {
      return history[i].key != history[rest[0]].key;
    });
    const auto key = rest.first(static_cast<size_t>(next - rest.begin()));
    rest = rest.subspan(key.size());
    poseKey(history, key, work_->problem);
    const SearchResult result = solve(*work_, options);
    verdict.steps += result.steps;
    if (result.answer == Answer::kLinearizable) continue;
    if (verdict.answer != Answer::kNotLinearizable) verdict.answer = result.answer;
    if (result.answer == Answer::kUnknown || work_->problem.moves[result.stuck].returned >= when) {
      continue;
    }
    wrong = key;
    stuck = result.stuck;
    when = work_->problem.moves[stuck].returned;
  }
  if (options.wantWitness && !wrong.empty()) {
    poseKey(history, wrong, work_->problem);
    verdict.witness = Explainer(work_->search, work_->problem, options.stepsMax).explain(stuck);
  }
  return verdict;
}

Verdict checkRegister(std::span<const Operation> history, const CheckOptions& options) {
  return LinearizabilityChecker().checkRegister(history, options);
}

Verdict checkKeyValue(std::span<const KeyValueOperation> history, const CheckOptions& options) {
  return LinearizabilityChecker().checkKeyValue(history, options);
}

}  // namespace keyhaul::sim
