#include "network.h"

#include <algorithm>
#include <utility>

#include "world.h"

namespace keyhaul::sim {
namespace {
constexpr uint64_t kSecondUs = 1'000'000;
constexpr size_t kRememberedMax = 200;
constexpr size_t kBodiesMax = 32;
constexpr uint64_t kOvertakingUs = 60'000;
}  // namespace

Network::Network(uint64_t seed, const Faults& faults, EventQueue& queue)
    : prng_(seed, "network"),
      delayPrng_(seed, "network delay"),
      damagePrng_(seed, "network damage"),
      foreignPrng_(seed, "network foreign"),
      faults_(faults),
      queue_(queue) {
  Prng draw(seed, "network parameters");
  const uint64_t bandwidth = draw.between(20'000, 1'000'000);
  const uint64_t mean = draw.between(500, 60'000);
  if (faults.on(FaultKind::kBandwidth)) bytesPerSecond_ = bandwidth;
  if (faults.on(FaultKind::kReorder)) meanDelayUs_ = mean;
  // Many calls at once on a path are rare: one in two is as narrow as can be.
  Prng drawCapacity(seed, "network capacity");
  const uint64_t capacity = drawCapacity.below(2) == 0 ? 2 : drawCapacity.between(2, 20);
  if (faults.on(FaultKind::kNarrow)) capacity_ = static_cast<size_t>(capacity);
}

void Network::addNodes(uint32_t count) {
  std::vector<Path> paths(size_t{count} * count);
  for (uint32_t from = 0; from < nodes_; ++from) {
    std::copy_n(paths_.begin() + static_cast<long>(size_t{from} * nodes_), nodes_,
                paths.begin() + static_cast<long>(size_t{from} * count));
  }
  nodes_ = count;
  paths_ = std::move(paths);
}

uint64_t Network::delay(Path& path, uint64_t startUs, size_t bytes) {
  if (bytesPerSecond_ != 0) {
    path.busyUntilUs = std::max(path.busyUntilUs, startUs) + bytes * kSecondUs / bytesPerSecond_;
    startUs = path.busyUntilUs;
  }
  startUs = std::max(startUs, path.cloggedUntilUs);
  if (meanDelay() != 0) return startUs + leastDelayUs_ + delayPrng_.exponential(meanDelay());
  path.lastUs = std::max(path.lastUs, startUs + leastDelayUs_ + delayPrng_.below(leastDelayUs_ / 2));
  return path.lastUs;
}

// Copies that a network makes by itself stand elsewhere, and take no room here.
bool Network::isFull(Path& path, uint64_t nowUs, uint64_t arrivalUs) const {
  if (capacity_ == 0) return false;
  std::erase_if(path.arrivals, [nowUs](uint64_t atUs) { return atUs <= nowUs; });
  if (path.arrivals.size() >= capacity_) return true;
  path.arrivals.push_back(arrivalUs);
  return false;
}

bool Network::strikes(Prng& prng, FaultKind kind, const Message& message) {
  if (!prng.chance(faults_.rate(kind))) return false;
  if (world_ != nullptr) world_->struck(kind, message);
  return true;
}

void Network::send(uint64_t nowUs, Message message, uint64_t delayUs) {
  ++sent_;
  message.checksum = message.computeChecksum();
  message.sentUs = nowUs;
  Path& on = path(message.from, message.to);
  if (world_ != nullptr && meanDelay() != 0) world_->struck(FaultKind::kReorder, message);
  if (world_ != nullptr && bytesPerSecond_ != 0) world_->struck(FaultKind::kBandwidth, message);
  if (faults_.on(FaultKind::kReplay)) remember(message);
  const uint64_t arrivalUs = delay(on, nowUs + delayUs, message.size());
  if (strikes(prng_, FaultKind::kVeryLate, message)) {
    const uint64_t lateUs = arrivalUs + prng_.between(5, 60) * kSecondUs;
    told(nowUs, lateUs, message, Fate::kVeryLate);
    post(lateUs, message);
  }
  if (strikes(prng_, FaultKind::kDuplicate, message)) {
    const uint64_t againUs = arrivalUs + prng_.exponential(20'000);
    told(nowUs, againUs, message, Fate::kDoubled);
    post(againUs, message);
  }
  if (nowUs < on.blockedUntilUs || strikes(prng_, FaultKind::kDrop, message)) {
    return told(nowUs, arrivalUs, message, Fate::kLost);
  }
  if (isFull(on, nowUs, arrivalUs)) {
    if (world_ != nullptr) world_->struck(FaultKind::kNarrow, message);
    return told(nowUs, arrivalUs, message, Fate::kLost);
  }
  Fate fate = Fate::kArrives;
  if (strikes(damagePrng_, FaultKind::kCorrupt, message)) {
    damage(message);
    fate = Fate::kDamaged;
  }
  if (strikes(foreignPrng_, FaultKind::kForeign, message)) {
    makeForeign(message);
    fate = Fate::kDamaged;
  }
  if (faults_.on(FaultKind::kForeign)) keepBody(message);
  told(nowUs, arrivalUs, message, fate);
  post(arrivalUs, std::move(message));
}

void Network::remember(const Message& message) {
  const bool changes = message.kind == MessageKind::kGate || message.kind == MessageKind::kApply ||
                       message.kind == MessageKind::kRegisterSwap ||
                       message.kind == MessageKind::kPut || message.kind == MessageKind::kDelete;
  if (!changes || world_ == nullptr || !world_->hasRegister()) return;
  if (remembered_.size() < kRememberedMax) return remembered_.push_back(message);
  remembered_[nextRemembered_++ % kRememberedMax] = message;
}

void Network::replay(uint64_t nowUs, Prng& prng) {
  if (remembered_.empty()) return;
  const Message& message = remembered_[static_cast<size_t>(prng.below(remembered_.size()))];
  world_->struck(FaultKind::kReplay, message);
  post(nowUs + prng.below(kSecondUs), message);
}

void Network::damage(Message& message) {
  std::string& bytes = message.extra.empty() ? message.body : message.extra;
  if (bytes.empty()) return;
  ++damaged_;
  const auto at = static_cast<size_t>(damagePrng_.below(bytes.size()));
  if (damagePrng_.below(4) == 0) {
    bytes.resize(at);
  } else {
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << damagePrng_.below(8)));
  }
}

// Whole and sound as such, perhaps: of another range, another epoch, another call; or too long.
void Network::makeForeign(Message& message) {
  const uint64_t which = foreignPrng_.below(kBodiesMax + kBodiesMax / 4);
  if (which < bodies_.size()) {
    message.body = bodies_[static_cast<size_t>(which)];
  } else {
    message.body.append(static_cast<size_t>(foreignPrng_.between(1, 64)), '\0');
  }
  ++damaged_;
}

void Network::keepBody(const Message& message) {
  if (message.body.empty()) return;
  if (bodies_.size() < kBodiesMax) return bodies_.push_back(message.body);
  bodies_[nextBody_++ % kBodiesMax] = message.body;
}

void Network::post(uint64_t timeUs, Message message) {
  Queued event;
  event.kind = QueuedKind::kDeliver;
  event.node = message.to;
  if (free_.empty()) {
    event.arg = pool_.size();
    pool_.push_back(std::move(message));
  } else {
    event.arg = free_.back();
    free_.pop_back();
    pool_[static_cast<size_t>(event.arg)] = std::move(message);
  }
  queue_.push(timeUs, event);
}

bool Network::take(uint64_t nowUs, uint64_t index, Message& message) {
  message = std::move(pool_[static_cast<size_t>(index)]);
  free_.push_back(static_cast<uint32_t>(index));
  return path(message.from, message.to).blockedUntilUs <= nowUs;
}

void Network::block(uint16_t from, uint16_t to, uint64_t untilUs) {
  Path& on = path(from, to);
  on.blockedUntilUs = std::max(on.blockedUntilUs, untilUs);
}

void Network::reorder(uint32_t perMillion) {
  leastMeanUs_ = kOvertakingUs * perMillion / 1'000'000;
}

void Network::clog(uint16_t from, uint16_t to, uint64_t untilUs) {
  Path& on = path(from, to);
  on.cloggedUntilUs = std::max(on.cloggedUntilUs, untilUs);
}

void Network::heal() {
  for (Path& on : paths_) on = {};
  bytesPerSecond_ = meanDelayUs_ = leastMeanUs_ = 0;
  capacity_ = 0;
}

}  // namespace keyhaul::sim
