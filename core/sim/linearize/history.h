// What a checker is told: operations of clients on one register, or on a store of
// strings, with the moments at which each was invoked and returned.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

namespace keyhaul::sim {

// Any clock that rises: nanoseconds of a simulation, the line of a file. Operations that
// touch in one moment count as concurrent, which never accuses the innocent.
using Moment = uint64_t;
inline constexpr Moment kNever = std::numeric_limits<Moment>::max();

enum class Outcome : uint8_t {
  kOk,
  // A compare-and-swap that found another value, which it tells about the register.
  // Anything else that was refused surely did not take place.
  kRefused,
  // No answer, or one that says nothing: it may take effect at any later moment, or never.
  kUnknown
};

using Value = int64_t;
// What a register holds before the first write, and after a delete.
inline constexpr Value kNil = std::numeric_limits<Value>::min();

enum class RegisterKind : uint8_t { kRead, kWrite, kCas };

// One operation on a compare-and-swap register.
struct Operation {
  int64_t client = 0;
  RegisterKind kind = RegisterKind::kRead;
  Outcome outcome = Outcome::kOk;
  // What was read, written, or put in the place of `expected`.
  Value value = kNil;
  // Of a compare-and-swap: what the register had to hold.
  Value expected = kNil;
  Moment invoked = 0;
  // kNever is as good as an unknown outcome. Not before `invoked`.
  Moment returned = kNever;
};

enum class KeyValueKind : uint8_t { kGet, kPut, kAppend };

// One operation on a store of strings, in which what is absent reads as "".
struct KeyValueOperation {
  int64_t client = 0;
  KeyValueKind kind = KeyValueKind::kGet;
  Outcome outcome = Outcome::kOk;
  std::string key;
  // What was read, put or appended.
  std::string value;
  Moment invoked = 0;
  Moment returned = kNever;
};

}  // namespace keyhaul::sim
