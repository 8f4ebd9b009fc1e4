// Reads a module front to back as it comes out of the coder, as a compiler would: what is on the stack, which block this is. What can be
// told from the rest does not travel: how long a function is, and the alignment of an access where it is
// the natural one. scripts/mix.mjs lists the bytes in this order.
#include "walk.h"

#include "model.h"
#include "stack.h"

namespace {

// Before the opcode of an access whose alignment is less than the natural one: how much less, in between. No opcode.
constexpr uint32_t kUnaligned = 0xe1;
constexpr uint32_t kFirstAccess = 0x28;
constexpr uint32_t kFirstStore = 0x36;
constexpr uint8_t kNatural[] = {2, 3, 2, 3, 0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 2, 3, 2, 3, 0, 1, 0, 1, 2};
constexpr uint32_t kNoResult = 0x40;
// Room for the size of a function before its code.
constexpr uint32_t kSizeBytesMax = 5;

uint8_t* to;
const uint8_t* limit;
const uint8_t* from;

void put(uint32_t byte) {
  if (to >= limit) __builtin_trap();
  *to++ = static_cast<uint8_t>(byte);
}

void shift(uint32_t first, uint32_t last, uint32_t value) {
  for (; last > first; --last) facts[last] = facts[last - 1];
  facts[first] = value;
}

uint32_t least(uint32_t a, uint32_t b) { return a < b ? a : b; }

// Selectors of numbers are above all others.
constexpr uint32_t kOfNumbers = 1280;

uint32_t number(Kind kind, uint32_t selector) {
  uint32_t value = 0;
  uint32_t before = 0;
  for (uint32_t i = 0;; ++i) {
    const uint32_t byte = symbol(kind, before, kOfNumbers + selector + 256 * least(i, 2));
    put(byte);
    if (i < 5) value |= (byte & 127) << (7 * i);
    if (byte < 0x80) return value;
    before = mixed(before + byte + 1);
  }
}

uint32_t read() {
  uint32_t value = 0;
  for (uint32_t scale = 0;; scale += 7) {
    const uint32_t byte = *from++;
    if (scale < 32) value |= (byte & 127) << scale;
    if (byte < 0x80) return value;
  }
}

void bytes(Kind kind, const uint8_t* end) {
  for (uint32_t i = 0; to < end; ++i) {
    facts[kPlace] = i & 3;
    const uint32_t byte = symbol(kind, 0, 1024 + kind * 4 + (i & 3));
    put(byte);
    facts[kOlder] = mixed(facts[kOp4] + facts[kOp3]);
    shift(kOp0, kOp4, byte);
  }
}

void readHead(const uint8_t* module) {
  from = module + 8;
  for (uint32_t section = *from++; section != 10; section = *from++) {
    const uint32_t size = read();
    if (from > to || size > static_cast<uint32_t>(to - from)) __builtin_trap();
    const uint8_t* const end = from + size;
    if (section == 1) {
      uint32_t count = read();
      for (uint32_t i = 0; i < count; ++i) {
        Type& type = types[i % kTypes];
        ++from;
        type.parameters = static_cast<uint8_t>(read());
        type.of = from;
        from += type.parameters;
        type.results = static_cast<uint8_t>(read());
        type.result = *from;
        from += type.results;
      }
    }
    // Imports are functions, or the first that is not ends the list here.
    if (section == 2) {
      for (uint32_t count = read(); count > 0; --count) {
        for (int names = 0; names < 2; ++names) {
          const uint32_t length = read();
          from += length;
          if (from > end) __builtin_trap();
        }
        if (*from++ != 0) break;
        typeOf[imports++ % kFunctions] = static_cast<uint16_t>(read());
      }
    }
    if (section == 3) {
      uint32_t count = read();
      for (uint32_t i = 0; i < count; ++i) typeOf[(imports + i) % kFunctions] = static_cast<uint16_t>(read());
    }
    from = end;
  }
  read();
  functions = read();
}

// What follows an opcode of another shape. What it does to the stack is said roughly for vectors: a wrong guess
// costs bits, and ends with the block.
uint32_t rest(uint32_t opcode) {
  const uint32_t offset = facts[kOffset0];
  facts[kOffset0] = opcode;
  facts[kPlace] = 99;
  const uint32_t bytes = symbol(kRest, 0, 1100);
  const uint8_t* const begin = to;
  for (uint32_t i = 0; i < bytes; ++i) {
    facts[kPlace] = i;
    const uint32_t byte = symbol(kRest, 0, 1101 + least(i, 3) + (opcode == 0xfd ? 8 : 0));
    put(byte);
    facts[kOffset0] = mixed(facts[kOffset0] + byte);
  }
  const uint32_t value = facts[kOffset0];
  facts[kOffset0] = offset;
  facts[kBranch0] = value;
  from = begin;
  if (opcode == 0x11) {
    pop(1);
    call(types[read() % kTypes], 10);
  } else if (opcode == 0x0e) {
    height = block().base;
  } else if (opcode == 0xfc) {
    if (*begin >= 8) pop(3);
  } else if (opcode == 0xfd) {
    const uint32_t vector = read();
    if (vector == 11 || (vector >= 88 && vector < 92)) {
      pop(2);
    } else if (vector == 12) {
      push(hashOf(12, value), kV128);
    } else if (vector > 20 && vector != 77 && vector < 92 && (vector > 33 || (vector & 1) == 0)) {
      pop(1);
    }
  } else if (opcode != 0x40) {
    push(hashOf(11, value), opcode == 0x43 ? kF32 : opcode == 0x44 ? kF64 : kI32);
  }
  return value;
}

bool isBinary(uint32_t opcode) {
  return (opcode >= 0x46 && opcode <= 0x4f) || (opcode >= 0x51 && opcode <= 0x66) || (opcode >= 0x6a && opcode <= 0x78) ||
         (opcode >= 0x7c && opcode <= 0x8a) || (opcode >= 0x92 && opcode <= 0x98) || (opcode >= 0xa0 && opcode <= 0xa6);
}

uint32_t access(uint32_t opcode, uint32_t less) {
  put(kNatural[opcode - kFirstAccess] - less);
  const bool stores = opcode >= kFirstStore;
  const uint32_t base = top(stores ? 1 : 0);
  uint32_t& offsetOfIt = offsets[base >> 22];
  facts[kBase] = base;
  facts[kOffsetOfIt] = offsetOfIt;
  const uint32_t offset = number(kOffset, opcode);
  offsetOfIt = offset + 1;
  shift(kOffset0, kOffset1, offset);
  pop(stores ? 2 : 1);
  if (!stores) push(hashOf(opcode, offset, base), results[opcode]);
  return offset;
}

// What is beside the opcode.
uint32_t operand(uint32_t opcode, uint32_t less, uint32_t selector) {
  uint32_t value = 0;
  if (opcode >= 0x45) {
    const uint32_t operands = isBinary(opcode) ? 2 : 1;
    const uint32_t made = hashOf(opcode, top(operands - 1));
    pop(operands);
    push(made, results[opcode]);
  } else if (opcode >= kFirstAccess && opcode < 0x3f) {
    value = access(opcode, less);
  } else {
    switch (opcode) {
      case 0x02:  // block, loop, if
      case 0x03:
      case 0x04:
        value = number(kType, 512 + opcode);
        if (opcode == 0x04) pop(1);
        ++depth;
        block() = {height, hashOf(opcode, facts[kOp0]), value == kNoResult ? 0 : value};
        break;
      case 0x0b: {
        const Block ended = block();
        --depth;
        height = ended.base;
        if (ended.result != 0) push(9, ended.result);
        break;
      }
      case 0x0d:  // br_if
      case 0x0c:
        value = facts[kBranch0] = number(kBranch, opcode);
        if (opcode == 0x0d) {
          pop(1);
          break;
        }
        [[fallthrough]];
      case 0x00:  // what follows is not reached, and begins with nothing
      case 0x05:
      case 0x0f:
        height = block().base;
        break;
      case 0x10:
        value = facts[kCall0] = number(kCall, opcode);
        call(types[typeOf[value % kFunctions] % kTypes], hashOf(6, value));
        break;
      case 0x1a:
        pop(1);
        break;
      case 0x1b: {
        const uint32_t type = typeOfTop(1);
        pop(3);
        push(7, type);
        break;
      }
      case 0x20:  // local.get, set, tee
      case 0x21:
      case 0x22:
        value = number(kLocal, opcode);
        if (opcode != 0x20) pop(1);
        if (opcode != 0x21) push(hashOf(1, value), localTypes[value % kLocalsMax]);
        shift(kLocal0, kLocal2, value);
        break;
      case 0x23:
      case 0x24:
        value = number(kGlobal, opcode);
        if (opcode == 0x24) {
          pop(1);
        } else {
          push(hashOf(4, value), kI32);
        }
        break;
      case 0x41:
      case 0x42:
        value = number(opcode == 0x41 ? kInteger : kLong, selector);
        push(hashOf(opcode, value), opcode == 0x41 ? kI32 : kI64);
        shift(kInteger0, kInteger1, value);
        break;
      default:
        break;
    }
  }
  return value;
}

bool hasOtherShape(uint32_t opcode) {
  return opcode == 0x0e || opcode == 0x11 || opcode == 0x3f || opcode == 0x40 || opcode == 0x43 || opcode == 0x44 || opcode >= 0xfc;
}

uint32_t older[3];  // opcodes than the five

// Which opcodes follow which depends most on whether a value is there.
Kind kindAfter(uint32_t opcode) {
  uint32_t kind = 4;
  if (opcode == 0x20) kind = 0;
  else if (opcode == 0x41 || opcode == 0x42) kind = 1;
  else if (opcode >= 0x45 && opcode <= 0x66) kind = 2;
  else if (opcode == 0x22 || opcode == 0x23 || opcode == 0x1b || (opcode >= kFirstAccess && opcode < kFirstStore) || (opcode > 0x66 && opcode < 256)) kind = 3;
  else if (opcode == 0x10 || opcode == 0x11) return kOpcode;
  return static_cast<Kind>(kOpcodes + kind);
}

}  // namespace

