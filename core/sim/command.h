// The command `keyhaul_sim`, but for the process around it: the same in a terminal, in the npm
// package and on a page.
#pragma once

#include <span>

#include "lists.h"
#include "options.h"

namespace keyhaul::sim {

// Exit codes: 0 no violation, 2 not understood (and `complain` is told what), 3 a violation.
int carryOut(const Command& command, const Print& print, const Print& complain);
int runCommandLine(std::span<char* const> arguments, const Print& print, const Print& complain);

}  // namespace keyhaul::sim
