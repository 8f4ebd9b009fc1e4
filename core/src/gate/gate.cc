#include "keyhaul/gate.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "range/order.h"
#include "range/overlay.h"

namespace keyhaul {
namespace {

// Tells tickets of migrations from positions of clients' writes.
constexpr uint64_t kApplyTicket = 1ULL << 63;

// A caller may give them in any order, and name keys twice.
std::vector<KeyRange> ordered(const std::vector<KeyRange>& ranges) {
  if (inOrder(ranges)) return ranges;
  std::vector<KeyRange> out;
  for (const uint32_t i : orderByLow(ranges)) {
    const KeyRange& range = ranges[i];
    if (range.empty()) continue;
    const bool meets = !out.empty() && !(out.back().hi < Bound::at(range.lo));
    if (!meets) {
      out.push_back(range);
    } else if (out.back().hi < range.hi) {
      out.back().hi = range.hi;
    }
  }
  return out;
}

}  // namespace

std::string_view gateStateName(GateState state) {
  switch (state) {
    case GateState::kAbsent: return "absent";
    case GateState::kServing: return "serving";
    case GateState::kFenced: return "fenced";
    case GateState::kReadFenced: return "readFenced";
    case GateState::kRedirecting: return "redirecting";
    case GateState::kStaged: return "staged";
  }
  return "unknown";
}

std::string_view gateVerbName(GateVerb verb) {
  switch (verb) {
    case GateVerb::kAssign: return "assign";
    case GateVerb::kPrepare: return "prepare";
    case GateVerb::kFence: return "fence";
    case GateVerb::kFenceReads: return "fenceReads";
    case GateVerb::kUnfence: return "unfence";
    case GateVerb::kRedirect: return "redirect";
    case GateVerb::kActivate: return "activate";
    case GateVerb::kDiscard: return "discard";
    case GateVerb::kInspect: return "inspect";
    case GateVerb::kRestage: return "restage";
  }
  return "unknown";
}

bool GateRange::sameAs(const GateRange& other) const {
  return state == other.state && epoch == other.epoch && claim == other.claim &&
         coordEpoch == other.coordEpoch && target == other.target && lost == other.lost;
}

// The first part that ends above `key`.
size_t Gate::firstAbove(KeyView key) const {
  const auto at =
      std::partition_point(ranges_.begin(), ranges_.end(), [key](const GateRange& part) {
        return !part.range.hi.isAbove(key);
      });
  return static_cast<size_t>(at - ranges_.begin());
}

const GateRange* Gate::find(KeyView key) const {
  const size_t at = firstAbove(key);
  return at < ranges_.size() && ranges_[at].range.contains(key) ? &ranges_[at] : nullptr;
}

Admission Gate::answerFor(const GateRange* range, bool write) {
  Admission admission;
  admission.answer = Answer::kMoved;
  if (range == nullptr) return admission;
  admission.epoch = range->epoch;
  switch (range->state) {
    case GateState::kServing: admission.answer = Answer::kOk; break;
    case GateState::kFenced: admission.answer = write ? Answer::kRetry : Answer::kOk; break;
    case GateState::kReadFenced: admission.answer = Answer::kRetry; break;
    case GateState::kStaged:
      admission.owner = range->target;
      if (range->target.empty()) admission.answer = Answer::kRetry;
      break;
    case GateState::kRedirecting: admission.owner = range->target; break;
    case GateState::kAbsent: break;
  }
  return admission;
}

Admission Gate::admitRead(KeyView key) const { return answerFor(find(key), false); }

Admission Gate::admitWrite(std::span<const KeyView> keys) {
  KH_ASSERT(!keys.empty());
  Admission admission;
  for (const KeyView key : keys) {
    admission = answerFor(find(key), true);
    if (admission.answer != Answer::kOk) return admission;
  }
  admission.position = ++last_;
  inFlight_.emplace_hint(inFlight_.end(), last_, std::vector<Key>(keys.begin(), keys.end()));
  return admission;
}

void Gate::landed(uint64_t ticket) {
  if ((ticket & kApplyTicket) == 0) {
    inFlight_.erase(ticket);
  } else {
    applying_.erase(ticket);
  }
}

KeyRange Gate::readable(const KeyRange& range, Admission& why) const {
  KeyRange none{range.lo, Bound::at(range.lo)};
  why = answerFor(find(range.lo), false);
  if (why.answer != Answer::kOk) return none;
  KeyRange part = range;
  Bound reached = ranges_[firstAbove(range.lo)].range.hi;
  while (reached < range.hi) {
    const GateRange* next = find(reached.key());
    if (answerFor(next, false).answer != Answer::kOk) {
      part.hi = reached;
      break;
    }
    reached = next->range.hi;
  }
  return part;
}

bool Gate::quiet(const std::vector<KeyRange>& ranges) const {
  const std::vector<KeyRange> keysOf = ordered(ranges);
  for (const auto& [position, keys] : inFlight_) {
    for (const Key& key : keys) {
      if (touches(keysOf, {key, Bound::at(successor(key))})) return false;
    }
  }
  for (const auto& [ticket, span] : applying_) {
    if (touches(keysOf, span)) return false;
  }
  return true;
}

uint64_t Gate::head(const std::vector<KeyRange>& ranges) const {
  const std::vector<KeyRange> keysOf = ordered(ranges);
  for (const auto& [position, keys] : inFlight_) {
    for (const Key& key : keys) {
      if (touches(keysOf, {key, Bound::at(successor(key))})) return position - 1;
    }
  }
  return last_;
}

// Calls `visit` for each part that `range` is made of: null for keys that no entry names.
template <typename Visit>
Status Gate::eachPart(const KeyRange& range, Visit visit) const {
  Bound at = Bound::at(range.lo);
  for (size_t i = firstAbove(range.lo); i < ranges_.size() && at < range.hi; ++i) {
    const GateRange& part = ranges_[i];
    if (!range.hi.isAbove(part.range.lo)) break;
    if (at < Bound::at(part.range.lo)) {
      if (Status s = visit(nullptr); !s.ok()) return s;
    }
    if (Status s = visit(&part); !s.ok()) return s;
    at = part.range.hi;
  }
  return at < range.hi ? visit(nullptr) : Status{};
}

Status Gate::check(const GateCall& call, const GateRange* at) const {
  const GateState state = at == nullptr ? GateState::kAbsent : at->state;
  const uint64_t epoch = at == nullptr ? 0 : at->epoch;
  const bool own = at != nullptr && at->claim == call.claim;
  const bool lost = at != nullptr && at->lost;
  if (own && call.coordEpoch < at->coordEpoch) return ErrorCode::kSuperseded;
  // The same change again, by this or a later coordinator of the same migration.
  const auto repeats = [&](GateState done) { return own && state == done && epoch == call.epoch; };
  const auto needs = [&](bool allowed) {
    if (epoch > call.epoch) return Status(ErrorCode::kSuperseded);
    return allowed ? Status{} : Status(ErrorCode::kNotOwner);
  };
  const bool fenced = state == GateState::kFenced || state == GateState::kReadFenced;
  switch (call.verb) {
    case GateVerb::kInspect:
      return own && state == GateState::kStaged && (!lost || call.epoch == 0) ? Status{} : ErrorCode::kNotOwner;
    case GateVerb::kAssign:
      if (at == nullptr || (state == GateState::kServing && epoch == call.epoch)) return {};
      return ErrorCode::kNotOwner;
    case GateVerb::kPrepare:
    case GateVerb::kRestage:
      if (call.verb == GateVerb::kRestage && lost) return needs(false);
      if (repeats(GateState::kStaged)) return {};
      if (epoch >= call.epoch) return ErrorCode::kSuperseded;
      if (call.verb == GateVerb::kRestage && (!own || state == GateState::kAbsent)) return ErrorCode::kNotOwner;
      // Staged by an older migration: the register let this one claim the range, so that
      // one has ended and what it left is litter.
      return needs(state == GateState::kAbsent || state == GateState::kRedirecting ||
                   state == GateState::kStaged);
    case GateVerb::kFence:
      if (own && fenced && epoch == call.epoch) return {};
      if (epoch >= call.epoch) return ErrorCode::kSuperseded;
      return needs(state == GateState::kServing);
    case GateVerb::kFenceReads: return needs(own && fenced && epoch == call.epoch);
    case GateVerb::kUnfence:
      if (repeats(GateState::kServing)) return {};
      return needs(state == GateState::kServing || (own && fenced));
    case GateVerb::kRedirect:
      if (repeats(GateState::kRedirecting)) return {};
      return needs(own && fenced && epoch == call.epoch);
    case GateVerb::kActivate:
      if (repeats(GateState::kServing)) return {};
      return needs(own && state == GateState::kStaged && epoch == call.epoch && !lost);
    case GateVerb::kDiscard:
      if (repeats(GateState::kAbsent)) return {};
      // An older coordinator may have staged and filled it after this one looked.
      if (own && state == GateState::kStaged && at->coordEpoch != call.coordEpoch) {
        return ErrorCode::kTargetNotEmpty;
      }
      // What an older migration staged and left is litter, as above.
      return needs(state == GateState::kAbsent || state == GateState::kRedirecting ||
                   state == GateState::kStaged);
  }
  KH_ASSERT(false);
}

Status Gate::change(const GateCall& call) {
  for (const KeyRange& range : call.ranges) {
    const Status s = eachPart(range, [&](const GateRange* at) { return check(call, at); });
    if (!s.ok()) return s;
  }
  if (ranges_.size() + 2 * call.ranges.size() > kGateRangesMax) return ErrorCode::kLimitExceeded;
  GateRange next;
  next.epoch = call.epoch;
  next.claim = call.claim;
  next.coordEpoch = call.coordEpoch;
  switch (call.verb) {
    case GateVerb::kAssign:
    case GateVerb::kUnfence:
    case GateVerb::kActivate: next.state = GateState::kServing; break;
    case GateVerb::kInspect: return {};
    case GateVerb::kPrepare:
    case GateVerb::kRestage: next.state = GateState::kStaged; break;
    case GateVerb::kFence: next.state = GateState::kFenced; break;
    case GateVerb::kFenceReads: next.state = GateState::kReadFenced; break;
    case GateVerb::kDiscard: next.state = GateState::kAbsent; break;
    case GateVerb::kRedirect:
      next.state = GateState::kRedirecting;
      next.target = call.target;
      break;
  }
  std::vector<GateRange> changes;
  for (const KeyRange& range : ordered(call.ranges)) {
    next.range = range;
    if (call.verb == GateVerb::kFence || call.verb == GateVerb::kFenceReads || call.verb == GateVerb::kRedirect) {
      closeParts(next, changes);
    } else if (next.state == GateState::kStaged || call.verb == GateVerb::kDiscard) {
      stageParts(next, changes);
    } else {
      changes.push_back(next);
    }
  }
  ranges_ = overlay(std::move(ranges_), std::move(changes),
                    [](const GateRange& a, const GateRange& b) { return a.sameAs(b); });
  return {};
}

// A fence that comes again must not open the reads that were closed meanwhile, and what is lost stays so.
void Gate::closeParts(const GateRange& call, std::vector<GateRange>& changes) const {
  for (size_t i = firstAbove(call.range.lo); i < ranges_.size(); ++i) {
    const GateRange& part = ranges_[i];
    if (!call.range.hi.isAbove(part.range.lo)) break;
    const bool closed = part.state == GateState::kReadFenced && part.epoch == call.epoch;
    changes.push_back(call);
    GateRange& next = changes.back();
    if (call.state == GateState::kFenced) next.state = closed ? GateState::kReadFenced : GateState::kFenced;
    next.lost = part.lost;
    next.range = {std::max(part.range.lo, call.range.lo), std::min(part.range.hi, call.range.hi)};
  }
}

// What this very migration moved away and now keeps for a way back still sends clients on, and does
// again once it is not kept any more. Only what never was anybody's is absent then. What is lost stays so where the
// call that staged it comes once more.
void Gate::stageParts(const GateRange& call, std::vector<GateRange>& changes) const {
  const bool discards = call.state == GateState::kAbsent;
  const auto put = [&](const KeyRange& range, const std::string& owner, bool lost) {
    changes.push_back(call);
    changes.back().range = range;
    changes.back().target = owner;
    changes.back().lost = lost;
    if (discards && !owner.empty()) changes.back().state = GateState::kRedirecting;
  };
  Bound at = Bound::at(call.range.lo);
  for (size_t i = firstAbove(call.range.lo); i < ranges_.size(); ++i) {
    const GateRange& part = ranges_[i];
    if (!call.range.hi.isAbove(part.range.lo)) break;
    const bool repeats = !discards && part.epoch == call.epoch && part.coordEpoch == call.coordEpoch;
    const bool lost = part.lost && repeats;
    if (part.claim != call.claim || (part.target.empty() && !lost)) continue;
    const KeyRange meets{std::max(part.range.lo, call.range.lo), std::min(part.range.hi, call.range.hi)};
    if (at < Bound::at(meets.lo)) put({at.key(), Bound::at(meets.lo)}, {}, false);
    put(meets, part.target, lost);
    at = meets.hi;
  }
  if (at < call.range.hi) put({at.key(), call.range.hi}, {}, false);
}

// A source that is fenced too: it is what a way back would go back to.
void Gate::emptied() {
  std::vector<GateRange> changes;
  for (const GateRange& part : ranges_) {
    if (!part.mayBeLost()) continue;
    changes.push_back(part);
    changes.back().lost = true;
  }
  ranges_ = overlay(std::move(ranges_), std::move(changes),
                    [](const GateRange& a, const GateRange& b) { return a.sameAs(b); });
}

bool Gate::opens(GateVerb verb) {
  switch (verb) {
    case GateVerb::kAssign:
    case GateVerb::kUnfence:
    case GateVerb::kActivate: return true;
    case GateVerb::kPrepare:
    case GateVerb::kFence:
    case GateVerb::kFenceReads:
    case GateVerb::kRedirect:
    case GateVerb::kDiscard:
    case GateVerb::kRestage:
    case GateVerb::kInspect: return false;
  }
  return false;
}

Result<std::string> Gate::encodeAfter(const GateCall& call) const {
  Gate after;
  after.ranges_ = ranges_;
  if (Status s = after.change(call); !s.ok()) return s;
  return after.encode();
}

uint64_t Gate::apply(const KeyRange& span) {
  const uint64_t ticket = kApplyTicket | ++tickets_;
  applying_.emplace(ticket, span);
  return ticket;
}

Result<uint64_t> Gate::admitApply(const ClaimId& claim, uint64_t coordEpoch,
                                  const KeyRange& span) {
  const Status s = eachPart(span, [&](const GateRange* at) -> Status {
    const bool own = at != nullptr && at->state == GateState::kStaged && at->claim == claim;
    return own && coordEpoch >= at->coordEpoch ? Status{} : ErrorCode::kSuperseded;
  });
  if (!s.ok()) return s;
  return apply(span);
}

Result<uint64_t> Gate::admitCleanUp(uint64_t epoch, const KeyRange& span) {
  const Status s = eachPart(span, [&](const GateRange* at) -> Status {
    const bool gone = at != nullptr && at->state == GateState::kRedirecting && at->epoch == epoch;
    return gone ? Status{} : ErrorCode::kSuperseded;
  });
  if (!s.ok()) return s;
  return apply(span);
}

}  // namespace keyhaul
