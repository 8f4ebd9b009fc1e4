#include "intervention.h"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "mover.h"
#include "register.h"
#include "scenario_live.h"
#include "store.h"
#include "world.h"

namespace keyhaul::sim {
namespace {

constexpr uint32_t kUsualMs = 2'000, kMostMs = 60'000;
constexpr uint32_t kSlowFactor = 30;

std::string_view cutAt(std::string_view& rest, char separator) {
  const size_t at = rest.find(separator);
  const std::string_view head = rest.substr(0, at);
  rest = at == std::string_view::npos ? std::string_view() : rest.substr(at + 1);
  return head;
}

template <typename Number>
bool parseInto(std::string_view text, Number& number) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
}

bool parseWhich(std::string_view text, InterventionArgument argument, uint32_t& which) {
  switch (argument) {
    case InterventionArgument::kNode: return parseInto(text, which);
    case InterventionArgument::kNodes: {
      uint16_t from = 0, to = 0;
      const std::string_view first = cutAt(text, '-');
      if (!parseInto(first, from) || !parseInto(text, to) || from == to) return false;
      which = uint32_t{from} << 16 | to;
      return true;
    }
    case InterventionArgument::kFault:
      for (which = 0; which < kFaultKinds; ++which) {
        if (kFaultInfos[which].name == text) return true;
      }
      return false;
    case InterventionArgument::kSabotage: {
      const auto sabotage = parseSabotage(text);
      which = static_cast<uint32_t>(sabotage.value_or(Sabotage::kNone));
      return sabotage.has_value();
    }
  }
  return false;
}

std::optional<Intervention> parseOne(std::string_view text) {
  Intervention made;
  if (!parseInto(cutAt(text, ':'), made.timeUs)) return std::nullopt;
  const std::string_view name = cutAt(text, ':');
  const auto* info = std::find_if(std::begin(kInterventionInfos), std::end(kInterventionInfos),
                                  [&](const InterventionInfo& i) { return i.name == name; });
  if (info == std::end(kInterventionInfos)) return std::nullopt;
  made.kind = static_cast<InterventionKind>(info - std::begin(kInterventionInfos));
  if (!parseWhich(cutAt(text, ':'), info->argument, made.which)) return std::nullopt;
  const bool ofNodes = info->argument == InterventionArgument::kNode ||
                       info->argument == InterventionArgument::kNodes;
  made.amount = ofNodes ? kUsualMs : 0;
  if (!text.empty() && !parseInto(text, made.amount)) return std::nullopt;
  const uint32_t most = ofNodes ? kMostMs : 1'000'000;
  if (made.amount > most) return std::nullopt;
  return made;
}

void cut(World& world, uint16_t node, uint64_t untilUs, bool bothWays) {
  const auto count = static_cast<uint16_t>(world.nodes().size());
  for (uint16_t other = 0; other < count; ++other) {
    world.network().block(node, other, untilUs);
    if (bothWays) world.network().block(other, node, untilUs);
  }
}

Disk* diskOf(Node& node) {
  switch (node.kind()) {
    case NodeKind::kStore: return &static_cast<StoreNode&>(node).disk();
    case NodeKind::kMover: return &static_cast<MoverNode&>(node).disk();
    case NodeKind::kRegister: return &static_cast<RegisterNode&>(node).disk();
    case NodeKind::kClient: break;
  }
  return nullptr;
}

// Two coordinators of one plan, and no more.
void rival(World& world, const Node& mover) {
  for (const auto& job : world.jobs()) {
    if (!job->live || job->mover != mover.id() || job->ended() || world.hasRival(*job)) continue;
    Job& other = addRival(world, job->index, world.mover(job->mover).config(), world.nowUs());
    return world.join(other);
  }
}

void loseZone(World& world, const Node& of, uint64_t untilUs) {
  for (const auto& node : world.nodes()) {
    if (of.zone != 0 && node->zone == of.zone) world.crash(*node, untilUs);
  }
}

// Clients are cut off, and nothing else happens to them.
void strike(World& world, Node& node, InterventionKind kind, uint32_t ms) {
  const uint64_t untilUs = world.nowUs() + uint64_t{ms} * 1'000;
  auto* store = node.kind() == NodeKind::kStore ? static_cast<StoreNode*>(&node) : nullptr;
  auto* mover = node.kind() == NodeKind::kMover ? static_cast<MoverNode*>(&node) : nullptr;
  switch (kind) {
    case InterventionKind::kCrash:
      if (node.kind() != NodeKind::kClient) world.crash(node, untilUs);
      return;
    case InterventionKind::kPause: node.pausedUntilUs = untilUs; return;
    case InterventionKind::kSlow:
      node.slowBy = kSlowFactor;
      node.slowUntilUs = untilUs;
      return;
    case InterventionKind::kCut: return cut(world, node.id(), untilUs, true);
    case InterventionKind::kMute: return cut(world, node.id(), untilUs, false);
    case InterventionKind::kDiskFull:
      if (store != nullptr) store->disk().fillUntil(untilUs);
      if (mover != nullptr) mover->disk().fillUntil(untilUs);
      return;
    case InterventionKind::kClockJump:
      if (mover != nullptr) mover->jumpClock(uint64_t{ms} * 1'000);
      return;
    case InterventionKind::kFeedLost:
      if (store != nullptr) store->forgetHalfTheLog();
      return;
    case InterventionKind::kTorn:
      if (Disk* disk = diskOf(node)) disk->tearNext(uint64_t{ms} * 1'000);
      return;
    case InterventionKind::kRival:
      if (mover != nullptr) rival(world, node);
      return;
    case InterventionKind::kZoneLoss: return loseZone(world, node, untilUs);
    case InterventionKind::kPart:
    case InterventionKind::kOneWay:
    case InterventionKind::kRate:
    case InterventionKind::kSabotage: return;
  }
}

}  // namespace

std::optional<std::vector<Intervention>> parseInterventions(std::string_view list) {
  std::vector<Intervention> all;
  while (!list.empty()) {
    const auto one = parseOne(cutAt(list, ','));
    if (!one) return std::nullopt;
    all.push_back(*one);
  }
  std::stable_sort(all.begin(), all.end(), [](const Intervention& a, const Intervention& b) {
    return a.timeUs < b.timeUs;
  });
  return all;
}

void carryOut(World& world, const Intervention& intervention) {
  if (intervention.kind == InterventionKind::kSabotage) {
    return world.sabotage(static_cast<Sabotage>(intervention.which));
  }
  if (world.healed()) return;
  if (intervention.kind == InterventionKind::kRate) {
    return world.setRate(static_cast<FaultKind>(intervention.which), intervention.amount);
  }
  if (kInterventionInfos[static_cast<size_t>(intervention.kind)].argument == InterventionArgument::kNodes) {
    const auto from = static_cast<uint16_t>(intervention.which >> 16);
    const auto to = static_cast<uint16_t>(intervention.which);
    if (from >= world.nodes().size() || to >= world.nodes().size()) return;
    const uint64_t untilUs = world.nowUs() + uint64_t{intervention.amount} * 1'000;
    world.network().block(from, to, untilUs);
    if (intervention.kind == InterventionKind::kPart) world.network().block(to, from, untilUs);
    return;
  }
  if (intervention.which >= world.nodes().size()) return;
  Node& node = world.node(static_cast<uint16_t>(intervention.which));
  strike(world, node, intervention.kind, intervention.amount);
}

}  // namespace keyhaul::sim
