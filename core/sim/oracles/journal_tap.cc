#include "journal_tap.h"

namespace keyhaul::sim {
namespace {

uint64_t takeLe(std::string_view& bytes, size_t count) {
  uint64_t value = 0;
  for (size_t i = 0; i < count && i < bytes.size(); ++i) {
    value |= uint64_t{static_cast<uint8_t>(bytes[i])} << (8 * i);
  }
  bytes.remove_prefix(count < bytes.size() ? count : bytes.size());
  return value;
}

uint64_t takeVarint(std::string_view& bytes) {
  uint64_t value = 0;
  for (uint32_t shift = 0; !bytes.empty() && shift < 64; shift += 7) {
    const auto byte = static_cast<uint8_t>(bytes.front());
    bytes.remove_prefix(1);
    value |= uint64_t{byte & 0x7FU} << shift;
    if (byte < 0x80) break;
  }
  return value;
}

std::string takeBytes(std::string_view& bytes) {
  const uint64_t length = takeVarint(bytes);
  std::string taken(bytes.substr(0, static_cast<size_t>(length)));
  bytes.remove_prefix(taken.size());
  return taken;
}

Digest takeDigest(std::string_view& bytes) {
  Digest digest;
  for (uint64_t* part : {&digest.lo, &digest.hi, &digest.entries, &digest.bytes}) *part = takeLe(bytes, 8);
  return digest;
}

constexpr size_t kHeaderBytes = 16, kRecordHeaderBytes = 12;

}  // namespace

JournalTap::JournalTap(std::string_view bytes) : rest_(bytes) {
  if (rest_.substr(0, 4) == "KHJL") rest_.remove_prefix(kHeaderBytes);
}

bool JournalTap::next(TappedRecord& record) {
  if (rest_.size() < kRecordHeaderBytes) return false;
  std::string_view header = rest_.substr(0, kRecordHeaderBytes);
  const uint64_t length = takeLe(header, 4);
  record = {};
  record.type = static_cast<uint8_t>(header.front());
  std::string_view payload = rest_.substr(kRecordHeaderBytes, static_cast<size_t>(length));
  rest_.remove_prefix(kRecordHeaderBytes + payload.size());
  if (record.type == TappedRecord::kCheckpoint) {
    record.range = takeVarint(payload);
    record.end = takeVarint(payload) != 0;
    record.upto = takeBytes(payload);
    takeLe(payload, 8);
    takeLe(payload, 8);
    record.leafEntries = takeLe(payload, 8);
  } else if (record.type == TappedRecord::kPrepared) {
    takeVarint(payload);
    record.position = takeBytes(payload);
  } else if (record.type == TappedRecord::kFeedApplied || record.type == TappedRecord::kArmed) {
    record.position = takeBytes(payload);
  } else if (record.type == TappedRecord::kVerified) {
    takeVarint(payload);
    const bool named = (takeVarint(payload) & 4) != 0;
    if (named) record.position = takeBytes(payload);
    if (named) record.epoch = takeVarint(payload);
    record.source = takeDigest(payload);
    record.target = takeDigest(payload);
  } else if (record.type == TappedRecord::kPhase) {
    record.state = takeVarint(payload);
  } else if (record.type == TappedRecord::kClaimed) {
    takeVarint(payload);
    record.turned = (takeVarint(payload) & 4) != 0;
  }
  return true;
}

}  // namespace keyhaul::sim
