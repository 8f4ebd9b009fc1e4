// Payloads of journal records; FORMAT.md has the grammar.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "keyhaul/journal.h"

namespace keyhaul {

// The numbers on disk: the position in `Record`, counted from one.
inline constexpr uint8_t kRecordTypes = std::variant_size_v<Record>;

void encodePayload(const Record& record, std::string& out);
// Nothing when the payload is impossible. Precondition: 1 <= type <= kRecordTypes.
std::optional<Record> decodePayload(uint8_t type, std::string_view payload);

}  // namespace keyhaul
