// Payloads of journal records; FORMAT.md has the grammar.
#pragma once

#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "keyhaul/journal.h"

namespace keyhaul {

#define KEYHAUL_RECORDS(X)                                                                    \
  X(PlanRecord) X(ResumedRecord) X(PhaseRecord) X(PreparedRecord) X(CheckpointRecord)         \
  X(FeedAppliedRecord) X(VerifiedRecord) X(DeletedRecord) X(StoppedRecord) X(FinishedRecord) \
  X(ClaimedRecord) X(ArmedRecord) X(WindowRecord) X(SplitRecord)

// The numbers on disk: the position in `Record`, counted from one.
inline constexpr uint8_t kRecordTypes = std::variant_size_v<Record>;
template <typename R, uint8_t kType = 1>
constexpr uint8_t recordType() {
  if constexpr (std::is_same_v<R, std::variant_alternative_t<kType - 1, Record>>) return kType;
  else return recordType<R, kType + 1>();
}

// Of each of KEYHAUL_RECORDS. One by one, because whoever writes knows what he writes: a variant
// on the way there and another on the way back were 4 KB of the module.
template <typename R>
void encodePayload(const R& record, std::string& out);
// False when the payload is impossible. Precondition: 1 <= type <= kRecordTypes.
bool decodePayload(uint8_t type, std::string_view payload, Record& into);

}  // namespace keyhaul
