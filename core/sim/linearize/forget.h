// Histories of which something was forgotten.
//
// Every step here forgets something: how an operation ended. So if what is left cannot be met,
// neither can the history. A read without its value is nothing; a refused swap may have been done.
// Dropping a write would not do: the history may well be linearizable because of it.
#pragma once

#include <span>
#include <vector>

#include "linearize/search.h"

namespace keyhaul::sim {

// Forgets how it ended. False if nothing is left of it.
bool forgetEnd(Move& move);

// The history as it was known at `now`: what had not returned then tells nothing yet.
std::vector<Move> knownAt(std::span<const Move> moves, Moment now);

// What is left of a history if anything may have gone before `cut`. What ran across it may
// have taken effect before, so its end is forgotten.
std::vector<Move> since(std::span<const Move> moves, Moment cut);

// All moments at which something that must take effect returned, from `from` on.
std::vector<Moment> returns(std::span<const Move> moves, Moment from);

}  // namespace keyhaul::sim
