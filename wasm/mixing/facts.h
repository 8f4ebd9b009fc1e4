// What is known where the next byte of a module is expected, and of which of it each prediction is made.
#pragma once
#include <cstdint>

// Of bytes: what they are.
enum Kind : uint8_t {
  kLengths,  // of codes, before everything else
  kRest,     // what follows opcodes of other shapes, and before that in how many bytes
  kHead,     // of the module, up to the first function
  kFrame,    // how many locals of which type, and before that in how many bytes it says so
  kBranch,
  kLocal,
  kTail,  // after the last function
  kCall,
  kOpcode,
  kGlobal,
  kOffset,
  kLong,
  kInteger,
  kType,     // of a block
  kOpcodes,  // after others: see walk.cc
  kKinds = kOpcodes + 5
};

enum Fact : uint8_t {
  kOp0,  // the last opcode, or byte of what is not code
  kOp1,
  kOp2,
  kOp3,
  kOp4,
  kNumber0,  // what the last instruction had beside its opcode
  kNumber1,
  kNumber2,
  kNumber3,
  kFunction,
  kNow,     // the opcode whose number this is
  kLocal0,  // the last local that was named
  kLocal1,
  kLocal2,
  kTop0,  // how the value on top of the stack was made
  kTop1,
  kTop2,
  kHeight,  // of the stack, in this block
  kDepth,   // of blocks
  kOpener,  // of this block
  kCall0,
  kOffset0,
  kOffset1,
  kInteger0,
  kInteger1,
  kBase,        // how the address of this access was made
  kOffsetOfIt,  // of the last access by such an address
  kLocals,      // of this function
  kBranch0,
  kOlder,  // the opcodes before the five
  kTopTypes,  // of the three values on top of the stack
  kPlace,  // in something
  kFacts
};

constexpr uint32_t kContexts = 8;
constexpr uint32_t kStates = 3;  // contexts that keep how often a bit was 0 and 1
constexpr uint32_t kRuns = kContexts - kStates;

// Scrambles: no bit of the result is one of `value`.
constexpr uint32_t mixed(uint32_t value) {
  value *= 0x9e3779b1U;
  return value ^ value >> 15;
}

extern uint32_t facts[kFacts];