// A function of its own, and exported so that no optimiser puts it into its only caller: a browser compiles better what is called often,
// not what runs long.
extern "C" [[gnu::noinline, clang::export_name("step")]] void instruction() {
  for (uint32_t i = 0; i < 3; ++i) facts[kTop0 + i] = top(i);
  facts[kTopTypes] = typeOfTop(0) | typeOfTop(1) << 8 | typeOfTop(2) << 16;
  facts[kHeight] = height - block().base;
  facts[kDepth] = depth;
  facts[kOpener] = block().opener;
  facts[kNow] = 0;
  const uint32_t selector = facts[kOp0] & 255;
  uint32_t opcode = symbol(kindAfter(facts[kOp0]), 0, selector);
  uint32_t less = 0;
  if (opcode == kUnaligned) {
    facts[kNow] = 1;
    less = symbol(kOpcode, 0, 256);
    facts[kNow] = 2;
    opcode = symbol(kOpcode, 0, 257);
  }
  put(opcode);
  facts[kNow] = opcode;
  const uint8_t* const beside = to;
  const uint32_t value = hasOtherShape(opcode) ? rest(opcode) : operand(opcode, less, selector);
  older[2] = older[1];
  older[1] = older[0];
  older[0] = facts[kOp4];
  facts[kOlder] = mixed(mixed(older[0]) + older[1]) + older[2];
  shift(kOp0, kOp4, opcode >= 0xfc ? 256U + *beside : opcode);
  shift(kNumber0, kNumber3, value);
}

