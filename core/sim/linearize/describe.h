// A witness as text: one sentence why, and the operations over time.
#pragma once

#include <span>
#include <string>

#include "linearize/history.h"
#include "linearize/linearize.h"

namespace keyhaul::sim {

// `unit` names what moments are, as in "line".
std::string describeWitness(std::span<const Operation> history, const Witness& witness,
                            Value initial, std::string_view unit);
std::string describeWitness(std::span<const KeyValueOperation> history, const Witness& witness,
                            std::string_view unit);

}  // namespace keyhaul::sim
