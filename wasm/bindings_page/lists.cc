// What the simulator's own module has besides the player, as far as a page needs it: texts are left where the engine
// leaves them, whose `allocate`, `textAddress` and so on are those of this module, and of the command only the lists.
#include <emscripten/bind.h>

#include <utility>

#include "../bindings/handles.h"
#include "../bindings_sim/text.h"
#include "lists.h"

namespace keyhaul::sim {
namespace {

// As in bindings_sim/command.cc: 2 with the reason as text, here also for a task that is no list.
uint32_t command(uint32_t address, uint32_t bytes) {
  std::string problem = "on the page the command has its lists only", text;
  const auto asked = parseCommand(argumentsAt(address, bytes), problem);
  const bool isList = asked && printList(asked->task, [&text](std::string_view part) { text += part; });
  leftText() = std::move(isList ? text : problem);
  return isList ? 0 : 2;
}

}  // namespace

std::string& leftText() { return boundary::text(); }

EMSCRIPTEN_BINDINGS(keyhaul_page) { emscripten::function("command", &command); }

}  // namespace keyhaul::sim
