// Which faults happen in a run, and how often: a swarm. Each seed turns every fault on
// or off by a coin of its own, because two faults may hide each other's harm.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace keyhaul::sim {

enum class FaultKind : uint8_t {
#define KEYHAUL_FAULT(name, text, rate, what) k##name,
#include "faults.def"
#undef KEYHAUL_FAULT
};

struct FaultInfo {
  std::string_view name;
  uint32_t maxRate = 0;  // per million
  std::string_view what;
};
inline constexpr FaultInfo kFaultInfos[] = {
#define KEYHAUL_FAULT(name, text, rate, what) {text, rate, what},
#include "faults.def"
#undef KEYHAUL_FAULT
};
inline constexpr uint32_t kFaultKinds = sizeof kFaultInfos / sizeof kFaultInfos[0];
inline constexpr uint64_t kAllFaults = (uint64_t{1} << kFaultKinds) - 1;

constexpr uint64_t maskOf(FaultKind kind) { return uint64_t{1} << static_cast<uint32_t>(kind); }
// A mask from "drop,clog", "all" or "none"; a leading "-" takes away from all: "-drop,clog".
std::optional<uint64_t> parseFaults(std::string_view list);

class Faults {
 public:
  // Only kinds in `allowed` can be on.
  static Faults draw(uint64_t seed, uint64_t allowed);

  void set(FaultKind kind, uint32_t perMillion) { rates_[static_cast<uint32_t>(kind)] = perMillion; }

  uint32_t rate(FaultKind kind) const { return rates_[static_cast<uint32_t>(kind)]; }
  bool on(FaultKind kind) const { return rate(kind) != 0; }
  uint64_t mask() const;
  void heal() { rates_ = {}; }

 private:
  std::array<uint32_t, kFaultKinds> rates_{};
};

}  // namespace keyhaul::sim
