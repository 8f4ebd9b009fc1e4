// Tells the life of one key, or everything, to the report.
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
                std::string(write.key) + " = " + shortened(write.value));
  }
};

}  // namespace

std::unique_ptr<Oracle> makeLife(World& world) { return std::make_unique<Life>(world); }

}  // namespace keyhaul::sim
