// Tells the life of one key, or everything, to the report.
#include "../register.h"
#include "../store.h"
#include "../world.h"
#include "oracles.h"

namespace keyhaul::sim {
namespace {

std::string shortened(const std::string* value) {
  if (value == nullptr) return "nothing";
  return value->size() <= 40 ? *value : value->substr(0, 40) + "…";
}

std::string_view causeName(ChangeCause cause) {
  switch (cause) {
    case ChangeCause::kSetUp: return "set up";
    case ChangeCause::kClient: return "client";
    case ChangeCause::kApply: return "applied for job";
    case ChangeCause::kGuarded: return "deleted for job";
    case ChangeCause::kUndone: return "undone by a crash";
    case ChangeCause::kCleanUp: return "cleaned up for job";
    case ChangeCause::kExpired: return "ended, swept by";
    case ChangeCause::kRot: return "rotted, job";
  }
  return "";
}

class Life : public Oracle {
 public:
  using Oracle::Oracle;
  std::string_view name() const override { return "life"; }

  void onChange(const StoreChange& change) override {
    if (!world_.tellsLife(change.key)) return;
    world_.line(world_.store(change.store).name() + "  " + std::string(change.key) + ": " +
                shortened(change.before) + " -> " + shortened(change.after) + "  (" +
                std::string(causeName(change.cause)) + " " + std::to_string(change.party) + ")");
  }
  void onInvoked(const ClientWrite& write) override { ofClient("writes", write); }
  void onAcked(const ClientWrite& write) override { ofClient("is told of", write); }
  void onRead(std::string_view key, const std::string* value) override {
    if (world_.tellsLife(key)) world_.line(std::string(key) + " is read: " + shortened(value));
  }
  void onTaken(const TakenWrite& write) override {
    if (!world_.tellsLife(write.key)) return;
    world_.line(world_.store(write.store).name() + " takes a write of " + std::string(write.key) +
                " by " + std::to_string(write.client) + " at epoch " + std::to_string(write.epoch));
  }
  void onRoutedRead(const RoutedRead& read) override { onRead(read.key, read.value); }
  void onGate(uint16_t store, const GateCall& call) override {
    const std::string& key = world_.options().explainKey;
    bool concerns = world_.logs();
    for (const KeyRange& range : call.ranges) concerns = concerns || range.contains(key);
    if (!concerns) return;
    world_.line(world_.store(store).name() + "  " + std::string(gateVerbName(call.verb)) + " at " +
                std::to_string(call.epoch) + ", coordinator " + std::to_string(call.coordEpoch));
  }
  void onRegister(const OwnershipMap&, const OwnershipMap& after) override {
    const std::string& key = world_.options().explainKey;
    const Ownership* owner = after.lookup(key);
    std::string text = "register " + std::to_string(world_.theRegister().version()) + ": ";
    if (owner != nullptr) text += owner->owner + " at " + std::to_string(owner->epoch);
    for (const Claim& claim : after.claims()) {
      text += ", " + std::string(claimStateName(claim.state)) + " " + claim.source + " to " +
              claim.target + " at " + std::to_string(claim.epoch) + ", coordinator " +
              std::to_string(claim.coordEpoch);
    }
    world_.line(std::move(text));
  }
  void onState(const Job& job, MigrationState from, MigrationState to) override {
    if (!world_.logs() && !job.contains(world_.options().explainKey)) return;
    world_.line("job " + std::to_string(job.index) + "  " + std::string(stateName(from)) + " -> " +
                std::string(stateName(to)) + "  " + std::string(errorName(job.error)));
  }
  void onMoverCrash(uint16_t mover) override {
    world_.line("mover " + std::to_string(mover) + " dies");
  }

 private:
  void ofClient(std::string_view what, const ClientWrite& write) {
    if (!world_.tellsLife(write.key)) return;
    world_.line("client " + std::to_string(write.client) + " " + std::string(what) + " " +
                std::string(write.key) + " = " + shortened(write.value) +
                (write.refused ? ": no" : write.conditional ? ", if it is " + shortened(write.expected) : ""));
  }
};

}  // namespace

std::unique_ptr<Oracle> makeLife(World& world) { return std::make_unique<Life>(world); }

}  // namespace keyhaul::sim
