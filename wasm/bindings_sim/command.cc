// `keyhaul_sim` across the boundary: its arguments in, its text and exit code out.
#include <emscripten/bind.h>

#include <utility>

#include "command.h"
#include "text.h"

namespace keyhaul::sim {
namespace {

// Each argument ends with a zero byte. Where the exit code is 2 the text says what was wrong.
uint32_t command(uint32_t address, uint32_t bytes) {
  const auto arguments = argumentsAt(address, bytes);
  std::string text;
  const Print print = [&text](std::string_view part) { text += part; };
  const int exit = runCommandLine(arguments, print, print);
  leftText() = std::move(text);
  return static_cast<uint32_t>(exit);
}

}  // namespace

EMSCRIPTEN_BINDINGS(keyhaul_sim_command) { emscripten::function("command", &command); }

}  // namespace keyhaul::sim
