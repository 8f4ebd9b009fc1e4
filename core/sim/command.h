// The command `keyhaul_sim`, but for the process around it.
#pragma once

#include <functional>
#include <string_view>

#include "options.h"

namespace keyhaul::sim {

// Carries the command out, hands its lines to `print`, and gives its exit code.
int carryOut(const Command& command, const std::function<void(std::string_view)>& print);

}  // namespace keyhaul::sim
