// The whole of it: text in, verdict and witness as text out. What the command and the WASM
// module share.
#pragma once

#include <string>
#include <string_view>

#include "linearize/linearize.h"

namespace keyhaul::sim {

struct TextVerdict {
  // "line 3: expected …" where the text is no history; then nothing else counts.
  std::string error;
  Answer answer = Answer::kUnknown;
  // Of what is not linearizable.
  std::string witness;
  uint64_t steps = 0;
};

TextVerdict checkText(std::string_view text, const CheckOptions& options = {});

// "linearizable", "not linearizable" or "unknown".
std::string_view answerName(Answer answer);

}  // namespace keyhaul::sim
