// What clients ask of a gated store.
#include <algorithm>

#include "gated_store.h"
#include "world.h"

namespace keyhaul::sim {
namespace {
constexpr uint64_t kHeldUsMax = 3'000;
}

void GatedStoreNode::onClient(Message message) {
  if (message.kind == MessageKind::kRange) return showPage(message);
  if (message.kind == MessageKind::kRead) return showRead(message);
  const ClientState& client = clients_[message.party];
  // A client has one call at a time, so a lower number is one that it gave up.
  const bool forgets = (world_.sabotaged(Sabotage::kRetryElsewhere) &&
                        gate_.admitRead(message.body).answer != Answer::kOk) ||
                       (world_.sabotaged(Sabotage::kLooksAgain) && message.conditional && message.call == client.lastCall);
  if (message.call == client.lastCall && client.reply.call == message.call && !forgets) {
    Message reply = client.reply;
    reply.session = message.session;
    return send(std::move(reply), 50);
  }
  if (message.call > client.lastCall || forgets) take(std::move(message));
}

void GatedStoreNode::refuse(const Message& message, const Admission& admission) {
  Message reply = failed(
      message, admission.answer == Answer::kMoved ? ErrorCode::kMoved : ErrorCode::kRetry);
  reply.epoch = admission.epoch;
  reply.extra = std::string(admission.owner);
  send(std::move(reply), 50);
}

// Sabotages: what the gate refuses and the store does all the same.
void GatedStoreNode::bypass(const Message& message, Admission& admission) const {
  const GateRange* part = gateAt(message.body);
  if (admission.answer == Answer::kOk || part == nullptr) return;
  const bool reads = message.kind == MessageKind::kRead;
  const GateState state = part->state;
  const auto is = [this](Sabotage sabotage) { return world_.sabotaged(sabotage); };
  const bool opens =
      (is(Sabotage::kStaleOwner) && !reads && state == GateState::kRedirecting) ||
      (is(Sabotage::kNoReadFence) && reads &&
       (state == GateState::kReadFenced || state == GateState::kRedirecting)) ||
      (is(Sabotage::kStagingShown) && reads && state == GateState::kStaged);
  if (opens) admission.answer = Answer::kOk;
}

void GatedStoreNode::take(Message message) {
  const KeyView key = message.body;
  Admission admission = gate_.admitWrite(std::span(&key, 1));
  bypass(message, admission);
  const bool looks = !world_.sabotaged(Sabotage::kAnyEpoch) &&
                     !world_.sabotaged(Sabotage::kStaleOwner);
  if (looks && admission.answer == Answer::kOk && admission.epoch != message.epoch) {
    gate_.landed(admission.position);
    admission.answer = Answer::kRetry;
  }
  if (admission.answer != Answer::kOk) return refuse(message, admission);
  if (message.conditional) message.found = holdsExpected(message);  // for a sabotage: it looks again when it writes
  if (admission.position != 0) message.tickets.push_back(admission.position);
  // Between its admission and its landing a write takes its time, and others overtake it.
  if (prng_.below(2) == 0) return enqueue(std::move(message));
  held_.emplace(++lastHeld_, std::move(message));
  timer(prng_.below(kHeldUsMax) * slowFactor(), kLand, lastHeld_);
}

// One that looks before it writes, and does both in its place among the writes of its batch. What it found is
// remembered with its number: asked again it would find what it has written itself, or what others have since.
Message GatedStoreNode::executeIf(const Message& message, bool synced) {
  ClientState& client = clients_[message.party];
  if (message.call < client.lastCall) return failed(message, ErrorCode::kSuperseded);
  const bool again = message.call == client.lastCall;
  if (again && !world_.sabotaged(Sabotage::kLooksAgain)) return client.reply;
  Message reply = replyTo(message);
  reply.found = world_.sabotaged(Sabotage::kLooksEarly) ? message.found : holdsExpected(message);
  if (reply.found) {
    Message write = message;
    write.extra.erase(0, message.count);
    if (message.party == id()) {
      change(message.body, nullptr, ChangeCause::kExpired, id(), synced);
    } else {
      static_cast<void>(StoreNode::execute(write, synced));
    }
  }
  client.lastCall = message.call;
  return reply;
}

bool GatedStoreNode::holdsExpected(const Message& message) const {
  const auto at = entries_.find(message.body);
  const std::string_view there = at == entries_.end() ? std::string_view() : at->second;
  return there == std::string_view(message.extra).substr(0, message.count);
}

void GatedStoreNode::showRead(const Message& message) {
  Admission admission = gate_.admitRead(message.body);
  bypass(message, admission);
  if (admission.answer != Answer::kOk) return refuse(message, admission);
  world_.tell([&](Oracle& oracle) { oracle.onShown(id(), message.body); });
  read(message);
}

// As far as this store may show it; the client goes on elsewhere.
void GatedStoreNode::showPage(const Message& message) {
  KeyRange range{message.body, Bound::infinity()};
  if (!message.infinite) range.hi = Bound::at(message.extra);
  Admission admission;
  const KeyRange part = gate_.readable(range, admission);
  if (part.empty()) return refuse(message, admission);
  world_.tell([&](Oracle& oracle) { oracle.onShown(id(), message.body); });
  Message reply = replyTo(message);
  std::vector<Row> rows;
  auto at = entries_.lower_bound(part.lo);
  while (at != entries_.end() && part.hi.isAbove(at->first) && rows.size() < message.count) {
    rows.push_back({&at->first, &at->second});
    ++at;
  }
  const bool more = at != entries_.end() && part.hi.isAbove(at->first);
  reply.end = !more && part.hi == range.hi;
  if (!reply.end) reply.extra = more ? at->first : part.hi.key();
  pack(rows, reply);
  send(std::move(reply), (30 + prng_.below(50)) * slowFactor());
}

}  // namespace keyhaul::sim
