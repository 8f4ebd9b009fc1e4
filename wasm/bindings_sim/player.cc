// A run that can be watched, across the boundary. One player a module: who wants two makes two
// modules, and a copy of the memory is a copy of the world.
#include <emscripten/bind.h>

#include <memory>
#include <utility>

#include "options.h"
#include "player.h"
#include "scenario.h"
#include "text.h"

namespace keyhaul::sim {
namespace {

std::unique_ptr<Player>& player() {
  static std::unique_ptr<Player> only;
  return only;
}

uint64_t whole(double value) {
  return value >= 18446744073709551615.0 ? UINT64_MAX : static_cast<uint64_t>(value);
}

// The arguments of the command, each with a zero byte at its end. 0: the text says what was wrong.
uint32_t playerOpen(uint32_t address, uint32_t bytes) {
  const auto command = parseCommand(argumentsAt(address, bytes), leftText());
  if (!command) return 0;
  if (findScenario(command->options.scenario) == nullptr) {
    leftText() = "there is no scenario " + command->options.scenario;
    return 0;
  }
  player().reset();
  player() = std::make_unique<Player>(command->options);
  return 1;
}

double playerAdvance(double untilUs, double untilEvent, double most) {
  return static_cast<double>(player()->advance(whole(untilUs), whole(untilEvent), whole(most)));
}

uint32_t playerEnded() { return player()->ended() ? 1 : 0; }

// One or more as --do has them. 0: not understood.
uint32_t playerIntervene(uint32_t address, uint32_t bytes) {
  const auto* text = reinterpret_cast<const char*>(static_cast<uintptr_t>(address));
  const auto all = parseInterventions({text, bytes});
  if (!all) return 0;
  for (const Intervention& one : *all) player()->intervene(one);
  return 1;
}

void playerView() { leftText() = player()->view(); }
void playerMarks(uint32_t from) { leftText() = player()->marks(from); }
void playerRows() { leftText() = player()->rows(); }
void playerColumn() { leftText() = player()->column(); }
void playerReport() { leftText() = player()->report(); }

}  // namespace

EMSCRIPTEN_BINDINGS(keyhaul_sim_player) {
  emscripten::function("playerOpen", &playerOpen);
  emscripten::function("playerAdvance", &playerAdvance);
  emscripten::function("playerEnded", &playerEnded);
  emscripten::function("playerIntervene", &playerIntervene);
  emscripten::function("playerView", &playerView);
  emscripten::function("playerMarks", &playerMarks);
  emscripten::function("playerRows", &playerRows);
  emscripten::function("playerColumn", &playerColumn);
  emscripten::function("playerReport", &playerReport);
}

}  // namespace keyhaul::sim
