// The checker across the boundary: bytes in, a number and a text out. Only numbers cross by
// Embind, as in the first module.
#include <emscripten/bind.h>

#include <cstdlib>
#include <string>
#include <utility>

#include "linearize/check_text.h"
#include "text.h"

namespace keyhaul::sim {
namespace {

// The answer as it is numbered in linearize.h, or -1 where the text is no history.
double checkHistory(uint32_t address, uint32_t bytes) {
  const auto* history = reinterpret_cast<const char*>(static_cast<uintptr_t>(address));
  TextVerdict verdict = checkText({history, bytes});
  const bool isHistory = verdict.error.empty();
  leftText() = isHistory ? std::move(verdict.witness) : std::move(verdict.error);
  return isHistory ? static_cast<double>(verdict.answer) : -1;
}

uint32_t allocate(uint32_t bytes) { return addressOf(std::malloc(bytes)); }
void deallocate(uint32_t address) {
  std::free(reinterpret_cast<void*>(static_cast<uintptr_t>(address)));
}
uint32_t textAddress() { return addressOf(leftText().data()); }
uint32_t textBytes() { return static_cast<uint32_t>(leftText().size()); }

}  // namespace

std::string& leftText() {
  static std::string text;
  return text;
}

EMSCRIPTEN_BINDINGS(keyhaul_sim) {
  emscripten::function("checkHistory", &checkHistory);
  emscripten::function("allocate", &allocate);
  emscripten::function("deallocate", &deallocate);
  emscripten::function("textAddress", &textAddress);
  emscripten::function("textBytes", &textBytes);
}

}  // namespace keyhaul::sim
