#include "boundary.h"

namespace keyhaul::boundary {
namespace {

template <typename Word>
size_t at(Word word) {
  return static_cast<size_t>(word);
}

// So many words more, at once: a row is set word by word, and a vector made for size is a call each.
uint32_t* append(Words& out, size_t words) {
  const size_t base = out.size();
  out.resize(base + words);
  return out.data() + base;
}

}  // namespace

Event readEvent(const uint32_t* words) {
  const auto get = [words](EventWord word) { return words[at(word)]; };
  Event event;
  const uint32_t kind = get(EventWord::kind);
  const uint32_t error = get(EventWord::error);
  event.op = OpId{get(EventWord::op)};
  if (kind < 1 || kind > 3 || error > UINT16_MAX || !isKnownError(error)) {
    event.op = {};
  } else {
    event.kind = static_cast<EventKind>(kind);
    event.error = static_cast<ErrorCode>(error);
  }
  event.end = (get(EventWord::flags) & 1U) != 0;
  event.payload.buffer = BufferId{get(EventWord::payloadBuffer)};
  event.payload.bytes = get(EventWord::payloadBytes);
  event.count = get(EventWord::count);
  event.positionBytes = get(EventWord::positionBytes);
  event.bytes = get(EventWord::bytesLow) | uint64_t{get(EventWord::bytesHigh)} << 32;
  return event;
}

Config readConfig(const uint32_t* words) {
  const auto get = [words](ConfigWord word) { return words[at(word)]; };
  Config config;
  config.slots = get(ConfigWord::slots);
  config.sourceSlots = get(ConfigWord::sourceSlots);
  config.targetSlots = get(ConfigWord::targetSlots);
  config.bytesPerSecond =
      get(ConfigWord::bytesPerSecondLow) | uint64_t{get(ConfigWord::bytesPerSecondHigh)} << 32;
  config.progressEvery = milliseconds(get(ConfigWord::progressEveryMs));
  config.checkpointEvery = milliseconds(get(ConfigWord::checkpointEveryMs));
  config.stallBase = milliseconds(get(ConfigWord::stallMs));
  config.retriesMax = get(ConfigWord::retriesMax);
  config.verifyRoundsMax = get(ConfigWord::verifyRoundsMax);
  config.differencesMax = get(ConfigWord::differencesMax);
  return config;
}

void writeAction(const Action& action, uint32_t payloadAddress, Words& out) {
  uint32_t* row = append(out, kWords<ActionWord>);
  const auto set = [row](ActionWord word, uint32_t value) { row[at(word)] = value; };
  set(ActionWord::kind, static_cast<uint32_t>(action.kind));
  set(ActionWord::flags, (action.durable ? 1U : 0U) | (action.keep ? 2U : 0U) |
                               (action.guarded ? 4U : 0U) | (action.cleanUp ? 8U : 0U) |
                               (action.ifNewer ? 16U : 0U) |
                               uint32_t{action.priority} << 8);
  set(ActionWord::verb, static_cast<uint32_t>(action.verb));
  set(ActionWord::epochLow, static_cast<uint32_t>(action.epoch));
  set(ActionWord::epochHigh, static_cast<uint32_t>(action.epoch >> 32));
  set(ActionWord::coordEpoch, static_cast<uint32_t>(action.coordEpoch));
  set(ActionWord::migration, action.migration.value);
  set(ActionWord::node, action.node.value);
  set(ActionWord::op, action.op.value);
  set(ActionWord::reusesOp, action.reusesOp.value);
  set(ActionWord::payloadAddress, payloadAddress);
  set(ActionWord::payloadBytes, action.payload.bytes);
  set(ActionWord::count, action.count);
  set(ActionWord::limitBytes, action.limitBytes > UINT32_MAX
                                  ? UINT32_MAX
                                  : static_cast<uint32_t>(action.limitBytes));
}

void writeNotice(const Notice& notice, uint32_t payloadAddress, Words& out) {
  uint32_t* row = append(out, kWords<NoticeWord>);
  const auto set = [row](NoticeWord word, uint32_t value) { row[at(word)] = value; };
  set(NoticeWord::kind, static_cast<uint32_t>(notice.kind));
  set(NoticeWord::state, static_cast<uint32_t>(notice.state));
  set(NoticeWord::difference, static_cast<uint32_t>(notice.difference));
  set(NoticeWord::error, static_cast<uint32_t>(notice.error));
  set(NoticeWord::migration, notice.migration.value);
  set(NoticeWord::node, notice.node.value);
  set(NoticeWord::payloadAddress, payloadAddress);
  set(NoticeWord::payloadBytes, notice.payload.bytes);
  set(NoticeWord::perSecond, notice.perSecond > UINT32_MAX ? UINT32_MAX
                                                           : static_cast<uint32_t>(notice.perSecond));
}

}  // namespace keyhaul::boundary
