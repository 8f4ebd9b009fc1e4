#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace keyhaul::sim {

enum class Sabotage : uint8_t {
#define KEYHAUL_SABOTAGE(name, text, scenario, what) k##name,
#include "sabotage.def"
#undef KEYHAUL_SABOTAGE
};

struct SabotageInfo {
  std::string_view name;
  std::string_view scenario;  // where it is looked for
  std::string_view what;
};
inline constexpr SabotageInfo kSabotageInfos[] = {
#define KEYHAUL_SABOTAGE(name, text, scenario, what) {text, scenario, what},
#include "sabotage.def"
#undef KEYHAUL_SABOTAGE
};
inline constexpr uint32_t kSabotages = sizeof kSabotageInfos / sizeof kSabotageInfos[0];

constexpr std::string_view sabotageName(Sabotage sabotage) {
  return kSabotageInfos[static_cast<uint32_t>(sabotage)].name;
}
constexpr std::string_view scenarioOf(Sabotage sabotage) {
  return kSabotageInfos[static_cast<uint32_t>(sabotage)].scenario;
}
constexpr bool isOfLive(Sabotage sabotage) {
  return scenarioOf(sabotage).substr(0, 4) == "live" || scenarioOf(sabotage) == "rebalance";
}
constexpr std::optional<Sabotage> parseSabotage(std::string_view name) {
  for (uint32_t i = 0; i < kSabotages; ++i) {
    if (kSabotageInfos[i].name == name) return static_cast<Sabotage>(i);
  }
  return std::nullopt;
}

}  // namespace keyhaul::sim
