// What a broken promise does to a key, as far as that can be told.
#pragma once

#include <cstdint>
#include <string_view>

namespace keyhaul::sim {

enum class Harm : uint8_t {
  kNone,
  kLost,         // its last acknowledged write is gone, or stands where it could not survive
  kStale,        // older than what somebody had seen or was told of
  kResurrected,  // deleted, and there again
  kDoubled,      // given twice, or left behind where it does not belong
  kTwoOwners,    // two stores took its writes, or would have
};

// Empty for none. js/src/sim/simulate.ts has the same words.
constexpr std::string_view harmName(Harm harm) {
  switch (harm) {
    case Harm::kNone: return "";
    case Harm::kLost: return "lost";
    case Harm::kStale: return "stale";
    case Harm::kResurrected: return "resurrected";
    case Harm::kDoubled: return "doubled";
    case Harm::kTwoOwners: return "owners";
  }
  return "";
}

}  // namespace keyhaul::sim
