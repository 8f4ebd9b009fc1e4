// Errors as values. The core throws nothing: a call that can fail returns
// `Status`, or `Result<T>` when it also has something to give.
#pragma once

#include <cassert>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace keyhaul {

enum class ErrorCode : uint16_t {
#define KEYHAUL_ERROR(name, number, code, retry, text) k##name = number,
#include "keyhaul/errors.def"
#undef KEYHAUL_ERROR
};

// What the engine does with a failure: nothing, try again, stop resumably
// until a person has acted, or refuse for good.
enum class RetryClass : uint8_t { kNone, kRetryable, kOperator, kFatal };

// "KEYHAUL_" + code is what TypeScript shows as `err.code`. Unknown numbers
// (from a peer or a journal) give "UNKNOWN".
std::string_view errorName(ErrorCode code);
// One sentence: what is wrong and what to do next.
std::string_view errorText(ErrorCode code);
RetryClass retryClass(ErrorCode code);
bool isKnownError(uint32_t number);

class [[nodiscard]] Status {
 public:
  constexpr Status() = default;
  constexpr Status(ErrorCode code) : code_(code) {}  // NOLINT: implicit on purpose
  constexpr bool ok() const { return code_ == ErrorCode::kOk; }
  constexpr ErrorCode code() const { return code_; }
  friend constexpr bool operator==(Status a, Status b) {
    return a.code_ == b.code_;
  }

 private:
  ErrorCode code_ = ErrorCode::kOk;
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}  // NOLINT: implicit on purpose
  Result(ErrorCode code) : code_(code) { assert(code != ErrorCode::kOk); }  // NOLINT
  Result(Status status) : Result(status.code()) {}                          // NOLINT

  bool ok() const { return value_.has_value(); }
  ErrorCode code() const { return code_; }
  Status status() const { return code_; }
  T& value() & { return *value_; }
  const T& value() const& { return *value_; }
  T&& value() && { return std::move(*value_); }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }

 private:
  std::optional<T> value_;
  ErrorCode code_ = ErrorCode::kOk;
};

}  // namespace keyhaul
