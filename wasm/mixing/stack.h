// What a compiler would know where an instruction is expected: functions and their types, what is on the stack, in which block. walk.cc's alone.
#pragma once
#include <cstdint>

#include "facts.h"

namespace {

// Of functions: how many parameters and results, and the type of the one that counts. Numbers that are too high are those of no module that we
// pack; what a damaged one does to another's is nobody's concern.
struct Type {
  uint8_t parameters;
  uint8_t results;
  uint8_t result;
  const uint8_t* of;  // the parameters, in the head
};
constexpr uint32_t kTypes = 1 << 10;
constexpr uint32_t kFunctions = 1 << 14;
Type types[kTypes];
uint16_t typeOf[kFunctions];
uint32_t functions;
uint32_t imports;

// How each value on the stack was made, as a hash.
constexpr uint32_t kStack = 1 << 12;
constexpr uint32_t kNothing = 0x77;
uint32_t stack[kStack];
uint8_t typesOn[kStack];
uint32_t height;

// Types of locals, in this function.
constexpr uint32_t kI32 = 0x7f;
constexpr uint32_t kI64 = 0x7e;
constexpr uint32_t kF32 = 0x7d;
constexpr uint32_t kF64 = 0x7c;
constexpr uint32_t kV128 = 0x7b;
constexpr uint32_t kLocalsMax = 1 << 12;
uint8_t localTypes[kLocalsMax];

struct Block {
  uint32_t base;  // height of the stack
  uint32_t opener;
  uint32_t result;  // its type, or 0
};
constexpr uint32_t kBlocks = 1 << 10;
Block blocks[kBlocks];
uint32_t depth;

// By how its address was made: the last offset of an access, in this function.
constexpr uint32_t kBases = 1 << 10;
uint32_t offsets[kBases];

inline uint32_t hashOf(uint32_t a, uint32_t b, uint32_t c = 0) { return mixed(mixed(mixed(a) + b) + c); }

Block& block() { return blocks[depth % kBlocks]; }

void push(uint32_t made, uint32_t type) {
  typesOn[height % kStack] = static_cast<uint8_t>(type);
  stack[height++ % kStack] = made;
}

void pop(uint32_t values) {
  const uint32_t base = block().base;
  height = height >= base + values ? height - values : base;
}

uint32_t top(uint32_t below) { return height > below ? stack[(height - 1 - below) % kStack] : kNothing; }

uint32_t typeOfTop(uint32_t below) { return height > below ? typesOn[(height - 1 - below) % kStack] : 0; }

// What an instruction without numbers, or a load, leaves.
uint8_t results[256];

void makeResults() {
  struct Range {
    uint8_t end;
    uint8_t type;
  };
  static const Range ranges[] = {{0x29, kI32}, {0x2a, kI64}, {0x2b, kF32}, {0x2c, kF64}, {0x30, kI32}, {0x36, kI64}, {0x79, kI32},
                                 {0x8b, kI64}, {0x99, kF32}, {0xa7, kF64}, {0xac, kI32}, {0xb2, kI64}, {0xb7, kF32}, {0xbc, kF64},
                                 {0xbd, kI32}, {0xbe, kI64}, {0xbf, kF32}, {0xc0, kF64}, {0xc2, kI32}, {0xff, kI64}};
  uint32_t opcode = 0;
  for (const Range& range : ranges) {
    for (; opcode < range.end; ++opcode) results[opcode] = range.type;
  }
}

void call(const Type& type, uint32_t made) {
  pop(type.parameters);
  if (type.results != 0) push(made, type.result);
}

}  // namespace
