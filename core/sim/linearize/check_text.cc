#include "linearize/check_text.h"

#include "linearize/describe.h"
#include "linearize/parse.h"

namespace keyhaul::sim {

TextVerdict checkText(std::string_view text, const CheckOptions& options) {
  History history;
  TextVerdict result;
  if (const auto wrong = parseHistory(text, history)) {
    result.error = wrong->line == 0 ? "" : "line " + std::to_string(wrong->line) + ": ";
    result.error += wrong->message;
    return result;
  }
  const bool isRegister = history.kind == HistoryKind::kRegister;
  const Verdict verdict = isRegister ? checkRegister(history.registerOperations, options)
                                     : checkKeyValue(history.keyValueOperations, options);
  result.answer = verdict.answer;
  result.steps = verdict.steps;
  if (verdict.witness) {
    result.witness =
        isRegister ? describeWitness(history.registerOperations, *verdict.witness,
                                     options.initial, "line")
                   : describeWitness(history.keyValueOperations, *verdict.witness, "line");
  }
  return result;
}

std::string_view answerName(Answer answer) {
  switch (answer) {
    case Answer::kLinearizable:
      return "linearizable";
    case Answer::kNotLinearizable:
      return "not linearizable";
    case Answer::kUnknown:
      return "unknown";
  }
  return {};
}

}  // namespace keyhaul::sim
