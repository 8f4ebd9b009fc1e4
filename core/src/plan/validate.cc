#include "keyhaul/plan.h"
#include "range/order.h"

namespace keyhaul {
namespace {

constexpr uint32_t bit(Capability capability) { return static_cast<uint32_t>(capability); }

bool haveVersions(const Plan& plan) {
  return Capabilities{plan.sourceCapabilities.bits & plan.targetCapabilities.bits}.has(Capability::kVersion);
}

struct Bounded {
  std::string_view field;
  uint64_t value, least, most;
};

// The first number that is outside its bounds, with them.
bool isOutOfBounds(const Plan& plan, PlanProblem& problem) {
  const bool live = plan.mode == MigrationMode::kLive;
  const Bounded all[] = {
      {"lanes", plan.lanes, 1, 64},
      {"windowPages", plan.windowPages, 1, 256},
      {"durablePages", plan.durablePages, 1, 10'000},
      {"pageBytes", plan.pageBytes, 1'024, 64U << 20},
      {"pageEntries", plan.pageEntries, 1, 1'000'000},
      {"entryBytesMax", plan.entryBytesMax, 1'024, 512U << 20},
      {"pauseBudgetMs", live ? plan.pauseBudgetMs : 10, 10, 3'600'000},
      {"reverseWindowMs", live ? plan.reverseWindowMs : 0, 0, kReverseWindowMsMax},
      {"splitMax", live ? plan.splitMax : 0, 0, kSplitMax},
  };
  for (const Bounded& bounded : all) {
    if (bounded.value >= bounded.least && bounded.value <= bounded.most) continue;
    problem.field = bounded.field;
    problem.least = bounded.least;
    problem.most = bounded.most;
    return true;
  }
  return false;
}

ErrorCode checkNames(const Plan& plan, PlanProblem& problem) {
  const auto bad = [](const std::string& name) {
    return name.empty() || name.size() > kNameBytesMax;
  };
  if (bad(plan.source)) problem.field = "source";
  if (bad(plan.target)) problem.field = "target";
  if (!problem.field.empty()) return ErrorCode::kInvalidArgument;
  return plan.source == plan.target ? ErrorCode::kSameStore : ErrorCode::kOk;
}

// Sorts the ranges by their lower end; problems name them as they were given.
ErrorCode checkRanges(Plan& plan, PlanProblem& problem) {
  if (plan.ranges.size() > kRangesMax) {
    problem.field = "ranges";
    return ErrorCode::kLimitExceeded;
  }
  const std::vector<uint32_t> order = orderByLow(plan.ranges);
  for (uint32_t i = 0; i < order.size(); ++i) {
    problem.first = problem.second = order[i];
    const KeyRange& range = plan.ranges[order[i]];
    if (range.empty()) return ErrorCode::kInvalidRange;
    if (i == 0) continue;
    problem.first = order[i - 1];
    if (plan.ranges[order[i - 1]].overlaps(range)) return ErrorCode::kOverlappingRanges;
  }
  problem.first = problem.second = 0;
  std::vector<KeyRange> sorted;
  sorted.reserve(order.size());
  for (const uint32_t index : order) sorted.push_back(std::move(plan.ranges[index]));
  plan.ranges = std::move(sorted);
  return ErrorCode::kOk;
}

ErrorCode checkOptions(const Plan& plan, PlanProblem& problem) {
  if (isOutOfBounds(plan, problem)) return ErrorCode::kInvalidArgument;
  // What stood there before could not be told from what was staged.
  if (plan.mode == MigrationMode::kLive && plan.intoNonempty) problem.field = "intoNonempty";
  if (plan.mode == MigrationMode::kLive && plan.ranges.empty()) problem.field = "ranges";
  if (plan.mode == MigrationMode::kLive && plan.claim == ClaimId{}) problem.field = "claim";
  if (plan.mode != MigrationMode::kLive && plan.reverseWindowMs != 0) problem.field = "reverseWindowMs";
  // The way back, a promise of the caller's and a following are of the whole.
  const bool splits = plan.splitMax > 1;
  const bool whole = plan.mode != MigrationMode::kLive || plan.reverseWindowMs != 0 || plan.operatorFence || plan.follow;
  if (splits && whole) problem.field = "splitMax";
  if (!problem.field.empty()) return ErrorCode::kInvalidArgument;
  if (plan.hostInfo.size() > kHostInfoBytesMax) {
    problem.field = "hostInfo";
    problem.most = kHostInfoBytesMax;
    return ErrorCode::kLimitExceeded;
  }
  // Deleting what nobody has verified is not offered.
  const bool proves = plan.mode == MigrationMode::kLive && plan.require == GuaranteeLevel::kL5;
  // Nor is following a feed that is ahead, unless somebody looks: a copy that begins anew may miss what it gave before.
  const bool early = ((plan.sourceCapabilities.bits | plan.targetCapabilities.bits) & bit(Capability::kFeedEarly)) != 0;
  if ((plan.mode == MigrationMode::kMove || proves || early) && plan.verify == VerifyDepth::kNone) {
    problem.field = "verify";
    return ErrorCode::kInvalidArgument;
  }
  if (plan.reverseWindowMs != 0) {
    problem.missing = missingForReverse(plan.sourceCapabilities, plan.targetCapabilities);
    if (problem.missing != 0) return ErrorCode::kLevelNotMet;
  }
  if (plan.follow && !plan.sourceCapabilities.has(Capability::kFeed)) {
    problem.missing = bit(Capability::kFeed);
    return ErrorCode::kLevelNotMet;
  }
  return ErrorCode::kOk;
}

}  // namespace

uint32_t missingFor(GuaranteeLevel level, Capabilities source, Capabilities target) {
  uint32_t needSource = bit(Capability::kScan);
  uint32_t needTarget = bit(Capability::kScan) | bit(Capability::kApply);
  // A page may be older than what the feed gave before; by versions alone the newer one is known.
  if (((source.bits | target.bits) & bit(Capability::kFeedEarly)) != 0) {
    needSource |= bit(Capability::kVersion);
    needTarget |= bit(Capability::kVersion);
  }
  switch (level) {
    case GuaranteeLevel::kL5:
    case GuaranteeLevel::kL4:
    case GuaranteeLevel::kL3:
      needSource |= bit(Capability::kFence);
      needTarget |= bit(Capability::kActivate);
      [[fallthrough]];
    case GuaranteeLevel::kL2:
    case GuaranteeLevel::kL1: needSource |= bit(Capability::kFeed); [[fallthrough]];
    case GuaranteeLevel::kL0: break;
  }
  return (needSource & ~source.bits) | (needTarget & ~target.bits);
}

bool mergesVersions(const Plan& plan) {
  if (!haveVersions(plan)) return false;
  if (plan.mode == MigrationMode::kVerify) return plan.repair;
  const Capabilities either{plan.sourceCapabilities.bits | plan.targetCapabilities.bits};
  return plan.mode != MigrationMode::kLive || either.has(Capability::kFeedEarly);
}

uint32_t missingForReverse(Capabilities source, Capabilities target) {
  return missingFor(GuaranteeLevel::kL3, target, source);
}

GuaranteeLevel guaranteeLevel(const Plan& plan) {
  const Capabilities source = plan.sourceCapabilities, target = plan.targetCapabilities;
  if (plan.mode == MigrationMode::kVerify) return GuaranteeLevel::kL0;
  if (plan.mode == MigrationMode::kLive) {
    if (plan.operatorFence) return GuaranteeLevel::kL2;
    if (!plan.durable) return GuaranteeLevel::kL3;
    return plan.require == GuaranteeLevel::kL5 ? GuaranteeLevel::kL5 : GuaranteeLevel::kL4;
  }
  // Versions follow by comparing again, so only where something is compared.
  const bool converges = haveVersions(plan) && plan.verify != VerifyDepth::kNone;
  return converges || missingFor(GuaranteeLevel::kL1, source, target) == 0 ? GuaranteeLevel::kL1
                                                                           : GuaranteeLevel::kL0;
}

Result<ValidPlan> validatePlan(Plan plan, PlanProblem* problem) {
  PlanProblem found;
  PlanProblem& out = problem != nullptr ? *problem : found;
  out = {};
  out.code = checkNames(plan, out);
  if (out.code == ErrorCode::kOk) out.code = checkRanges(plan, out);
  if (out.code == ErrorCode::kOk) out.code = checkOptions(plan, out);
  if (out.code == ErrorCode::kOk) {
    out.missing = missingFor(GuaranteeLevel::kL0, plan.sourceCapabilities,
                             plan.targetCapabilities);
    if (plan.mode == MigrationMode::kVerify && !plan.repair) out.missing &= ~bit(Capability::kApply);
    if (plan.mode == MigrationMode::kMove) {
      out.missing |= bit(Capability::kApply) & ~plan.sourceCapabilities.bits;
    }
    if (out.missing != 0) out.code = ErrorCode::kUnsupported;
  }
  if (out.code != ErrorCode::kOk) return out.code;
  const GuaranteeLevel level = guaranteeLevel(plan);
  const GuaranteeLevel least =
      plan.operatorFence ? GuaranteeLevel::kL1 : GuaranteeLevel::kL3;
  const GuaranteeLevel needed =
      plan.mode == MigrationMode::kLive ? std::max(plan.require, least) : plan.require;
  const bool cannotCutOver =
      plan.mode == MigrationMode::kLive &&
      missingFor(least, plan.sourceCapabilities, plan.targetCapabilities) != 0;
  if (level < plan.require || cannotCutOver) {
    out.missing = missingFor(needed, plan.sourceCapabilities, plan.targetCapabilities);
    out.code = ErrorCode::kLevelNotMet;
    return out.code;
  }
  return ValidPlan(std::move(plan), level);
}

}  // namespace keyhaul
