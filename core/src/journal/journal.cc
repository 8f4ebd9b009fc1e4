#include <string>

#include "base/assert.h"
#include "base/bytes.h"
#include "journal/codec.h"
#include "keyhaul/checksum.h"
#include "keyhaul/journal.h"

namespace keyhaul {
namespace {

// A header check of its own, so that a damaged length is found before it is used.
uint16_t headerCheck(std::string_view header, uint32_t chain) {
  return static_cast<uint16_t>(crc32c(header.substr(0, 6), chain));
}

// Where the zeros begin that reach to the end: a file that was made longer before all of its
// bytes arrived ends in them.
size_t zerosFrom(std::span<const std::byte> bytes) {
  size_t from = bytes.size();
  while (from > 0 && bytes[from - 1] == std::byte{0}) --from;
  return from;
}

std::string fileHeader() {
  std::string header(kJournalHeaderBytes, '\0');
  storeLe(header.data(), kJournalMagic);
  storeLe(header.data() + 4, kJournalVersion);
  storeLe(header.data() + 6, static_cast<uint16_t>(kJournalHeaderBytes));
  storeLe(header.data() + 12, crc32c(std::string_view(header).substr(0, 12)));
  return header;
}

// Nothing but the begin of a header, and zeros: no record can have been promised.
bool neverBegan(std::span<const std::byte> bytes) {
  const size_t arrived = zerosFrom(bytes);
  return arrived < kJournalHeaderBytes && asView(bytes.first(arrived)) == fileHeader().substr(0, arrived);
}

}  // namespace

template <typename R>
void JournalWriter::append(const R& record, std::string& out) {
  const size_t at = begin(out);
  encodePayload(record, out);
  seal(recordType<R>(), at, out);
}
#define KEYHAUL_APPENDS(R) template void JournalWriter::append(const R&, std::string&);
KEYHAUL_RECORDS(KEYHAUL_APPENDS)
#undef KEYHAUL_APPENDS

void JournalWriter::append(const Record& record, std::string& out) {
  std::visit([&](const auto& each) { append(each, out); }, record);
}

size_t JournalWriter::begin(std::string& out) {
  if (!headerWritten_) {
    const std::string header = fileHeader();
    chain_ = loadLe<uint32_t>(header.data() + 12);
    out += header;
    headerWritten_ = true;
  }
  const size_t at = out.size();
  out.append("\0\0\0\0\0\0\0\0\0\0\0", kRecordHeaderBytes);
  return at;
}

// Where it stands: a payload that was encoded elsewhere first would be memory asked for with each record.
void JournalWriter::seal(uint8_t type, size_t at, std::string& out) {
  char* const header = out.data() + at;
  const std::string_view payload(header + kRecordHeaderBytes, out.size() - at - kRecordHeaderBytes);
  KH_ASSERT(payload.size() <= kRecordBytesMax);
  storeLe(header, static_cast<uint32_t>(payload.size()));
  storeLe(header + 4, type);
  storeLe(header + 6, headerCheck({header, kRecordHeaderBytes}, chain_));
  chain_ = crc32c(payload, crc32c(std::string_view(header, 8), chain_));
  storeLe(header + 8, chain_);
}

Result<JournalReader> JournalReader::open(std::span<const std::byte> bytes) {
  if (neverBegan(bytes)) return ErrorCode::kJournalTorn;
  const size_t known = bytes.size() < 4 ? bytes.size() : 4;
  std::byte magic[4];
  storeLe(magic, kJournalMagic);
  if (known > 0 && std::memcmp(bytes.data(), magic, known) != 0) return ErrorCode::kJournalNotAJournal;
  if (bytes.size() < kJournalHeaderBytes) return ErrorCode::kJournalTorn;
  const auto crc = loadLe<uint32_t>(bytes.data() + 12);
  if (crc != crc32c(bytes.first(12))) return ErrorCode::kJournalCorrupt;
  if (loadLe<uint16_t>(bytes.data() + 4) != kJournalVersion ||
      loadLe<uint16_t>(bytes.data() + 6) != kJournalHeaderBytes ||
      loadLe<uint32_t>(bytes.data() + 8) != 0) {
    return ErrorCode::kJournalVersion;
  }
  JournalReader reader(bytes);
  reader.offset_ = kJournalHeaderBytes;
  reader.chain_ = crc;
  return reader;
}

Result<std::optional<Record>> JournalReader::next() {
  std::optional<Record> record(std::in_place);
  const Result<bool> more = next(*record);
  if (!more.ok()) return more.code();
  if (!more.value()) record.reset();
  return record;
}

Result<bool> JournalReader::next(Record& into) {
  const std::span<const std::byte> rest = bytes_.subspan(static_cast<size_t>(offset_));
  if (rest.empty()) return false;
  if (rest.size() < kRecordHeaderBytes) return ErrorCode::kJournalTorn;
  const std::string_view header = asView(rest.first(kRecordHeaderBytes));
  if (loadLe<uint16_t>(header.data() + 6) != headerCheck(header, chain_)) {
    return zerosFrom(rest) < kRecordHeaderBytes ? ErrorCode::kJournalTorn
                                                : ErrorCode::kJournalCorrupt;
  }
  const auto payloadBytes = loadLe<uint32_t>(header.data());
  const auto type = static_cast<uint8_t>(header[4]);
  if (payloadBytes > kRecordBytesMax) return ErrorCode::kJournalCorrupt;
  if (payloadBytes > rest.size() - kRecordHeaderBytes) return ErrorCode::kJournalTorn;
  const std::string_view payload = asView(rest.subspan(kRecordHeaderBytes, payloadBytes));
  const uint32_t chain = crc32c(payload, crc32c(header.substr(0, 8), chain_));
  if (chain != loadLe<uint32_t>(header.data() + 8)) {
    const size_t end = kRecordHeaderBytes + size_t{payloadBytes};
    const bool torn = rest.size() == end || zerosFrom(rest) < end;
    return torn ? ErrorCode::kJournalTorn : ErrorCode::kJournalCorrupt;
  }
  if (type == 0 || type > kRecordTypes || header[5] != 0) return ErrorCode::kJournalVersion;
  if (!decodePayload(type, payload, into)) return ErrorCode::kJournalCorrupt;
  offset_ += kRecordHeaderBytes + uint64_t{payloadBytes};
  chain_ = chain;
  return true;
}

}  // namespace keyhaul
