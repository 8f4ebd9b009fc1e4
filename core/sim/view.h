#pragma once

#include <string>

namespace keyhaul::sim {

class Watcher;
class World;

// What there is to see of a world, as JSON: js/src/sim/view.ts has its type.
std::string viewOf(const World& world, Watcher& watcher, bool ended);

}  // namespace keyhaul::sim
