// Unpacks the module proper, which travels as an LZMA stream in base64 inside the JavaScript: a
// module of its own, because one that is compiled ahead is fast at once, where the same loop in
// JavaScript would first have to become hot. Parameters of the stream, which
// scripts/pack.mjs packs: no header, lc=1, lp=0, pb=0; the size is known.
#include <cstddef>
#include <cstdint>

#include "base64.h"
#include "merge.h"

namespace {

// Where each context keeps its probabilities of a 0, of 2048.
constexpr uint32_t kIsMatch = 0;  // 12 states
constexpr uint32_t kIsRepeat = 12;
constexpr uint32_t kIsOlder = 24;   // than the last distance
constexpr uint32_t kIsOlder1 = 36;  // than the one before
constexpr uint32_t kIsOlder2 = 48;
constexpr uint32_t kIsLong = 60;  // not a single byte at the last distance
constexpr uint32_t kLength = 72;  // 2 choices, trees of 8, 8 and 256
constexpr uint32_t kRepeatLength = kLength + 274;
constexpr uint32_t kSlot = kRepeatLength + 274;  // 4 trees of 64
constexpr uint32_t kNear = kSlot + 4 * 64;       // trees of distances below 128
constexpr uint32_t kAlign = kNear + 128;         // tree of 16
constexpr uint32_t kLiteral = kAlign + 16;       // 2 contexts of 3 trees of 256
constexpr uint32_t kProbabilities = kLiteral + 2 * 3 * 256;

uint16_t probabilities[kProbabilities];
const uint8_t* in;
uint32_t range;
uint32_t code;

void refill() {
  if (range >> 24 != 0) return;
  range <<= 8;
  code = code << 8 | *in++;
}

[[gnu::noinline]] uint32_t bit(uint32_t context) {
  uint16_t& probability = probabilities[context];
  const uint32_t p = probability;
  const uint32_t bound = (range >> 11) * p;
  const bool one = code >= bound;
  if (one) {
    range -= bound;
    code -= bound;
    probability = static_cast<uint16_t>(p - (p >> 5));
  } else {
    range = bound;
    probability = static_cast<uint16_t>(p + ((2048 - p) >> 5));
  }
  refill();
  return one ? 1 : 0;
}

// A number below `size`, a power of two, from its highest bit on.
uint32_t tree(uint32_t context, uint32_t size, uint32_t node = 1) {
  while (node < size) node = node << 1 | bit(context + node);
  return node - size;
}

uint32_t lowestFirst(uint32_t context, uint32_t bits) {
  uint32_t node = 1;
  uint32_t value = 0;
  for (uint32_t i = 0; i < bits; ++i) {
    const uint32_t next = bit(context + node);
    node = node << 1 | next;
    value |= next << i;
  }
  return value;
}

uint32_t evenOdds(uint32_t bits) {
  uint32_t value = 0;
  for (; bits > 0; --bits) {
    range >>= 1;
    const bool one = code >= range;
    if (one) code -= range;
    refill();
    value = value << 1 | (one ? 1U : 0U);
  }
  return value;
}

uint32_t length(uint32_t context) {
  if (bit(context) == 0) return 2 + tree(context + 2, 8);
  if (bit(context + 1) == 0) return 10 + tree(context + 10, 8);
  return 18 + tree(context + 18, 256);
}

uint32_t newDistance(uint32_t bytes) {
  const uint32_t slot = tree(kSlot + 64 * (bytes < 5 ? bytes - 2 : 3), 64);
  if (slot < 4) return slot;
  const uint32_t bits = (slot >> 1) - 1;
  const uint32_t base = (2 | (slot & 1)) << bits;
  if (slot < 14) return base + lowestFirst(kNear + base - slot, bits);
  const uint32_t high = evenOdds(bits - 4) << 4;
  return base + high + lowestFirst(kAlign, 4);
}

// `expected` is the byte at the last distance, after a match: rarely the right one then,
// but it says much of what is.
uint8_t literal(uint32_t context, const uint8_t* expected) {
  uint32_t node = 1;
  uint32_t hints = expected != nullptr ? *expected : 0;
  bool hinted = expected != nullptr;
  while (hinted && node < 256) {
    hints <<= 1;
    const uint32_t hint = hints & 0x100;
    const uint32_t next = bit(context + 0x100 + hint + node);
    node = node << 1 | next;
    hinted = next == hint >> 8;
  }
  return static_cast<uint8_t>(tree(context, 256, node));
}

uint32_t state;
ptrdiff_t distances[] = {1, 1, 1, 1};

void putDistance(ptrdiff_t distance, uint32_t last) {
  for (; last > 0; --last) distances[last] = distances[last - 1];
  distances[0] = distance;
}

// How many bytes the next match copies; it leaves the distance in front.
uint32_t match() {
  const bool afterLiteral = state < 7;
  uint32_t count = 0;
  if (bit(kIsRepeat + state) == 0) {
    count = length(kLength);
    putDistance(1 + static_cast<ptrdiff_t>(newDistance(count)), 3);
    state = afterLiteral ? 7 : 10;
    return count;
  }
  if (bit(kIsOlder + state) != 0) {
    const uint32_t which = bit(kIsOlder1 + state) == 0 ? 1 : 2 + bit(kIsOlder2 + state);
    putDistance(distances[which], which);
  } else if (bit(kIsLong + state) == 0) {
    state = afterLiteral ? 9 : 11;
    return 1;
  }
  state = afterLiteral ? 8 : 11;
  return length(kRepeatLength);
}

void unpackStream(uint8_t* out, uint32_t bytes) {
  for (uint16_t& probability : probabilities) probability = 1024;
  range = UINT32_MAX;
  ++in;
  for (int i = 0; i < 4; ++i) code = code << 8 | *in++;
  uint8_t before = 0;
  for (const uint8_t* const end = out + bytes; out < end; before = out[-1]) {
    if (bit(kIsMatch + state) == 0) {
      const uint32_t context = kLiteral + 768 * (before >> 7U);
      *out = literal(context, state < 7 ? nullptr : out - distances[0]);
      ++out;
      state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
      continue;
    }
    for (uint32_t count = match(); count > 0; --count, ++out) *out = out[-distances[0]];
  }
}

}  // namespace

// The module of `characters` (a multiple of four) of text at `text`, and where it is. Once an
// instance: it begins with what is zero in a fresh one. Above the text there has to be room for what
// the text stands for, `apartBytes` and a match (273 bytes), and the module.
extern "C" uint8_t* unpack(const uint8_t* text, uint32_t characters, uint32_t apartBytes) {
  const uint8_t* const end = text + characters;
  uint8_t* const packed = const_cast<uint8_t*>(end);
  in = packed;
  uint8_t* const apart = bytesOf(text, end, packed);
  unpackStream(apart, apartBytes);
  uint8_t* const module = apart + apartBytes + 273;
  merge(apart, module);
  return module;
}
