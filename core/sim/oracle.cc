#include "oracle.h"

#include <utility>

#include "world.h"

namespace keyhaul::sim {

void Oracle::violated(std::string text, std::string_view key) {
  world_.violated(name(), std::move(text), key);
}

}  // namespace keyhaul::sim
