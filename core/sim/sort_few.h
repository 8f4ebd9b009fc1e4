// A stable sort of a few: the library's are two to seven kilobytes of code for each kind of element, in a module that a
// page loads.
#pragma once

#include <utility>

namespace keyhaul::sim {

// By insertion: not for what somebody else may make long.
template <class Iterator, class Less>
void stableSortFew(Iterator first, Iterator last, Less less) {
  for (Iterator next = first; next != last; ++next) {
    auto moved = std::move(*next);
    Iterator at = next;
    for (; at != first && less(moved, *(at - 1)); --at) *at = std::move(*(at - 1));
    *at = std::move(moved);
  }
}

}  // namespace keyhaul::sim
