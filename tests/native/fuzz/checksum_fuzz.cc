// Every kernel gives one answer: that of the definition, bit by bit, for any bytes, any
// alignment, any register to begin with and any split.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "checksum/kernels.h"
#include "keyhaul/checksum.h"

namespace {

using keyhaul::ChecksumKind;
using Bytes = std::span<const std::byte>;

uint32_t bitwise(ChecksumKind kind, Bytes bytes, uint32_t initial) {
  const uint32_t polynomial = kind == ChecksumKind::kCrc32 ? 0xEDB88320U : 0x82F63B78U;
  uint32_t crc = ~initial;
  for (const std::byte byte : bytes) {
    crc ^= static_cast<uint32_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? polynomial : 0U);
  }
  return ~crc;
}

// By the kernel that writes over its message.
uint32_t inPlace(ChecksumKind kind, Bytes bytes, uint32_t initial) {
  std::vector<std::byte> memory(keyhaul::kSparseRoom + bytes.size() + 16);
  std::byte* const message = memory.data() + keyhaul::kSparseRoom;
  std::copy(bytes.begin(), bytes.end(), message);
  const auto run = kind == ChecksumKind::kCrc32 ? keyhaul::crc32SparseInPlace
                                                : keyhaul::crc32cSparseInPlace;
  return ~run(~initial, message, bytes.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 10) return 0;
  uint32_t initial = 0, split = 0;
  std::memcpy(&initial, data, 4);
  std::memcpy(&split, data + 4, 4);
  // The last bytes again and again: the fuzzer's inputs are short, the kernels' windows are not.
  const size_t repeats = data[8], offset = data[9] % 16;
  std::vector<std::byte> memory(offset);
  for (size_t i = 0; i <= repeats && memory.size() < 40'000; ++i) {
    const auto* from = reinterpret_cast<const std::byte*>(data + 10);
    memory.insert(memory.end(), from, from + (size - 10));
  }
  memory.shrink_to_fit();  // so that a byte read behind the end is seen
  const Bytes bytes = Bytes(memory).subspan(offset);
  const size_t at = split % (bytes.size() + 1);
  for (const ChecksumKind kind : {ChecksumKind::kCrc32, ChecksumKind::kCrc32c}) {
    const uint32_t expected = bitwise(kind, bytes, initial);
    if (keyhaul::forceChecksumKernel("sparse").ok() && inPlace(kind, bytes, initial) != expected) std::abort();
    for (const char* name : {"portable", "sparse", "sse42", "pclmul", "vpclmul256", "vpclmul512", "armv8", "auto"}) {
      if (!keyhaul::forceChecksumKernel(name).ok()) continue;
      if (keyhaul::checksum(kind, bytes, initial) != expected) std::abort();
      const uint32_t first = keyhaul::checksum(kind, bytes.first(at), initial);
      if (keyhaul::checksum(kind, bytes.subspan(at), first) != expected) std::abort();
    }
  }
  return 0;
}
