#include "coverage.h"

namespace keyhaul::sim {
namespace {

using S = MigrationState;

constexpr S kStates[] = {S::kClaiming,   S::kPreparing,   S::kStaging,   S::kCopying,
                         S::kCatchingUp, S::kVerifying,   S::kApproaching, S::kFencing,
                         S::kDraining,   S::kReadFencing, S::kDeciding,  S::kActivating,
                         S::kRedirecting, S::kCleaning,   S::kClosing,   S::kPostponing,
                         S::kAborting,   S::kUnfencing,   S::kDiscarding, S::kReleasing,
                         S::kArming,     S::kTurning,     S::kReversible};

bool scans(S state) {
  return state == S::kPreparing || state == S::kCopying || state == S::kVerifying ||
         state == S::kCleaning || state == S::kDiscarding;
}
bool writesValues(S state) {
  return state == S::kCopying || state == S::kCatchingUp || state == S::kApproaching ||
         state == S::kDraining || state == S::kReversible;
}
bool reads(S state) {
  return scans(state) || writesValues(state);
}
// Several writes before one is synced.
bool writesMany(S state) {
  return state == S::kCopying;
}

}  // namespace

std::span<const MigrationState> coveredStates() { return kStates; }

std::string_view whyImpossible(MigrationState state, FaultKind kind) {
  const bool ofRegister = state == S::kClaiming || state == S::kDeciding || state == S::kClosing ||
                          state == S::kPostponing || state == S::kAborting ||
                          state == S::kTurning;
  if (kind == FaultKind::kEmptyPages && !scans(state)) return "nothing is scanned";
  if (kind == FaultKind::kBitRot && !writesValues(state)) return "no value is written";
  const bool compares = state == S::kCopying || state == S::kCatchingUp;
  if (kind == FaultKind::kMisdirected && !compares) return "it is not compared any more";
  if (kind == FaultKind::kNoMemory && !reads(state)) return "no page is read";
  if (kind == FaultKind::kAnyLoss && !writesMany(state)) return "what is written is synced before it is acknowledged";
  if (kind == FaultKind::kStoreError && ofRegister) return "only the register is asked";
  if (kind == FaultKind::kRegisterError && !ofRegister) return "the register is not asked";
  return {};
}

std::string toTable(const Coverage& coverage) {
  std::string text = "| state |";
  for (const FaultInfo& fault : kFaultInfos) text += " " + std::string(fault.name) + " |";
  text += "\n|--|";
  for (uint32_t kind = 0; kind < kFaultKinds; ++kind) text += "--|";
  text += '\n';
  for (const MigrationState state : kStates) {
    text += "| " + std::string(stateName(state)) + " |";
    for (uint32_t i = 0; i < kFaultKinds; ++i) {
      const auto kind = static_cast<FaultKind>(i);
      const uint32_t count = coverage.of(state, kind);
      const bool impossible = !whyImpossible(state, kind).empty();
      text += " " + (count == 0 && impossible ? "-" : std::to_string(count)) + " |";
    }
    text += '\n';
  }
  return text;
}

std::vector<std::string> uncovered(const Coverage& coverage) {
  std::vector<std::string> cells;
  for (const MigrationState state : kStates) {
    for (uint32_t i = 0; i < kFaultKinds; ++i) {
      const auto kind = static_cast<FaultKind>(i);
      if (coverage.of(state, kind) != 0 || !whyImpossible(state, kind).empty()) continue;
      cells.push_back(std::string(stateName(state)) + " x " + std::string(kFaultInfos[i].name));
    }
  }
  return cells;
}

}  // namespace keyhaul::sim
