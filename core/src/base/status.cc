#include "keyhaul/status.h"

namespace keyhaul {
namespace {

struct Row {
  ErrorCode code;
  std::string_view name;
  RetryClass retry;
};

constexpr Row kRows[] = {
#define KEYHAUL_ERROR(name, number, code, retry, text) \
  {ErrorCode::k##name, code, RetryClass::k##retry},
#include "keyhaul/errors.def"
#undef KEYHAUL_ERROR
};

constexpr Row kUnknown{ErrorCode::kOk, "UNKNOWN", RetryClass::kFatal};

const Row& row(uint32_t number) {
  for (const Row& candidate : kRows) {
    if (static_cast<uint32_t>(candidate.code) == number) return candidate;
  }
  return kUnknown;
}

}  // namespace

std::string_view errorName(ErrorCode code) { return row(static_cast<uint32_t>(code)).name; }
// Apart from the table above, so that a module that does not ask for texts holds none.
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
