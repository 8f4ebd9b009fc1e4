#include "linearize/describe.h"

#include <algorithm>
#include <optional>

#include "linearize/cursor.h"
#include "linearize/timeline.h"

namespace keyhaul::sim {
namespace {

// More helpers than this tell a reader nothing.
constexpr size_t kHelpersMax = 12;

template <typename Op>
bool hasNoAnswer(const Op& operation) {
  return operation.returned == kNever || operation.outcome == Outcome::kUnknown;
}

template <typename Op>
Moment endOf(const Op& operation) {
  return hasNoAnswer(operation) ? kNever : operation.returned;
}

std::string textOf(Value value) { return value == kNil ? "nil" : std::to_string(value); }

std::string nameOf(const Operation& operation) {
  const std::string value = textOf(operation.value);
  switch (operation.kind) {
    case RegisterKind::kRead:
      return "read " + value;
    case RegisterKind::kWrite:
      return "write " + value;
    case RegisterKind::kCas:
      return "cas " + textOf(operation.expected) + " to " + value +
             (operation.outcome == Outcome::kRefused ? " (refused)" : "");
  }
  return {};
}

std::string nameOf(const KeyValueOperation& operation) {
  const std::string value = quoted(operation.value);
  switch (operation.kind) {
    case KeyValueKind::kGet:
      return "get " + value;
    case KeyValueKind::kPut:
      return "put " + value;
    case KeyValueKind::kAppend:
      return "append " + value;
  }
  return {};
}

// The name of an operation and where it stands.
template <typename Op>
std::string cited(const Op& operation, std::string_view unit) {
  return nameOf(operation) + " (" + spanOf(operation.invoked, endOf(operation), unit) + ")";
}

// What the register held when this took effect, or after it.
bool sought(const Operation& operation, Value& value) {
  if (operation.kind == RegisterKind::kWrite || operation.outcome != Outcome::kOk) return false;
  value = operation.kind == RegisterKind::kRead ? operation.value : operation.expected;
  return true;
}

bool makes(const Operation& operation, Value value) {
  return operation.kind != RegisterKind::kRead && operation.outcome != Outcome::kRefused &&
         operation.value == value;
}

// The last of the operations that was over when `last` began and saw or left something else.
const Operation* overwriter(std::span<const Operation> history, const Witness& witness,
                            Value value) {
  const Operation* found = nullptr;
  for (const uint32_t i : witness.operations) {
    const Operation& other = history[i];
    const bool refused = other.outcome == Outcome::kRefused;
    if (endOf(other) >= history[witness.last].invoked) continue;
    if (refused ? other.expected != value : other.value == value) continue;
    if (found == nullptr || other.returned > found->returned) found = &other;
  }
  return found;
}

// "after write 4 (line 8) had been acknowledged and read (line 10)", as far as it is so.
std::string afterWhat(std::span<const Operation> history, const Witness& witness,
                      const Operation& over, std::string_view unit) {
  const Operation& last = history[witness.last];
  if (over.outcome == Outcome::kRefused) {
    return "after " + cited(over, unit) + " had found another value";
  }
  const Operation* made = makes(over, over.value) ? &over : nullptr;
  const Operation* read = made == nullptr ? &over : nullptr;
  for (const uint32_t i : witness.operations) {
    const Operation& other = history[i];
    if (other.value != over.value || endOf(other) >= last.invoked) continue;
    if (other.outcome == Outcome::kRefused) continue;
    if (makes(other, over.value) && made == nullptr) made = &other;
    if (other.kind == RegisterKind::kRead && read == nullptr) read = &other;
  }
  if (made == nullptr) {
    return "after " + textOf(over.value) + " had been read (" +
           spanOf(over.invoked, over.returned, unit) + ")";
  }
  std::string text = "after " + cited(*made, unit) + " had been acknowledged";
  if (read != nullptr) text += " and read (" + spanOf(read->invoked, read->returned, unit) + ")";
  return text;
}

std::string reasonOf(std::span<const Operation> history, const Witness& witness, Value initial,
                     std::string_view unit) {
  const Operation& last = history[witness.last];
  const bool isRead = last.kind == RegisterKind::kRead;
  Value value = kNil;
  if (!sought(last, value)) {
    return cited(last, unit) + " found another value, but in every order of the operations " +
           "the register held " + textOf(last.expected) + " all the while";
  }
  const bool made = std::any_of(history.begin(), history.end(), [&](const Operation& other) {
    return makes(other, value) && other.invoked <= last.returned;
  });
  std::string text = cited(last, unit) + (isRead ? " returned" : " succeeded");
  if (!made && value != initial) {
    return text + (isRead ? " a value" : " on a value") + " that nobody had written";
  }
  const Operation* const over = overwriter(history, witness, value);
  if (over == nullptr) {
    return text + ", but no order of the operations leaves " + textOf(value) + " at that time";
  }
  return text + " " + afterWhat(history, witness, *over, unit);
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string reasonOf(std::span<const KeyValueOperation> history, const Witness& witness,
                     std::string_view unit) {
  const KeyValueOperation& last = history[witness.last];
  const KeyValueOperation* missing = nullptr;
  const KeyValueOperation* earlier = nullptr;
  for (const uint32_t i : witness.operations) {
    const KeyValueOperation& other = history[i];
    if (endOf(other) >= last.invoked) continue;
    if (other.kind == KeyValueKind::kGet) {
      if (!last.value.starts_with(other.value)) earlier = &other;
    } else if (!holds(last.value, other.value)) {
      missing = &other;
    }
  }
  if (missing != nullptr) {
    return cited(last, unit) + " returned a value without what " + cited(*missing, unit) +
           " had added, which had been acknowledged before";
  }
  if (earlier != nullptr) {
    return cited(last, unit) + " returned a value that does not go on from that of " +
           cited(*earlier, unit) + ", which had returned before";
  }
  return "no order of the operations lets " + cited(last, unit) + " return what it returned";
}

template <typename Op>
std::string describe(std::span<const Op> history, const Witness& witness, std::string_view unit,
                     const std::string& reason, size_t considered) {
  std::vector<TimelineRow> rows;
  const auto show = [&](uint32_t i, std::string note) {
    const Op& operation = history[i];
    rows.push_back({operation.client, nameOf(operation), operation.invoked, endOf(operation),
                    std::move(note)});
  };
  for (const uint32_t i : witness.operations) {
    show(i, i == witness.last ? "fits in no order" : "");
  }
  const size_t helpers = std::min(witness.helpers.size(), kHelpersMax);
  for (size_t i = 0; i < helpers; ++i) show(witness.helpers[i], "may take effect at any time");
  std::string out = "shortest witness: " + std::to_string(rows.size()) + " of the " +
                    std::to_string(considered) + " operations up to " + std::string(unit) + " " +
                    std::to_string(history[witness.last].returned) + "\n";
  out += reason + "\n\n" + drawTimeline(std::move(rows), unit);
  if (witness.cut) {
    out += "\nWhat happened up to " + std::string(unit) + " " + std::to_string(*witness.cut) +
           " does not matter: it fails from any value.\n";
  }
  if (!witness.complete) {
    out += "\nThe budget ended before every operation was tried: fewer might do.\n";
  }
  return out;
}

}  // namespace

std::string describeWitness(std::span<const Operation> history, const Witness& witness,
                            Value initial, std::string_view unit) {
  const Moment until = history[witness.last].returned;
  const auto considered =
      std::count_if(history.begin(), history.end(),
                    [&](const Operation& operation) { return operation.invoked <= until; });
  return describe(history, witness, unit, reasonOf(history, witness, initial, unit),
                  static_cast<size_t>(considered));
}

std::string describeWitness(std::span<const KeyValueOperation> history, const Witness& witness,
                            std::string_view unit) {
  const KeyValueOperation& last = history[witness.last];
  const auto considered =
      std::count_if(history.begin(), history.end(), [&](const KeyValueOperation& operation) {
        return operation.key == last.key && operation.invoked <= last.returned;
      });
  return "key " + quoted(last.key) + "\n" +
         describe(history, witness, unit, reasonOf(history, witness, unit),
                  static_cast<size_t>(considered));
}

}  // namespace keyhaul::sim
