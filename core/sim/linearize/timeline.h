// Operations drawn over time, one a row, so that it can be seen which overlap.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "linearize/history.h"

namespace keyhaul::sim {

struct TimelineRow {
  int64_t client = 0;
  // As in "write 4".
  std::string what;
  Moment invoked = 0;
  Moment returned = kNever;
  // Behind the row.
  std::string note;
};

// "line 3", "lines 3-5", or "line 3, no answer".
std::string spanOf(Moment invoked, Moment returned, std::string_view unit);

// Rows by client, of each by invocation.
std::string drawTimeline(std::vector<TimelineRow> rows, std::string_view unit);

}  // namespace keyhaul::sim
