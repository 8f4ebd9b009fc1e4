#include "skew.h"

#include "keyhaul/checksum.h"
#include "keyhaul/journal.h"

namespace keyhaul::sim {
namespace {

constexpr size_t kVersionAt = 4;  // behind the magic, in both
constexpr size_t kJournalCrcAt = kJournalHeaderBytes - 4;

std::string withLaterVersion(std::string_view bytes, size_t crcAt) {
  std::string later(bytes);
  ++later[kVersionAt];
  const uint32_t crc = crc32c(std::string_view(later).substr(0, crcAt));
  for (size_t i = 0; i < 4; ++i) later[crcAt + i] = static_cast<char>(crc >> (8 * i));
  return later;
}

}  // namespace

std::string asLaterJournal(std::string_view journal) { return withLaterVersion(journal, kJournalCrcAt); }
std::string asLaterRecord(std::string_view record) { return withLaterVersion(record, record.size() - 4); }

}  // namespace keyhaul::sim
