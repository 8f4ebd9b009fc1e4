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
const Scenario* findScenario(std::string_view name);

}  // namespace keyhaul::sim