namespace {

void function(uint32_t index) {
  for (uint32_t& fact : facts) fact = 0;
  for (uint32_t& offset : offsets) offset = 0;
  for (uint32_t& opcode : older) opcode = 0;
  facts[kFunction] = index + 1;
  facts[kTop0] = typeOf[(imports + index) % kFunctions];
  facts[kPlace] = 99;
  const Type& type = types[typeOf[(imports + index) % kFunctions] % kTypes];
  uint32_t count = 0;
  for (; count < type.parameters; ++count) localTypes[count] = type.of[count];
  uint32_t bytes = symbol(kFrame, 0, 1200);
  const uint8_t* const frame = to;
  uint32_t locals = bytes;
  for (uint32_t i = 0; i < bytes; ++i) {
    facts[kPlace] = i == 0 ? 0 : i & 1 ? 1 : i;
    const uint32_t byte = symbol(kFrame, 0, 1201 + least(i, 2));
    put(byte);
    shift(kOp0, kOp3, byte);
    locals = mixed(locals + byte);
  }
  from = frame;
  for (uint32_t left = bytes != 0 ? read() : 0; left > 0 && from < to; --left) {
    const uint32_t last = least(count + read(), kLocalsMax);
    for (; count < last; ++count) localTypes[count] = *from;
    ++from;
  }
  for (uint32_t fact = kOp0; fact <= kOp4; ++fact) facts[fact] = 0;
  facts[kOp0] = 300;
  facts[kLocals] = locals;
  height = 0;
  depth = 1;
  block() = {};
  while (depth > 0) instruction();
}

}  // namespace

void walk(uint8_t* out, const uint8_t* end, uint32_t head) {
  to = out;
  limit = end + kSizeBytesMax;  // while a function has room for its size
  bytes(kHead, out + head);
  readHead(out);
  makeResults();
  for (uint32_t i = 0; i < functions; ++i) {
    uint8_t* size = to;
    const uint8_t* body = to += kSizeBytesMax;
    function(i);
    const uint8_t* const last = to;
    uint32_t bytes = static_cast<uint32_t>(last - body);
    for (; bytes > 0x7f; bytes >>= 7) *size++ = static_cast<uint8_t>(bytes | 0x80);
    *size++ = static_cast<uint8_t>(bytes);
    for (to = size; body < last;) *to++ = *body++;
  }
  for (uint32_t& fact : facts) fact = 0;
  bytes(kTail, end);
}
