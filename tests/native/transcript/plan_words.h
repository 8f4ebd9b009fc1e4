// A plan as the words of a start command.
#pragma once

#include <span>
#include <string>

#include "keyhaul/plan.h"

namespace keyhaul::transcript {

void applyPlanWords(std::span<const std::string> words, Plan& plan);

}  // namespace keyhaul::transcript
