// Records of the boundary as words, packed and unpacked: plain C++, so that it
// is fuzzed natively too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "keyhaul/engine.h"

namespace keyhaul::boundary {

#define KEYHAUL_RECORD(record) enum class record##Word : uint32_t {
#define KEYHAUL_WORD(record, word) word,
#define KEYHAUL_RECORD_END(record) count_ };
#include "../layout.def"
#undef KEYHAUL_RECORD
#undef KEYHAUL_WORD
#undef KEYHAUL_RECORD_END

template <typename Word>
inline constexpr size_t kWords = static_cast<size_t>(Word::count_);

// Words from the other side are hostile: an unknown kind or error number gives
// an event that the engine counts as stale.
Event readEvent(const uint32_t* words);

Config readConfig(const uint32_t* words);

using Words = std::vector<uint32_t>;
void writeAction(const Action& action, uint32_t payloadAddress, Words& out);
void writeNotice(const Notice& notice, uint32_t payloadAddress, Words& out);

// JSON, where live migrations are linked (live_view.cc).
void putLiveView(std::string& out, const LiveView& view);

}  // namespace keyhaul::boundary
