#include "oracle.h"

#include <utility>

#include "world.h"

namespace keyhaul::sim {

void Oracle::violated(Harm harm, std::string text, std::string_view key, std::string witness) {
  world_.violated(name(), std::move(text), key, harm, std::move(witness));
}

}  // namespace keyhaul::sim
