// What there is to choose from, one name a line: apart from the command, because a page needs the lists alone.
#pragma once

#include <functional>
#include <string_view>

#include "options.h"

namespace keyhaul::sim {

using Print = std::function<void(std::string_view)>;

// False for a task that is no list; then nothing is printed.
bool printList(Command::Task task, const Print& print);

}  // namespace keyhaul::sim
