// Somebody breaks something by hand. Part of the input of a run: equal options with equal
// interventions give equal runs, whether they were known at the start or came as it ran.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keyhaul::sim {

class World;

enum class InterventionKind : uint8_t {
#define KEYHAUL_INTERVENTION(name, text, argument, what) k##name,
#include "interventions.def"
#undef KEYHAUL_INTERVENTION
};

enum class InterventionArgument : uint8_t { kNode, kNodes, kFault, kSabotage };

struct InterventionInfo {
  std::string_view name;
  InterventionArgument argument;
  std::string_view what;
};
inline constexpr InterventionInfo kInterventionInfos[] = {
#define KEYHAUL_INTERVENTION(name, text, argument, what) \
  {text, InterventionArgument::argument, what},
#include "interventions.def"
#undef KEYHAUL_INTERVENTION
};

struct Intervention {
  // It comes after every event up to this time and before every later one.
  uint64_t timeUs = 0;
  InterventionKind kind = InterventionKind::kCrash;
  uint32_t which = 0;   // the node, the fault or the sabotage; of two nodes the first in the upper half
  uint32_t amount = 0;  // milliseconds, or per million
};

// As in "1500000:crash:2:800,2000000:rate:drop:50000,2500000:sabotage:no-dedupe": microseconds,
// name, and what it needs. In order of time.
std::optional<std::vector<Intervention>> parseInterventions(std::string_view list);

// What does not fit, such as the clock of a store, changes nothing; nor does anything but a
// sabotage once the world is healed.
void carryOut(World& world, const Intervention& intervention);

}  // namespace keyhaul::sim
