// Tables of a Markdown file, so that a test holds them to be true.
#pragma once

#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "support/golden.h"

namespace keyhaul::test {

using Row = std::vector<std::string>;

inline Row cellsOf(const std::string& line) {
  Row cells;
  std::stringstream parts(line.substr(1));
  for (std::string cell; std::getline(parts, cell, '|');) {
    const size_t from = cell.find_first_not_of(' '), to = cell.find_last_not_of(' ');
    cells.push_back(from == std::string::npos ? std::string() : cell.substr(from, to - from + 1));
  }
  return cells;
}

// The rows of every table in the simulator's README that has this line at its head.
inline std::vector<Row> tableOfTheSimulator(std::string_view head) {
  std::stringstream text(readFile(std::string(KEYHAUL_GOLDEN_DIR) + "/../../core/sim/README.md"));
  std::vector<Row> rows;
  bool inside = false;
  for (std::string line; std::getline(text, line);) {
    if (line == head) {
      inside = true;
    } else if (line.empty() || line[0] != '|') {
      inside = false;
    } else if (inside && line.rfind("|--", 0) != 0) {
      rows.push_back(cellsOf(line));
    }
  }
  return rows;
}

}  // namespace keyhaul::test
