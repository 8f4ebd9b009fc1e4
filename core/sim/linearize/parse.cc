#include "linearize/parse.h"

#include <algorithm>
#include <map>

#include "linearize/cursor.h"

namespace keyhaul::sim {
namespace {

using Message = std::optional<std::string>;

enum class EventType : uint8_t { kInvoke, kOk, kFail, kInfo };

constexpr std::string_view kTypes[] = {":invoke", ":ok", ":fail", ":info"};
constexpr std::string_view kRegisterKinds[] = {":read", ":write", ":cas"};
constexpr std::string_view kKeyValueKinds[] = {":get", ":put", ":append"};

// Which of the words stands at the cursor, which then stands behind it.
template <typename Enum, size_t N>
std::optional<Enum> oneOf(Cursor& cursor, const std::string_view (&words)[N]) {
  for (size_t i = 0; i < N; ++i) {
    if (cursor.takeWord(words[i])) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

std::string expected(std::string_view what, const Cursor& cursor) {
  return "expected " + std::string(what) + ", found " + cursor.here();
}

// Joins invocations and returns. A process does one thing at a time; one that got no answer
// may go on with the next.
template <typename Op>
class Pairing {
 public:
  explicit Pairing(std::vector<Op>& operations) : operations_(operations) {}

  Message invoke(Op operation, Moment line) {
    const auto [open, isNew] = open_.try_emplace(operation.client, operations_.size());
    if (!isNew) {
      return "process " + std::to_string(operation.client) + " invokes again, but its " +
             "operation of line " + std::to_string(operations_[open->second].invoked) +
             " has not returned";
    }
    operation.invoked = line;
    operation.returned = kNever;
    operation.outcome = Outcome::kUnknown;
    operations_.push_back(std::move(operation));
    return std::nullopt;
  }

  // The operation of that process that is open, and open no more; none if there is none.
  Op* finish(int64_t client) {
    const auto open = open_.find(client);
    if (open == open_.end()) return nullptr;
    Op& operation = operations_[open->second];
    open_.erase(open);
    return &operation;
  }

 private:
  std::vector<Op>& operations_;
  std::map<int64_t, size_t> open_;
};

// What returned has to be what was invoked.
template <typename Op>
Message differs(const Op* open, const Op& now) {
  const std::string who = "process " + std::to_string(now.client);
  if (open == nullptr) return who + " returns, but has nothing under way";
  if (open->kind == now.kind) return std::nullopt;
  return who + " returns from another operation than it invoked in line " +
         std::to_string(open->invoked);
}

std::string otherArguments(Moment invoked) {
  return "the arguments are not those of the invocation in line " + std::to_string(invoked);
}

class RegisterParser {
 public:
  explicit RegisterParser(std::vector<Operation>& operations) : pairing_(operations) {}

  Message line(std::string_view text, Moment line) {
    Cursor cursor(text, " \t");
    if (!cursor.takeWord("INFO") || !cursor.takeWord("jepsen.util") || !cursor.takeWord("-")) {
      return expected("an event, as in INFO jepsen.util - 0 :invoke :read nil", cursor);
    }
    if (cursor.takeWord(":nemesis")) return std::nullopt;
    Operation now;
    const auto client = cursor.number();
    if (!client) return expected("the number of a process", cursor);
    now.client = *client;
    const auto type = oneOf<EventType>(cursor, kTypes);
    if (!type) return expected(":invoke, :ok, :fail or :info", cursor);
    const auto kind = oneOf<RegisterKind>(cursor, kRegisterKinds);
    if (!kind) return expected(":read, :write or :cas", cursor);
    now.kind = *kind;
    return event(cursor, *type, now, line);
  }

 private:
  Message event(Cursor& cursor, EventType type, Operation now, Moment line) {
    // No answer, with whatever Jepsen says about it.
    const bool silent = type == EventType::kInfo || cursor.takeWord(":timed-out");
    if (silent && (type == EventType::kInvoke || type == EventType::kOk)) {
      return "only :fail and :info can be :timed-out";
    }
    if (!silent) {
      const bool nil = now.kind == RegisterKind::kRead && cursor.takeWord("nil");
      if (!nil && type == EventType::kInvoke && now.kind == RegisterKind::kRead) {
        return expected("nil, for the value to be read", cursor);
      }
      if (Message wrong = nil ? std::nullopt : arguments(cursor, now)) return wrong;
    }
    if (type != EventType::kInfo && !cursor.atEnd()) return expected("the end of the line", cursor);
    if (type == EventType::kInvoke) return pairing_.invoke(now, line);
    Operation* const open = pairing_.finish(now.client);
    if (Message wrong = differs(open, now)) return wrong;
    if (silent) return std::nullopt;
    if (now.kind == RegisterKind::kRead) {
      open->value = now.value;
    } else if (open->value != now.value || open->expected != now.expected) {
      return otherArguments(open->invoked);
    }
    open->outcome = type == EventType::kOk ? Outcome::kOk : Outcome::kRefused;
    open->returned = line;
    return std::nullopt;
  }

  static Message arguments(Cursor& cursor, Operation& now) {
    const bool pair = now.kind == RegisterKind::kCas;
    if (pair && !cursor.take("[")) return expected("[expected new]", cursor);
    for (Value* const value : {&now.expected, &now.value}) {
      if (!pair && value == &now.expected) continue;
      const auto number = cursor.number();
      if (!number || *number == kNil) return expected("a whole number of 64 bits", cursor);
      *value = *number;
    }
    if (pair && !cursor.take("]")) return expected("]", cursor);
    return std::nullopt;
  }

  Pairing<Operation> pairing_;
};

class KeyValueParser {
 public:
  explicit KeyValueParser(std::vector<KeyValueOperation>& operations) : pairing_(operations) {}

  Message line(std::string_view text, Moment line) {
    Cursor cursor(text, " \t,");
    Fields fields;
    if (!cursor.take("{")) return expected("an event in braces", cursor);
    while (!cursor.take("}")) {
      if (Message wrong = field(cursor, fields)) return wrong;
    }
    if (!cursor.atEnd()) return expected("the end of the line", cursor);
    if (!fields.process) return "the event has no :process";
    if (!fields.type) return "the event has no :type";
    if (!fields.kind) return "the event has no :f";
    if (!fields.key) return "the event has no :key";
    return event(std::move(fields), line);
  }

 private:
  struct Fields {
    std::optional<int64_t> process;
    std::optional<EventType> type;
    std::optional<KeyValueKind> kind;
    std::optional<std::string> key;
    std::optional<std::string> value;
  };

  static Message field(Cursor& cursor, Fields& fields) {
    if (cursor.takeWord(":process")) {
      fields.process = cursor.number();
      return fields.process ? std::nullopt : Message(expected("the number of a process", cursor));
    }
    if (cursor.takeWord(":type")) {
      fields.type = oneOf<EventType>(cursor, kTypes);
      return fields.type ? std::nullopt
                         : Message(expected(":invoke, :ok, :fail or :info", cursor));
    }
    if (cursor.takeWord(":f")) {
      fields.kind = oneOf<KeyValueKind>(cursor, kKeyValueKinds);
      return fields.kind ? std::nullopt : Message(expected(":get, :put or :append", cursor));
    }
    const bool isKey = cursor.takeWord(":key");
    if (!isKey && !cursor.takeWord(":value")) {
      return expected(":process, :type, :f, :key, :value or }", cursor);
    }
    if (!isKey && cursor.takeWord("nil")) return std::nullopt;
    std::optional<std::string>& text = isKey ? fields.key : fields.value;
    text = cursor.string();
    return text ? std::nullopt : Message(expected("a string in quotes", cursor));
  }

  Message event(Fields fields, Moment line) {
    KeyValueOperation now;
    now.client = *fields.process;
    now.kind = *fields.kind;
    now.key = std::move(*fields.key);
    const bool looks = now.kind == KeyValueKind::kGet;
    const bool says = looks ? fields.type == EventType::kOk : fields.type != EventType::kInfo;
    if (says && !fields.value) return "the :value has to be a string here";
    now.value = std::move(fields.value).value_or("");
    if (fields.type == EventType::kInvoke) return pairing_.invoke(std::move(now), line);
    KeyValueOperation* const open = pairing_.finish(now.client);
    if (Message wrong = differs(open, now)) return wrong;
    if (open->key != now.key) return otherArguments(open->invoked);
    if (!says) return std::nullopt;
    if (!looks && open->value != now.value) return otherArguments(open->invoked);
    open->value = std::move(now.value);
    open->outcome = fields.type == EventType::kOk ? Outcome::kOk : Outcome::kRefused;
    open->returned = line;
    return std::nullopt;
  }

  Pairing<KeyValueOperation> pairing_;
};

template <typename Parser>
std::optional<ParseError> parseLines(std::string_view text, Parser parser) {
  for (size_t line = 1; !text.empty(); ++line) {
    const size_t length = std::min(text.size(), text.find('\n'));
    std::string_view content = text.substr(0, length);
    text.remove_prefix(std::min(text.size(), length + 1));
    if (content.ends_with('\r')) content.remove_suffix(1);
    if (content.find_first_not_of(" \t") == std::string_view::npos) continue;
    if (Message wrong = parser.line(content, line)) return ParseError{line, std::move(*wrong)};
  }
  return std::nullopt;
}

}  // namespace

std::optional<ParseError> parseHistory(std::string_view text, History& history) {
  history = {};
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return ParseError{0, "there is no event in it"};
  if (text[first] == '{') {
    history.kind = HistoryKind::kKeyValue;
    return parseLines(text, KeyValueParser(history.keyValueOperations));
  }
  return parseLines(text, RegisterParser(history.registerOperations));
}

}  // namespace keyhaul::sim
