#include "digest/chacha20.h"

#include "base/bytes.h"

namespace keyhaul {
namespace {

constexpr uint32_t rotate(uint32_t v, int by) { return (v << by) | (v >> (32 - by)); }

void quarterRound(std::array<uint32_t, 16>& s, size_t a, size_t b, size_t c, size_t d) {
  s[a] += s[b];
  s[d] = rotate(s[d] ^ s[a], 16);
  s[c] += s[d];
  s[b] = rotate(s[b] ^ s[c], 12);
  s[a] += s[b];
  s[d] = rotate(s[d] ^ s[a], 8);
  s[c] += s[d];
  s[b] = rotate(s[b] ^ s[c], 7);
}

}  // namespace

std::array<uint32_t, 16> chacha20Block(const DigestKey& key, uint32_t counter,
                                       const std::array<uint32_t, 3>& nonce) {
  std::array<uint32_t, 16> start = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
  for (size_t i = 0; i < 8; ++i) start[4 + i] = loadLe<uint32_t>(key.data() + 4 * i);
  start[12] = counter;
  for (size_t i = 0; i < 3; ++i) start[13 + i] = nonce[i];
  std::array<uint32_t, 16> state = start;
  for (int round = 0; round < 10; ++round) {
    for (size_t i = 0; i < 4; ++i) quarterRound(state, i, i + 4, i + 8, i + 12);
    for (size_t i = 0; i < 4; ++i) {
      quarterRound(state, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4);
    }
  }
  for (size_t i = 0; i < 16; ++i) state[i] += start[i];
  return state;
}

}  // namespace keyhaul
