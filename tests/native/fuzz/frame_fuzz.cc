// Hostile frames: whatever the bytes are, the answer is a view whose every entry
// lies inside them, or an error.
#include <cstdlib>
#include <string>

#include "keyhaul/frame.h"

namespace {

uint64_t walk(const keyhaul::FrameView& view, const uint8_t* data, size_t size) {
  uint64_t sum = 0;
  for (const keyhaul::EntryView entry : view) {
    for (const std::string_view part : {entry.key, entry.value}) {
      if (part.empty()) continue;
      const auto* begin = reinterpret_cast<const uint8_t*>(part.data());
      if (begin < data || begin + part.size() > data + size) std::abort();
      sum += begin[0] + begin[part.size() - 1];
    }
  }
  return sum;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const std::byte> bytes(reinterpret_cast<const std::byte*>(data), size);
  if (const auto frame = keyhaul::readFrame(bytes); frame.ok()) walk(frame.value(), data, size);
  if (size < 4) return 0;
  // As a page that a host has just packed; then it is sealed and must read back.
  const uint32_t count = static_cast<uint32_t>(data[0]) | static_cast<uint32_t>(data[1]) << 8;
  const auto body = keyhaul::viewBody(bytes, count);
  if (!body.ok()) return 0;
  walk(body.value(), data, size);
  std::string copy(reinterpret_cast<const char*>(data), size);
  const std::span<std::byte> sealed(reinterpret_cast<std::byte*>(copy.data()), size);
  keyhaul::FrameHeader header = body->header();
  header.checksumKind = keyhaul::ChecksumKind::kCrc32c;
  keyhaul::sealFrame(sealed, header);
  if (!keyhaul::readFrame(sealed).ok()) std::abort();
  return 0;
}
