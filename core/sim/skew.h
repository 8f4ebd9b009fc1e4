// What a process of this version finds where one of a later version has written: the same bytes under a
// version number that it does not know, and whole.
#pragma once

#include <string>
#include <string_view>

namespace keyhaul::sim {

// Of a journal whose header is whole.
std::string asLaterJournal(std::string_view journal);
// Of a gate's record, or of another document that ends in its checksum.
std::string asLaterRecord(std::string_view record);

}  // namespace keyhaul::sim
