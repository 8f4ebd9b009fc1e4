#include "determinism.h"

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "player.h"
#include "simulation.h"
#include "world.h"

namespace keyhaul::sim {
namespace {

constexpr uint64_t kFirstReplay = 64, kLookEvery = 64, kNoEnd = UINT64_MAX;

std::string toText(const Moment& moment) {
  return "event " + std::to_string(moment.events) + ", " + std::to_string(moment.timeUs) + " us, hash " +
         std::to_string(moment.hash) + ", " + std::to_string(moment.violations) + " violations";
}

// One that goes along.
class Beside {
 public:
  Beside(const char* name, Options options) : name_(name), options_(std::move(options)) { begin(); }

  void step() { player_->advance(kNoEnd, kNoEnd, 1); }
  // As a page does; what comes of it does not matter.
  void look() {
    player_->view();
    player_->rows();
    player_->column();
  }
  void beginAnewUpTo(uint64_t events) {
    begin();
    player_->advance(kNoEnd, events, kNoEnd);
  }
  // What is wrong is told once.
  std::optional<Violation> compare(const Moment& straight) {
    const Moment own = player_->now();
    if (differed_ || own == straight) return std::nullopt;
    differed_ = true;
    Violation violation;
    violation.oracle = name_;
    violation.text = "the run is at " + toText(straight) + ", and beside it at " + toText(own);
    violation.timeUs = straight.timeUs;
    violation.event = straight.events;
    return violation;
  }

 private:
  void begin() { player_ = std::make_unique<Player>(options_); }

  const char* name_;
  Options options_;
  std::unique_ptr<Player> player_;
  bool differed_ = false;
};

Options withLog(Options options) {
  options.log = true;
  return options;
}

}  // namespace

Report runBesideItself(const Options& one, const Options& other) {
  const std::unique_ptr<World> straight = worldOf(one);
  if (straight == nullptr) return run(one);
  std::array<Beside, 3> all{Beside("repeatable", other), Beside("observed", withLog(one)), Beside("replayed", one)};
  Beside &observed = all[1], &replayed = all[2];
  std::vector<Violation> differences;
  uint64_t replayAt = kFirstReplay;
  straight->begin();
  for (bool goesOn = true; goesOn;) {
    goesOn = straight->advance();
    if (!goesOn) straight->finish();
    for (Beside& beside : all) beside.step();
    const Moment now = momentOf(*straight);
    if (now.events % kLookEvery == 0) observed.look();
    if (goesOn && now.events == replayAt) {
      replayed.beginAnewUpTo(now.events);
      replayAt *= 2;
    }
    for (Beside& beside : all) {
      if (auto violation = beside.compare(now)) differences.push_back(*std::move(violation));
    }
  }
  Report report = straight->report();
  for (Violation& difference : differences) report.violations.push_back(std::move(difference));
  return report;
}

}  // namespace keyhaul::sim
