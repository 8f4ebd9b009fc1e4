// Scenarios: what is moved, from where to where, and who writes meanwhile.
#pragma once

#include <span>
#include <string_view>

namespace keyhaul::sim {

class World;

struct Scenario {
  std::string_view name, what;
  void (*build)(World& world);
};

std::span<const Scenario> scenarios();
// Does it move ranges while clients write?
constexpr bool isLive(std::string_view scenario) { return scenario.substr(0, 4) == "live"; }
const Scenario* findScenario(std::string_view name);

}  // namespace keyhaul::sim
