#include "coverage.h"

namespace keyhaul::sim {
namespace {

using S = MigrationState;

constexpr S kOfCopies[] = {S::kPreparing, S::kCopying,  S::kCatchingUp, S::kVerifying,
                           S::kRepairing, S::kDeleting, S::kDiscarding};
constexpr S kOfLive[] = {S::kClaiming,    S::kPreparing,   S::kStaging,     S::kCopying,
                         S::kCatchingUp,  S::kVerifying,   S::kApproaching, S::kFencing,
                         S::kDraining,    S::kReadFencing, S::kDeciding,    S::kActivating,
                         S::kRedirecting, S::kCleaning,    S::kClosing,     S::kPostponing,
                         S::kAborting,    S::kUnfencing,   S::kDiscarding,  S::kReleasing,
                         S::kArming,      S::kTurning,     S::kReversible};

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
// Those in which a target may lose its disk.
bool mayLoseItsTarget(S state) {
  return state == S::kClaiming || state == S::kPreparing || state == S::kStaging || state == S::kReversible ||
         state == S::kCopying || state == S::kCatchingUp || state == S::kVerifying || state == S::kApproaching ||
         state == S::kAborting || state == S::kUnfencing || state == S::kDiscarding;
}
// Several writes before one is synced.
bool writesMany(S state) {
  return state == S::kCopying;
}

std::string_view whyImpossibleForCopies(S state, FaultKind kind) {
  switch (kind) {
    case FaultKind::kRegisterCrash:
    case FaultKind::kRegisterPause:
    case FaultKind::kRegisterSlow:
    case FaultKind::kRegisterError: return "there is no register";
    case FaultKind::kReplay: return "there is no gate";
    case FaultKind::kAnyLoss: return writesMany(state) ? "" : "what is written is synced before it is acknowledged";
    case FaultKind::kEmptyPages: return state == S::kCatchingUp ? "nothing is scanned" : "";
    case FaultKind::kBitRot:
    case FaultKind::kMisdirected: {
      const bool writes = state == S::kCopying || state == S::kCatchingUp || state == S::kRepairing;
      return writes ? "" : "no value is written";
    }
    case FaultKind::kDrop:
    case FaultKind::kDuplicate:
    case FaultKind::kReorder:
    case FaultKind::kCorrupt:
    case FaultKind::kVeryLate:
    case FaultKind::kClog:
    case FaultKind::kPartition:
    case FaultKind::kOneWay:
    case FaultKind::kBandwidth:
    case FaultKind::kMoverCrash:
    case FaultKind::kMoverPause:
    case FaultKind::kMoverSlow:
    case FaultKind::kClockJump:
    case FaultKind::kStoreCrash:
    case FaultKind::kStorePause:
    case FaultKind::kStoreSlow:
    case FaultKind::kStoreError:
    case FaultKind::kDiskError:
    case FaultKind::kDiskFull:
    case FaultKind::kDiskSlow:
    case FaultKind::kFeedLost:
    case FaultKind::kMeddling:
    case FaultKind::kForeign:
    case FaultKind::kGroups:
    case FaultKind::kSwizzle:
    case FaultKind::kClockBack:
    case FaultKind::kClockDrift:
    case FaultKind::kNoMemory:
    case FaultKind::kNarrow:
    case FaultKind::kSlots:
    case FaultKind::kVersionSkew: return {};
    case FaultKind::kStaleRead: return state == S::kVerifying ? "" : "nothing is compared";
    case FaultKind::kDiskLost:
      if (state == S::kRepairing) return "what is repaired was the target's own";
      return state == S::kVerifying || state == S::kDeleting ? "what it has shown is taken for what it holds" : "";
  }
  return {};
}

}  // namespace

std::span<const MigrationState> coveredStates(CoverageOf of) {
  if (of == CoverageOf::kCopies) return kOfCopies;
  return kOfLive;
}

std::string_view whyImpossible(CoverageOf of, MigrationState state, FaultKind kind) {
  if (of == CoverageOf::kCopies) return whyImpossibleForCopies(state, kind);
  const bool ofRegister = state == S::kClaiming || state == S::kDeciding || state == S::kClosing ||
                          state == S::kPostponing || state == S::kAborting ||
                          state == S::kTurning;
  if (kind == FaultKind::kEmptyPages && !scans(state)) return "nothing is scanned";
  if (kind == FaultKind::kBitRot && !writesValues(state)) return "no value is written";
  const bool compares = state == S::kCopying || state == S::kCatchingUp;
  if (kind == FaultKind::kMisdirected && !compares) return "it is not compared any more";
  if (kind == FaultKind::kStaleRead && state != S::kVerifying) return "nothing is compared";
  if (kind == FaultKind::kNoMemory && !reads(state)) return "no page is read";
  if (kind == FaultKind::kAnyLoss && !writesMany(state)) return "what is written is synced before it is acknowledged";
  if (kind == FaultKind::kStoreError && ofRegister) return "only the register is asked";
  if (kind == FaultKind::kDiskLost && !mayLoseItsTarget(state)) return "its source does not serve, or it serves itself, nothing is to be left on it, or it is one call long";
  if (kind == FaultKind::kRegisterError && !ofRegister) return "the register is not asked";
  return {};
}

std::string toTable(CoverageOf of, const Coverage& coverage) {
  std::string text = "| state |";
  for (const FaultInfo& fault : kFaultInfos) text += " " + std::string(fault.name) + " |";
  text += "\n|--|";
  for (uint32_t kind = 0; kind < kFaultKinds; ++kind) text += "--|";
  text += '\n';
  for (const MigrationState state : coveredStates(of)) {
    text += "| " + std::string(stateName(state)) + " |";
    for (uint32_t i = 0; i < kFaultKinds; ++i) {
      const auto kind = static_cast<FaultKind>(i);
      const uint32_t count = coverage.of(state, kind);
      const bool impossible = !whyImpossible(of, state, kind).empty();
      text += " " + (count == 0 && impossible ? "-" : std::to_string(count)) + " |";
    }
    text += '\n';
  }
  return text;
}

std::vector<std::string> uncovered(CoverageOf of, const Coverage& coverage) {
  std::vector<std::string> cells;
  for (const MigrationState state : coveredStates(of)) {
    for (uint32_t i = 0; i < kFaultKinds; ++i) {
      const auto kind = static_cast<FaultKind>(i);
      if (coverage.of(state, kind) != 0 || !whyImpossible(of, state, kind).empty()) continue;
      cells.push_back(std::string(stateName(state)) + " x " + std::string(kFaultInfos[i].name));
    }
  }
  return cells;
}

}  // namespace keyhaul::sim
