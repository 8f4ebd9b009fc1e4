// Key and value, each padded with zeros to 16 bytes, form one message. Level 1 is
// NH over blocks of 1 KiB (Black, Halevi, Krawczyk, Krovetz, Rogaway: "UMAC",
// CRYPTO 1999), two passes with the key moved on by 16 bytes. Messages of more
// than one block go on through a polynomial modulo 2^61-1 a pass. Lengths and two
// more key words go into a keyed finaliser. README.md says what that proves.
#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "base/rolled.h"
#include "digest/chacha20.h"
#include "digest/nh.h"
#include "keyhaul/digest.h"

namespace keyhaul {
namespace {

constexpr uint64_t kPrime61 = (uint64_t{1} << 61) - 1;

uint64_t multiplyMod61(uint64_t a, uint64_t b) {
  const unsigned __int128 product = static_cast<unsigned __int128>(a) * b;
  uint64_t sum = (static_cast<uint64_t>(product) & kPrime61) + static_cast<uint64_t>(product >> 61);
  if (sum >= kPrime61) sum -= kPrime61;
  return sum;
}

uint64_t polynomialStep(uint64_t sum, uint64_t point, uint64_t word) {
  for (const uint64_t half : {word & 0xFFFFFFFFU, word >> 32}) {
    sum = multiplyMod61(sum, point) + half;
    if (sum >= kPrime61) sum -= kPrime61;
  }
  return sum;
}

// Stafford's thirteenth variant of the 64-bit finaliser of MurmurHash3.
uint64_t scramble(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31);
}

// NH of a block, as far as it was taken in; `key` goes along.
struct Block {
  NhVector first = nhZero(), second = nhZero();
  const uint64_t* key;
};

// In the module, where a call is cheap and each copy of this is a tenth of a kilobyte, it is one.
#ifdef __EMSCRIPTEN__
[[gnu::noinline]]
#else
inline
#endif
// Takes bytes in, padded to whole vectors. Precondition: the block has room.
void takeIn(std::string_view bytes, Block& block) {
  const char* data = bytes.data();
  size_t left = bytes.size();
  const uint64_t* key = block.key;
  NhVector first = block.first, second = block.second, firstKey = nhLoad(key);
  const auto take = [&](NhVector message) {
    const NhVector secondKey = nhLoad(key += 2);
    first = nhAdd(first, message, firstKey);
    second = nhAdd(second, message, secondKey);
    firstKey = secondKey;
  };
  KEYHAUL_ROLLED
  for (; left >= 16; left -= 16, data += 16) take(nhLoad(data));
  if (left > 0) take(nhLoadPart(data, left));
  block = {first, second, key};
}

}  // namespace

struct EntryHasher::State {
  Block block;
  bool many = false;  // more than one block
  uint64_t firstSum = 1, secondSum = 1;
};

EntryHasher::EntryHasher(const DigestKey& key) {
  size_t taken = 16;
  uint32_t counter = 0;
  std::array<uint32_t, 16> block{};
  const auto next = [&] {
    if (taken == 16) {
      block = chacha20Block(key, counter++, {0x6B656179, 0x6861756C, 0x31});
      taken = 0;
    }
    const uint64_t low = block[taken++];
    return low | uint64_t{block[taken++]} << 32;
  };
  for (uint64_t& word : words_) word = next();
  for (uint64_t& word : mix_) word = next();
  mix_[0] %= kPrime61;
  mix_[1] %= kPrime61;
}

void EntryHasher::absorb(State& state, std::string_view bytes) const {
  const uint64_t* end = words_.data() + kBlockWords;
  while (!bytes.empty()) {
    Block& block = state.block;
    if (block.key == end) {
      state.firstSum = polynomialStep(state.firstSum, mix_[0], nhSum(block.first));
      state.secondSum = polynomialStep(state.secondSum, mix_[1], nhSum(block.second));
      block = {nhZero(), nhZero(), words_.data()};
      state.many = true;
    }
    const size_t part = std::min(bytes.size(), static_cast<size_t>(end - block.key) * 8);
    takeIn(bytes.substr(0, part), block);
    bytes.remove_prefix(part);
  }
}

[[gnu::noinline]] void EntryHasher::hashLong(std::string_view key, std::string_view value,
                                             uint64_t& first, uint64_t& second) const {
  State state{{nhZero(), nhZero(), words_.data()}};
  absorb(state, key);
  absorb(state, value);
  first = nhSum(state.block.first);
  second = nhSum(state.block.second);
  if (!state.many) return;
  first = polynomialStep(state.firstSum, mix_[0], first);
  second = polynomialStep(state.secondSum, mix_[1], second);
}

Digest EntryHasher::hash(std::string_view key, std::string_view value) const {
  uint64_t first = 0, second = 0;
  if (((key.size() + 15) & ~size_t{15}) + value.size() <= kBlockWords * 8) {
    // One block, as most entries are, needs none of the bookkeeping.
    Block block{nhZero(), nhZero(), words_.data()};
    takeIn(key, block);
    takeIn(value, block);
    first = nhSum(block.first);
    second = nhSum(block.second);
  } else {
    hashLong(key, value, first, second);
  }
  const uint64_t lengths = (uint64_t{key.size()} << 32) ^ value.size();
  const uint64_t a = scramble(first + mix_[2] + scramble(lengths ^ mix_[4]));
  const uint64_t b = scramble(second + mix_[3] + scramble(lengths ^ mix_[5]));
  // Both halves of the result depend on both passes.
  return {scramble(a ^ (b + mix_[6])), scramble(b ^ (a + mix_[7])), 1, key.size() + value.size()};
}

}  // namespace keyhaul
