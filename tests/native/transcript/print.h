// What the engine says, for people.
#pragma once

#include <string>
#include <string_view>

#include "keyhaul/engine.h"
#include "keyhaul/journal.h"

namespace keyhaul::transcript {

// "checkpoint range 0 below d\0, 4 entries"
std::string recordText(const Record& record);
std::string viewText(const MigrationView& view);
// Every member that is not zero; the digests on lines of their own.
std::string receiptText(const Receipt& receipt);

}  // namespace keyhaul::transcript
