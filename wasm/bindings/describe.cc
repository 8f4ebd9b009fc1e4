// Journals as lines for people, which the `.` entry has no part in.
#include <emscripten/bind.h>

#include "handles.h"
#include "keyhaul/journal.h"

namespace keyhaul {
namespace {

void describe(uint32_t address, uint32_t bytes) {
  boundary::text() = describeJournal(boundary::memory(address, bytes));
}

}  // namespace

EMSCRIPTEN_BINDINGS(keyhaul_describe) { emscripten::function("describeJournal", &describe); }

}  // namespace keyhaul
