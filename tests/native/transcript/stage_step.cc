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

std::string after(std::string_view position) {
  return position.empty() ? "" : ", after " + escaped(position);
}

}  // namespace

Stage::Operation& Stage::operationOf(std::string_view name) {
  if (!name.starts_with('#')) scriptError("an operation is #1, #2, …: " + std::string(name));
  const uint64_t number = parseNumber(name.substr(1));
  if (number == 0 || number > operations_.size() || !operations_[number - 1].id) {
    scriptError("this engine has no operation " + std::string(name));
  }
  return operations_[number - 1];
}

std::string Stage::nameOf(OpId id) const {
  for (size_t i = operations_.size(); i > 0; --i) {
    if (operations_[i - 1].id == id) return "#" + std::to_string(i);
  }
  return "#?";
}

std::string_view Stage::textOf(const BufferRef& ref) {
  const auto bytes = engine().bytes(ref);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

BufferRef Stage::copyIn(std::string_view bytes) {
  BufferRef ref;
  if (bytes.empty()) return ref;
  std::memcpy(engine().acquire(bytes.size(), ref.buffer).data(), bytes.data(), bytes.size());
  ref.bytes = static_cast<uint32_t>(bytes.size());
  return ref;
}

// page #N [k=v …] [-k …] [end] [@position]
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

// done #N … [@position] [left=N] [entries=N] [bytes=N]
void Stage::done(const Words& args) {
  const size_t first = events_.size();
  for (const std::string& arg : args) {
    if (arg.starts_with('#')) {
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

// failed #N CODE [text …]
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
    if (!operations_[i].journal.empty()) done({"#" + std::to_string(i + 1)});
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

void Stage::print(const Action& action) {
  if (action.kind == ActionKind::kAbort) {
    return line(nameOf(action.migration) + " abort " + nameOf(action.reusesOp));
  }
  size_t run = runs_.size() - 1;
  while (run > 0 && runs_[run].id != action.migration) --run;
  operations_.push_back({action.op, {}, run});
  const std::string head = nameOf(action.migration) + " #" + std::to_string(operations_.size()) + " ";
  const std::string at = nameOf(action.node);
  const std::string_view payload = textOf(action.payload);
  switch (action.kind) {
    case ActionKind::kScan:
      return line(head + "scan " + at + ", " + rangeText(readRange(payload)) + limits(action) +
                  (action.keep ? ", keep" : ""));
    case ActionKind::kApply: {
      std::string text = head + (action.guarded ? "delete if unchanged at " : "apply to ") + at;
      if (action.durable) text += ", durable";
      if (action.reusesOp) text += ", page of " + nameOf(action.reusesOp);
      text += ":";
      const auto frame = readFrame(engine().bytes(action.payload));
      for (const EntryView entry : frame.value()) text += " " + writeText(entry);
      return line(text);
    }
    case ActionKind::kJournal:
      operations_.back().journal = std::string(payload);
      return line(head + "journal: " + journalText(run, payload));
    case ActionKind::kOpenFeed: return line(head + "open feed of " + at + after(payload));
    case ActionKind::kPollFeed:
      return line(head + "poll feed of " + at + after(payload) + limits(action));
    case ActionKind::kTrimFeed: return line(head + "trim feed of " + at + after(payload));
    case ActionKind::kCloseFeed: return line(head + "close feed of " + at);
    case ActionKind::kEstimate: return line(head + "estimate " + at);
    case ActionKind::kAbort: break;
  }
}

}  // namespace keyhaul::transcript
