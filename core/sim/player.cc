#include "player.h"

#include <algorithm>

#include "json.h"
#include "oracles/oracles.h"
#include "scenario.h"
#include "view.h"
#include "watcher.h"
#include "world.h"

namespace keyhaul::sim {

Moment momentOf(const World& world) {
  return {world.eventNumber(), world.nowUs(), world.hash(), world.report().violations.size()};
}

Player::Player(const Options& options) : world_(std::make_unique<World>(options)) {
  auto watcher = std::make_unique<Watcher>(*world_);
  watcher_ = watcher.get();
  // First, so that what an oracle says of an event comes after the event.
  world_->addOracle(std::move(watcher));
  addOracles(*world_);
  world_->network().watch(watcher_);
  findScenario(options.scenario)->build(*world_);
  world_->begin();
}

Player::~Player() = default;

uint64_t Player::advance(uint64_t untilUs, uint64_t untilEvent, uint64_t most) {
  uint64_t done = 0;
  while (!ended_ && done < most && world_->report().events < untilEvent) {
    const uint64_t nextUs = world_->nextUs();
    if (nextUs == UINT64_MAX) {
      ended_ = true;
      world_->finish();
    } else if (nextUs > untilUs) {
      break;
    } else {
      world_->advance();
      ++done;
    }
    watcher_->look();
  }
  return done;
}

void Player::intervene(Intervention intervention) {
  intervention.timeUs = std::max(intervention.timeUs, world_->nowUs());
  world_->add(intervention);
}

std::string Player::view() { return viewOf(*world_, *watcher_, ended_); }

std::string Player::rows() { return watcher_->heat().rows(); }
std::string Player::column() { return watcher_->heat().column(*watcher_); }

std::string Player::report() const { return toJson(world_->report()); }

std::string Player::marks(size_t from) const {
  std::string json = "[";
  const auto& marks = watcher_->marks();
  for (size_t i = from; i < marks.size(); ++i) {
    const Mark& m = marks[i];
    json += (i == from ? "[" : ",[") + std::to_string(m.timeUs) + ',' + std::to_string(m.event) + ',' +
            std::to_string(static_cast<uint32_t>(m.kind)) + ',' + quoted(m.text) + ']';
  }
  return json + ']';
}

}  // namespace keyhaul::sim
