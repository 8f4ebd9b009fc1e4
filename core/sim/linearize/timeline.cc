#include "linearize/timeline.h"

#include <algorithm>
#include <tuple>

namespace keyhaul::sim {
namespace {

// More moments than this are not drawn: no terminal is so wide.
constexpr size_t kColumnsMax = 64;

std::vector<Moment> columnsOf(std::span<const TimelineRow> rows) {
  std::vector<Moment> moments;
  for (const TimelineRow& row : rows) {
    moments.push_back(row.invoked);
    if (row.returned != kNever) moments.push_back(row.returned);
  }
  std::sort(moments.begin(), moments.end());
  moments.erase(std::unique(moments.begin(), moments.end()), moments.end());
  return moments;
}

std::string barOf(const TimelineRow& row, std::span<const Moment> columns) {
  const auto columnOf = [&](Moment moment) {
    return static_cast<size_t>(std::lower_bound(columns.begin(), columns.end(), moment) -
                               columns.begin());
  };
  std::string bar(columns.size() + 1, ' ');
  const size_t begin = columnOf(row.invoked);
  const size_t end = columnOf(row.returned);
  std::fill(bar.begin() + static_cast<std::ptrdiff_t>(begin),
            bar.begin() + static_cast<std::ptrdiff_t>(end), '-');
  bar[begin] = '|';
  bar[end] = row.returned == kNever ? '>' : '|';
  return bar;
}

std::string padded(std::string text, size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

}  // namespace

std::string spanOf(Moment invoked, Moment returned, std::string_view unit) {
  const std::string name(unit);
  if (returned == kNever) return name + " " + std::to_string(invoked) + ", no answer";
  if (returned == invoked) return name + " " + std::to_string(invoked);
  return name + "s " + std::to_string(invoked) + "-" + std::to_string(returned);
}

std::string drawTimeline(std::vector<TimelineRow> rows, std::string_view unit) {
  std::sort(rows.begin(), rows.end(), [](const TimelineRow& x, const TimelineRow& y) {
    return std::tie(x.client, x.invoked) < std::tie(y.client, y.invoked);
  });
  const std::vector<Moment> columns = columnsOf(rows);
  size_t clientWidth = 0;
  size_t whatWidth = 0;
  for (const TimelineRow& row : rows) {
    clientWidth = std::max(clientWidth, std::to_string(row.client).size());
    whatWidth = std::max(whatWidth, row.what.size());
  }
  std::string out;
  for (const TimelineRow& row : rows) {
    out += "  client " + padded(std::to_string(row.client), clientWidth) + "  ";
    out += padded(row.what, whatWidth) + "  ";
    if (columns.size() <= kColumnsMax) out += barOf(row, columns) + "  ";
    out += spanOf(row.invoked, row.returned, unit);
    out += row.note.empty() ? "\n" : "  <- " + row.note + "\n";
  }
  return out;
}

}  // namespace keyhaul::sim
