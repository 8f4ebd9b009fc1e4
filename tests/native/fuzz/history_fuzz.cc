// Hostile histories: whatever the bytes are, there is an error, or a verdict; one that is not
// linearizable has a witness that can be printed.
#include <cstdlib>
#include <string_view>

#include "linearize/check_text.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  keyhaul::sim::CheckOptions options;
  options.stepsMax = 2'000;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const keyhaul::sim::TextVerdict verdict = keyhaul::sim::checkText(text, options);
  const bool wrong = verdict.answer == keyhaul::sim::Answer::kNotLinearizable;
  if (verdict.error.empty() && wrong == verdict.witness.empty()) std::abort();
  for (const std::string& said : {verdict.error, verdict.witness}) {
    if (said.find('\x1B') != std::string::npos) std::abort();
  }
  return 0;
}
