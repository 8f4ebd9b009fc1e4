// The page tells the life of a key, not the witness of a history that has no order, whose sentences and drawing are a
// fortieth of its module. Linked before the library, this stands for core/sim/linearize/describe.cc.
#include "linearize/describe.h"

namespace keyhaul::sim {

std::string describeWitness(std::span<const Operation>, const Witness&, Value, std::string_view) { return {}; }

std::string describeWitness(std::span<const KeyValueOperation>, const Witness&, std::string_view) { return {}; }

}  // namespace keyhaul::sim
