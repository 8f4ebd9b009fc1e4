// Scenarios: what is moved, from where to where, and who writes meanwhile.
#pragma once

#include <span>
#include <string_view>

namespace keyhaul::sim {

class World;

struct Scenario {
  std::string_view name, what;
  void (*build)(World& world);
  bool live = false;  // ranges move while clients write, and have an owner
  bool shared = false;  // keys have several writers: of a copy one at each side
};

std::span<const Scenario> scenarios();
bool isLive(std::string_view name);
const Scenario* findScenario(std::string_view name);

}  // namespace keyhaul::sim
