// The change log of a store: what its feeds read. It keeps everything for the oracles,
// and knows from where on a feed may still ask.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keyhaul::sim {

struct LoggedChange {
  std::string key;
  std::optional<std::string> value;  // nothing: a delete
  uint32_t hiddenFrom = 0;           // sabotage: the job (+ 1) whose feed leaves it out
  uint32_t party = 0;                // who made it: the client, or the job
};

class ChangeLog {
 public:
  // A position of a feed: "feed:at", all changes before `at` being known.
  struct Position {
    uint32_t feed = 0;
    uint64_t at = 0;
  };
  static std::string encode(const Position& position);
  static std::optional<Position> decode(std::string_view text);

  std::string open();
  // Nothing: the position is lost, or never was.
  std::optional<Position> find(std::string_view position) const;
  void trim(const Position& upto);
  void close(uint32_t feed);
  // Feeds that had not read the older half have lost their place.
  void forgetHalf();
  void forgetFeeds() { feeds_.clear(); }
  // Sabotage: those from `from` on client by client, each one's in their order.
  void groupByParty(size_t from);
  // Sabotage: a feed that was opened at `position` begins when this is first called.
  Position delayed(const Position& position);

  bool isRead() const { return !feeds_.empty(); }
  void append(LoggedChange change) { changes_.push_back(std::move(change)); }
  const std::vector<LoggedChange>& changes() const { return changes_; }

 private:
  std::vector<LoggedChange> changes_;
  std::map<uint32_t, uint64_t> feeds_;  // feed -> the oldest position it may ask for
  std::map<uint32_t, uint64_t> delayed_;  // feed -> where it really began
  uint32_t opened_ = 0;
};

}  // namespace keyhaul::sim
