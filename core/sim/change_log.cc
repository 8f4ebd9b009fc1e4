#include "change_log.h"

#include <algorithm>
#include <charconv>

#include "sort_few.h"

namespace keyhaul::sim {

std::string ChangeLog::encode(const Position& position) {
  return std::to_string(position.feed) + ":" + std::to_string(position.at);
}

std::optional<ChangeLog::Position> ChangeLog::decode(std::string_view text) {
  Position position;
  const char* end = text.data() + text.size();
  const auto feed = std::from_chars(text.data(), end, position.feed);
  if (feed.ec != std::errc() || feed.ptr == end || *feed.ptr != ':') return std::nullopt;
  const auto at = std::from_chars(feed.ptr + 1, end, position.at);
  if (at.ec != std::errc() || at.ptr != end) return std::nullopt;
  return position;
}

std::string ChangeLog::open() {
  const Position position{++opened_, changes_.size()};
  feeds_[position.feed] = position.at;
  return encode(position);
}

std::optional<ChangeLog::Position> ChangeLog::find(std::string_view text) const {
  const auto position = decode(text);
  if (!position || position->at > changes_.size()) return std::nullopt;
  const auto feed = feeds_.find(position->feed);
  if (feed == feeds_.end() || position->at < feed->second) return std::nullopt;
  return position;
}

void ChangeLog::trim(const Position& upto) {
  const auto feed = feeds_.find(upto.feed);
  if (feed != feeds_.end()) feed->second = std::max(feed->second, upto.at);
}

void ChangeLog::close(uint32_t feed) { feeds_.erase(feed); }

ChangeLog::Position ChangeLog::delayed(const Position& position) {
  const uint64_t began = delayed_.emplace(position.feed, changes_.size()).first->second;
  return {position.feed, std::max(position.at, began)};
}

void ChangeLog::groupByParty(size_t from) {
  // Not across the place where a feed was opened meanwhile: it would miss what moves there.
  for (const auto& [feed, at] : feeds_) from = std::max(from, static_cast<size_t>(at));
  const auto first = changes_.begin() + static_cast<std::ptrdiff_t>(from);
  stableSortFew(first, changes_.end(), [](const LoggedChange& a, const LoggedChange& b) {
    return a.party < b.party;
  });
}

void ChangeLog::forgetHalf() {
  uint64_t oldest = changes_.size();
  for (const auto& [feed, from] : feeds_) oldest = std::min(oldest, from);
  const uint64_t middle = oldest + (changes_.size() - oldest) / 2;
  for (auto& [feed, from] : feeds_) from = std::max(from, middle);
}

}  // namespace keyhaul::sim
