// The data path: completions in, actions and notices out.
#include <cstring>
#include <optional>
#include <span>
#include <utility>

#include "keyhaul/frame.h"
#include "print.h"
#include "stage.h"
#include "text.h"

namespace keyhaul::transcript {
namespace {

ErrorCode errorOf(std::string_view name) {
  for (uint32_t number = 0; number <= UINT16_MAX; ++number) {
    if (!isKnownError(number)) continue;
    const auto code = static_cast<ErrorCode>(number);
    if (errorName(code) == name) return code;
  }
  scriptError("no error " + std::string(name));
}

uint32_t littleEndian(std::string_view bytes) {
  uint32_t value = 0;
  for (size_t i = 4; i > 0; --i) value = value << 8 | static_cast<uint8_t>(bytes[i - 1]);
  return value;
}

// The payload of a scan; Action in engine.h has its form.
KeyRange readRange(std::string_view payload) {
  const uint32_t lo = littleEndian(payload), hi = littleEndian(payload.substr(4));
  KeyRange range;
  range.lo = payload.substr(8, lo);
  if (hi != UINT32_MAX) range.hi = Bound::at(Key(payload.substr(8 + lo, hi)));
  return range;
}

std::string limits(const Action& action) {
  return " (" + (counted(action.count, "entry") + ", " + counted(action.limitBytes, "byte")) + ")";
}

std::string_view kindName(ActionKind kind) {
  switch (kind) {
    case ActionKind::kScan: return "scan";
    case ActionKind::kApply: return "apply";
    case ActionKind::kJournal: return "journal";
    case ActionKind::kOpenFeed: return "open";
    case ActionKind::kPollFeed: return "poll";
    case ActionKind::kTrimFeed: return "trim";
    case ActionKind::kCloseFeed: return "close";
    case ActionKind::kAbort: return "abort";
    case ActionKind::kEstimate: return "estimate";
    case ActionKind::kRead: return "read";
    case ActionKind::kGate: return "gate";
    case ActionKind::kRegisterRead: return "register";
    case ActionKind::kRegisterSwap: return "swap";
  }
  return "unknown";
}

std::string after(std::string_view position) {
  return position.empty() ? "" : ", after " + escaped(position);
}

}  // namespace

Stage::Operation& Stage::operationOf(std::string_view name) {
  for (Operation& operation : operations_) {
    if (operation.name == name && operation.id) return operation;
  }
  scriptError("this engine has no operation " + std::string(name));
}

std::string Stage::nameOf(OpId id) const {
  for (size_t i = operations_.size(); i > 0; --i) {
    if (operations_[i - 1].id == id) return operations_[i - 1].name;
  }
  return "?";
}

std::string_view Stage::textOf(const BufferRef& ref) const {
  const auto bytes = engine_->bytes(ref);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

BufferRef Stage::copyIn(std::string_view bytes) {
  BufferRef ref;
  if (bytes.empty()) return ref;
  std::memcpy(engine().acquire(bytes.size(), ref.buffer).data(), bytes.data(), bytes.size());
  ref.bytes = static_cast<uint32_t>(bytes.size());
  return ref;
}

// page OPERATION [k=v …] [-k …] [end] [@position]
void Stage::page(const Words& args) {
  if (args.empty()) scriptError("page needs an operation");
  Event event;
  event.kind = EventKind::kPage;
  event.op = operationOf(args[0]).id;
  std::vector<Write> writes;
  std::string position;
  uint64_t dataBytes = 0;
  for (size_t i = 1; i < args.size(); ++i) {
    if (args[i] == "end") {
      event.end = true;
    } else if (args[i].starts_with('@')) {
      position = unescaped(std::string_view(args[i]).substr(1));
    } else {
      writes.push_back(parseWrite(args[i]));
      dataBytes += writes.back().key.size() + writes.back().value.size();
    }
  }
  const uint64_t frame = frameBytes(writes.size(), dataBytes);
  const auto buffer = engine().acquire(frame + position.size(), event.payload.buffer);
  FrameWriter writer(buffer.first(frame), static_cast<uint32_t>(writes.size()));
  for (const Write& write : writes) {
    static_cast<void>(write.deleted ? writer.del(write.key) : writer.put(write.key, write.value));
  }
  writer.finish(ChecksumKind::kNone, 0, 0);
  for (size_t i = 0; i < position.size(); ++i) buffer[frame + i] = static_cast<std::byte>(position[i]);
  event.payload.bytes = static_cast<uint32_t>(frame + position.size());
  event.positionBytes = static_cast<uint32_t>(position.size());
  event.count = static_cast<uint32_t>(writes.size());
  events_.push_back(event);
}

// done OPERATION … [@position] [left=N] [entries=N] [bytes=N]
void Stage::done(const Words& args) {
  const size_t first = events_.size();
  for (const std::string& arg : args) {
    if (arg.starts_with('m')) {
      Operation& operation = operationOf(arg);
      journals_[runs_[operation.run].journal] += operation.journal;
      operation.journal.clear();
      Event event;
      event.op = operation.id;
      events_.push_back(event);
      continue;
    }
    if (events_.size() == first) scriptError("done needs an operation first");
    Event& event = events_.back();
    const size_t equals = arg.find('=');
    if (arg.starts_with('@')) {
      event.payload = copyIn(unescaped(std::string_view(arg).substr(1)));
    } else if (arg.starts_with("left=") || arg.starts_with("entries=")) {
      event.count = static_cast<uint32_t>(parseNumber(arg.substr(equals + 1)));
    } else if (arg.starts_with("bytes=")) {
      event.bytes = parseNumber(arg.substr(equals + 1));
    } else {
      scriptError("done knows no " + arg);
    }
  }
}

// failed OPERATION CODE [text …]
void Stage::failed(const Words& args) {
  if (args.size() < 2) scriptError("failed needs an operation and an error");
  Event event;
  event.kind = EventKind::kFailed;
  event.op = operationOf(args[0]).id;
  event.error = errorOf(args[1]);
  std::string text;
  for (size_t i = 2; i < args.size(); ++i) text += (text.empty() ? "" : " ") + args[i];
  event.payload = copyIn(text);
  events_.push_back(event);
}

// step [TIME]: hands over the completions that were written down since the last one.
void Stage::step(const Words& args) {
  if (args.size() > 1) scriptError("step takes a time at most");
  if (args.size() == 1) now_ = {parseTime(args[0])};
  for (;;) {
    const std::vector<Event> events = std::exchange(events_, {});
    const Ready ready = engine().step(now_, events);
    for (const Notice& notice : ready.notices) print(notice);
    for (const Action& action : ready.actions) print(action);
    if (quickJournal_) answerJournals();
    if (!events_.empty()) continue;
    return line(ready.more                     ? "(step again)"
                : ready.nextDeadline == kNever ? "(nothing to wait for)"
                                               : "(until " + timeText(ready.nextDeadline.us) + ")");
  }
}

void Stage::answerJournals() {
  for (size_t i = 0; i < operations_.size(); ++i) {
    if (!operations_[i].journal.empty()) done({operations_[i].name});
  }
}

void Stage::print(const Notice& notice) {
  const std::string name = nameOf(notice.migration);
  const std::string error(errorName(notice.error));
  const std::string at = notice.node ? " at " + nameOf(notice.node) : "";
  const std::string_view text = textOf(notice.payload);
  switch (notice.kind) {
    case NoticeKind::kState: {
      std::string why;
      if (notice.error != ErrorCode::kOk) why = ": " + error + at;
      if (!text.empty()) why += ", " + std::string(text);
      return line(name + " is " + std::string(stateName(notice.state)) + why);
    }
    case NoticeKind::kProgress:
      return line(name + " makes progress, " + std::string(stateName(notice.state)));
    case NoticeKind::kDifference:
      return line(name + " differs: " + escaped(text) + " is " +
                  std::string(differenceName(notice.difference)));
    case NoticeKind::kThrottleWriters:
      return line(name + " asks for " + std::to_string(notice.perSecond) + " writes a second" + at);
    case NoticeKind::kRefused: return line(name + " refuses: " + error + at);
    case NoticeKind::kWarning: return line(name + " warns: " + error + at);
  }
}

// What the payload adds to the journal, record by record.
std::string Stage::journalText(size_t run, std::string_view payload) const {
  const std::string& file = journals_[runs_[run].journal];
  const std::string whole = file + std::string(payload);
  std::string text;
  auto reader = JournalReader::open(std::as_bytes(std::span(whole)));
  if (!reader.ok()) return "unreadable";
  for (;;) {
    const uint64_t at = reader->validBytes();
    const auto record = reader->next();
    if (!record.ok() || !record.value()) return text;
    if (at >= file.size()) text += (text.empty() ? "" : "; ") + recordText(*record.value());
  }
}

Stage::Operation& Stage::named(const Action& action) {
  size_t run = runs_.size() - 1;
  while (run > 0 && runs_[run].id != action.migration) --run;
  const std::string head = nameOf(action.migration) + "." + std::string(kindName(action.kind));
  size_t number = 1;
  for (const Operation& operation : operations_) {
    const bool same = operation.run == run && operation.kind == action.kind;
    number += same ? 1U : 0U;
  }
  operations_.push_back({head + std::to_string(number), action.op, {}, run, action.kind});
  return operations_.back();
}

void Stage::print(const Action& action) {
  if (action.kind == ActionKind::kAbort) return line(nameOf(action.reusesOp) + " is given up");
  Operation& operation = named(action);
  std::string text = actionText(action);
  if (action.kind == ActionKind::kJournal) {
    operation.journal = std::string(textOf(action.payload));
    text = journalText(operation.run, operation.journal);
  }
  line(operation.name + " " + text);
}

std::string Stage::actionText(const Action& action) const {
  const std::string at = nameOf(action.node);
  const std::string_view payload = textOf(action.payload);
  switch (action.kind) {
    case ActionKind::kScan:
      return at + ", " + rangeText(readRange(payload)) + limits(action) +
             (action.keep ? ", keep" : "");
    case ActionKind::kApply: {
      std::string text = "to " + at;
      if (action.guarded) text += ", delete if unchanged";
      if (action.durable) text += ", durable";
      if (action.reusesOp) text += ", page of " + nameOf(action.reusesOp);
      text += ":";
      const auto frame = readFrame(engine_->bytes(action.payload));
      for (const EntryView entry : frame.value()) text += " " + writeText(entry);
      return text;
    }
    case ActionKind::kOpenFeed: return "feed of " + at + after(payload);
    case ActionKind::kPollFeed: return "feed of " + at + after(payload) + limits(action);
    case ActionKind::kTrimFeed: return "feed of " + at + ", up to " + escaped(payload);
    case ActionKind::kCloseFeed: return "feed of " + at;
    case ActionKind::kRead:  // live migrations have no transcripts yet
    case ActionKind::kGate:
    case ActionKind::kRegisterRead:
    case ActionKind::kRegisterSwap:
    case ActionKind::kEstimate: return at;
    case ActionKind::kJournal:
    case ActionKind::kAbort: break;
  }
  return {};
}

}  // namespace keyhaul::transcript
