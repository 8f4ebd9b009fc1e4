// Hostile journals. The checksums are mended first in half of the cases, so that
// the decoder behind them is reached too.
#include <cstdlib>

#include "base/bytes.h"
#include "keyhaul/checksum.h"
#include "keyhaul/journal.h"

namespace {

using namespace keyhaul;

// Input as: type, two bytes of length, payload, again and again.
std::string journalOf(const uint8_t* data, size_t size) {
  std::string out;
  JournalWriter().append(ResumedRecord{1}, out);
  out.resize(kJournalHeaderBytes);
  uint32_t chain = loadLe<uint32_t>(out.data() + 12);
  while (size >= 3) {
    const size_t length = std::min<size_t>(size_t{data[1]} | size_t{data[2]} << 8, size - 3);
    char header[kRecordHeaderBytes] = {};
    storeLe(header, static_cast<uint32_t>(length));
    header[4] = static_cast<char>(data[0]);
    storeLe(header + 6, static_cast<uint16_t>(crc32c(std::string_view(header, 6), chain)));
    const std::string_view payload(reinterpret_cast<const char*>(data + 3), length);
    chain = crc32c(payload, crc32c(std::string_view(header, 8), chain));
    storeLe(header + 8, chain);
    out.append(header, sizeof header).append(payload);
    data += 3 + length;
    size -= 3 + length;
  }
  return out;
}

void read(std::string_view journal) {
  const auto image = readJournal(asBytes(journal));
  if (image.ok() && image->validBytes > journal.size()) std::abort();
  if (describeJournal(asBytes(journal)).empty()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  if (data[0] % 2 == 0) {
    read(std::string_view(reinterpret_cast<const char*>(data + 1), size - 1));
  } else {
    read(journalOf(data + 1, size - 1));
  }
  return 0;
}
