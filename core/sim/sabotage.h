#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace keyhaul::sim {

enum class Sabotage : uint8_t {
#define KEYHAUL_SABOTAGE(name, text, what) k##name,
#include "sabotage.def"
#undef KEYHAUL_SABOTAGE
};

struct SabotageInfo {
  std::string_view name, what;
};
inline constexpr SabotageInfo kSabotageInfos[] = {
#define KEYHAUL_SABOTAGE(name, text, what) {text, what},
#include "sabotage.def"
#undef KEYHAUL_SABOTAGE
};
inline constexpr uint32_t kSabotages = sizeof kSabotageInfos / sizeof kSabotageInfos[0];

constexpr std::string_view sabotageName(Sabotage sabotage) {
  return kSabotageInfos[static_cast<uint32_t>(sabotage)].name;
}
constexpr bool isOfLive(Sabotage sabotage) { return sabotage >= Sabotage::kRegisterNoCompare; }
// Where it is looked for.
constexpr std::string_view scenarioOf(Sabotage sabotage) {
  if (!isOfLive(sabotage)) return "swarm";
  if (sabotage >= Sabotage::kBucketForgotten) return "live-verified";
  if (sabotage >= Sabotage::kFeedByClient) return "live-shared";
  // It takes ranges that come back, while calls of older moves, or writes of older epochs, arrive.
  const bool back = sabotage == Sabotage::kLateActivate || sabotage == Sabotage::kAnyEpoch;
  // And these ask for a source that never comes back, or does after it was given up.
  const bool lost = sabotage == Sabotage::kGivenUpUnasked || sabotage == Sabotage::kBackFromTheDead;
  return back ? "live-pingpong" : lost ? "live-source-lost" : "live-swarm";
}
constexpr std::optional<Sabotage> parseSabotage(std::string_view name) {
  for (uint32_t i = 0; i < kSabotages; ++i) {
    if (kSabotageInfos[i].name == name) return static_cast<Sabotage>(i);
  }
  return std::nullopt;
}

}  // namespace keyhaul::sim
