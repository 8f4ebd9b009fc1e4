// How long what a mover waits for takes in a rehearsal, call by call: a pause is a row of answers, and each is of its
// own kind.
#include "rehearsal.h"

namespace keyhaul::sim {
namespace {

constexpr uint64_t kTurnUs = 20;

// What was measured itself, or what stands for it.
AnswerTime known(uint64_t us, AnswerTime otherwise) {
  return us != 0 ? AnswerTime{us, us} : otherwise;
}

}  // namespace

std::optional<AnswerTime> Rehearsal::answer(const Message& call, MigrationState state) const {
  const bool drains = state == MigrationState::kDraining;
  switch (call.kind) {
    case MessageKind::kGate:
      if (call.verb == GateVerb::kFence) return known(fenceUs, syncs());
      if (call.verb == GateVerb::kFenceReads) return known(readFenceUs, syncs());
      if (call.verb == GateVerb::kActivate) return known(activateUs, syncs());
      return syncs();
    case MessageKind::kRegisterSwap:
      return state == MigrationState::kDeciding ? known(decideUs, syncs()) : syncs();
    case MessageKind::kApply: return drains ? known(drainApplyUs, syncs()) : syncs();
    case MessageKind::kPollFeed:
    case MessageKind::kReadKeys: {
      const uint64_t measuredUs = call.kind == MessageKind::kPollFeed ? drainPollUs : drainLookUs;
      const uint64_t us = drains && measuredUs != 0 ? measuredUs : answerUs;
      if (us == 0) return std::nullopt;
      return AnswerTime{us, us};
    }
    case MessageKind::kHello:
    case MessageKind::kScan:
    case MessageKind::kOpenFeed:
    case MessageKind::kTrimFeed:
    case MessageKind::kCloseFeed:
    case MessageKind::kEstimate:
    case MessageKind::kPut:
    case MessageKind::kDelete:
    case MessageKind::kRead:
    case MessageKind::kClose:
    case MessageKind::kReply:
    case MessageKind::kRegisterRead:
    case MessageKind::kRange: break;
  }
  return std::nullopt;
}

bool Rehearsal::isPause(MigrationState state) {
  return state == MigrationState::kFencing || state == MigrationState::kDraining ||
         state == MigrationState::kReadFencing || state == MigrationState::kDeciding ||
         state == MigrationState::kActivating;
}

uint64_t Rehearsal::turn(MigrationState state) const {
  return isPause(state) && pauseTurnUs != 0 ? pauseTurnUs : kTurnUs;
}

}  // namespace keyhaul::sim
