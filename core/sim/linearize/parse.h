// Reads histories from text, of two kinds, one event a line:
//
//   INFO  jepsen.util - 3 :invoke :cas [1 2]                               one register
//   {:process 3, :type :invoke, :f :append, :key "k", :value "x"}          a store of strings
//
// Types are :invoke, :ok, :fail and :info (no answer). The line is the moment. Nothing is
// skipped but empty lines and what Jepsen's nemesis did: whatever else does not fit is an error,
// since a verdict on half a history is worth nothing.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "linearize/history.h"

namespace keyhaul::sim {

enum class HistoryKind : uint8_t { kRegister, kKeyValue };

struct History {
  HistoryKind kind = HistoryKind::kRegister;
  // One of them is filled.
  std::vector<Operation> registerOperations;
  std::vector<KeyValueOperation> keyValueOperations;
};

struct ParseError {
  // From 1; 0 if it is about the whole text.
  size_t line = 0;
  std::string message;
};

std::optional<ParseError> parseHistory(std::string_view text, History& history);

}  // namespace keyhaul::sim
