// Puts a module together again whose code scripts/pack.mjs took apart: opcodes here, numbers of
// locals there. Kinds that differ in what follows what are packed better apart, by a twelfth.
// What can be told from the rest does not travel: how long a function is, and the alignment
// of an access where it is the natural one.
#include "merge.h"

namespace {

// The order in which they travel, and the table's; scripts/pack.mjs has the same. Of many that
// were tried it is the one that packs best.
enum Kind : uint8_t {
  kRest,   // instructions of other shapes, before each in how many bytes
  kHead,   // of the module, up to the first function
  kFrame,  // how many locals of which type, and before that in how many bytes it says so
  kBranch,
  kLocal,
  kTail,  // after the last function
  kCall,
  kOpcode,
  kGlobal,
  kOffset,
  kLong,
  kInteger,
  kKinds,
  kNothing = kRest
};

// Instead of an opcode: an instruction of the rest. Before that of an access whose alignment is
// less than the natural one: how much less, in between. No opcodes have these numbers.
constexpr uint8_t kVerbatim = 0xe0;
constexpr uint8_t kUnaligned = 0xe1;
constexpr uint8_t kEnd = 0x0b;

// Of an access to memory, from its first opcode on.
constexpr uint8_t kFirstAccess = 0x28;
constexpr uint8_t kNatural[] = {2, 3, 2, 3, 0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 2, 3, 2, 3, 0, 1, 0, 1, 2};

// Of which kind is the number that follows an opcode; kNothing where there is none, as
// after all opcodes that are higher.
constexpr auto kAfter = [] {
  struct {
    uint8_t kind[0x43];
  } after{};
  after.kind[0x02] = after.kind[0x03] = after.kind[0x04] = kOpcode;  // block, loop, if
  after.kind[0x0c] = after.kind[0x0d] = kBranch;
  after.kind[0x10] = kCall;
  after.kind[0x20] = after.kind[0x21] = after.kind[0x22] = kLocal;
  after.kind[0x23] = after.kind[0x24] = kGlobal;
  for (uint32_t i = 0; i < sizeof kNatural; ++i) after.kind[kFirstAccess + i] = kOffset;
  after.kind[0x41] = kInteger;
  after.kind[0x42] = kLong;
  return after;
}();

const uint8_t* from[kKinds];
uint8_t* to;

uint8_t copy(uint8_t kind) { return *to++ = *from[kind]++; }

void copy(uint8_t kind, uint32_t bytes) {
  for (; bytes > 0; --bytes) copy(kind);
}

void function() {
  copy(kFrame, *from[kFrame]++);
  for (uint32_t depth = 1; depth > 0;) {
    uint8_t opcode = *from[kOpcode]++;
    if (opcode == kVerbatim) {
      copy(kRest, *from[kRest]++);
      continue;
    }
    uint8_t less = 0;
    if (opcode == kUnaligned) {
      less = *from[kOpcode]++;
      opcode = *from[kOpcode]++;
    }
    *to++ = opcode;
    if (opcode == kEnd) --depth;
    const uint8_t kind = opcode < sizeof kAfter ? kAfter.kind[opcode] : kNothing;
    if (kind == kOpcode) ++depth;
    if (kind == kOffset) *to++ = static_cast<uint8_t>(kNatural[opcode - kFirstAccess] - less);
    while (kind != kNothing && copy(kind) >= 0x80) {
    }
  }
}

// Room for the size of a function before its code.
constexpr uint32_t kSizeBytesMax = 5;

}  // namespace

void merge(const uint8_t* packed, uint8_t* out) {
  const uint32_t* const table = reinterpret_cast<const uint32_t*>(packed);
  packed += 4 * (kKinds + 1);
  for (uint8_t kind = 0; kind < kKinds; ++kind) {
    from[kind] = packed;
    packed += table[kind];
  }
  to = out;
  copy(kHead, table[kHead]);
  for (uint32_t functions = table[kKinds]; functions > 0; --functions) {
    uint8_t* size = to;
    const uint8_t* body = to += kSizeBytesMax;
    function();
    const uint8_t* const end = to;
    uint32_t bytes = static_cast<uint32_t>(end - body);
    for (; bytes > 0x7f; bytes >>= 7) *size++ = static_cast<uint8_t>(bytes | 0x80);
    *size++ = static_cast<uint8_t>(bytes);
    for (to = size; body < end;) *to++ = *body++;
  }
  copy(kTail, table[kTail]);
}
