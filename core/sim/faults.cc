#include "faults.h"

#include "prng.h"

namespace keyhaul::sim {

std::optional<uint64_t> parseFaults(std::string_view list) {
  if (list == "all") return kAllFaults;
  if (list == "none") return 0;
  const bool takesAway = list.substr(0, 1) == "-";
  if (takesAway) list.remove_prefix(1);
  uint64_t mask = 0;
  while (!list.empty()) {
    const size_t comma = list.find(',');
    const std::string_view name = list.substr(0, comma);
    uint32_t kind = 0;
    while (kind < kFaultKinds && kFaultInfos[kind].name != name) ++kind;
    if (kind == kFaultKinds) return std::nullopt;
    mask |= uint64_t{1} << kind;
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
  }
  return takesAway ? kAllFaults & ~mask : mask;
}

Faults Faults::draw(uint64_t seed, uint64_t allowed) {
  Faults faults;
  // A stream a kind: taking one away leaves the others as they were.
  for (uint32_t i = 0; i < kFaultKinds; ++i) {
    Prng prng(seed ^ mix64(i + 1), "fault");
    const bool on = prng.below(2) == 1;
    const auto rate = static_cast<uint32_t>(prng.between(1, kFaultInfos[i].maxRate));
    if (on && ((allowed >> i) & 1) != 0) faults.rates_[i] = rate;
  }
  return faults;
}

uint64_t Faults::mask() const {
  uint64_t mask = 0;
  for (uint32_t i = 0; i < kFaultKinds; ++i) mask |= rates_[i] != 0 ? uint64_t{1} << i : 0;
  return mask;
}

}  // namespace keyhaul::sim
