#include "keyhaul/status.h"

namespace keyhaul {
namespace {

struct Row {
  ErrorCode code;
  RetryClass retry;
};

constexpr Row kRows[] = {
#define KEYHAUL_ERROR(name, number, code, retry, text) {ErrorCode::k##name, RetryClass::k##retry},
#include "keyhaul/errors.def"
#undef KEYHAUL_ERROR
};

constexpr Row kUnknown{ErrorCode::kOk, RetryClass::kFatal};

const Row& row(uint32_t number) {
  for (const Row& candidate : kRows) {
    if (static_cast<uint32_t>(candidate.code) == number) return candidate;
  }
  return kUnknown;
}

}  // namespace

// These two apart from the table above: a module that does not ask for names or texts holds none.
std::string_view errorName(ErrorCode code) {
  switch (code) {
#define KEYHAUL_ERROR(name, number, code, retry, text) \
  case ErrorCode::k##name: return code;
#include "keyhaul/errors.def"
#undef KEYHAUL_ERROR
  }
  return "UNKNOWN";
}
std::string_view errorText(ErrorCode code) {
  switch (code) {
#define KEYHAUL_ERROR(name, number, code, retry, text) \
  case ErrorCode::k##name: return text;
#include "keyhaul/errors.def"
#undef KEYHAUL_ERROR
  }
  return "an error number that this build does not know";
}
RetryClass retryClass(ErrorCode code) { return row(static_cast<uint32_t>(code)).retry; }
bool isKnownError(uint32_t number) { return &row(number) != &kUnknown; }

}  // namespace keyhaul
