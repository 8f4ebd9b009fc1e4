#include "keyhaul/engine.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "migrate/live_factory.h"
#include "migrate/migration.h"
#include "migrate/port.h"
#include "schedule/scheduler.h"

namespace keyhaul {

struct Engine::Impl {
  explicit Impl(const Config& c) : port(c), scheduler(c), config(c) {}

  struct Slot {
    std::unique_ptr<Job> migration;
    uint32_t generation = 0;
    Instant wake = kNever;
    bool dirty = false;
    bool released = false;  // it has ended
    // With the scheduler: it waits for a slot, has one, rests and has given it back, or has given it back to
    // make room and waits for another.
    enum class Turn : uint8_t { kWaits, kRuns, kRests, kMadeRoom } turn = Turn::kWaits;
  };

  Slot* find(MigrationId id);
  const Slot* find(MigrationId id) const { return const_cast<Impl*>(this)->find(id); }
  // A live, not ended migration, or why not.
  Result<Slot*> active(MigrationId id);
  Result<MigrationId> place(Instant now, const Plan& plan, NodeId source, NodeId target);
  void deliver(const Event& event);
  void bind(const Job& job) { port.bind(job.id(), job.priority(), job.merges()); }
  void admit();
  void preempt();
  void pump(uint32_t index);
  void takeTurn(Slot& slot);
  void touch(Slot& slot) { slot.dirty = true; }
  // The highest priority of those that go before others.
  uint8_t ahead() const {
    uint8_t highest = 0;
    for (size_t i = 0; hasLiveMigrations() && i < slots.size(); ++i) {
      const Job* job = slots[i].migration.get();
      if (job != nullptr && job->isAhead()) highest = std::max(highest, job->priority());
    }
    return highest;
  }
  // What may be refused is asked of the migration itself.
  Status ask(MigrationId id, Status (Job::*request)()) {
    Result<Slot*> slot = active(id);
    if (!slot.ok()) return slot.status();
    touch(*slot.value());
    return (slot.value()->migration.get()->*request)();
  }

  Port port;
  Scheduler scheduler;
  Config config;
  std::vector<Slot> slots;
  struct Node {
    uint32_t generation = 0;
    bool live = false;
  };
  std::vector<Node> nodes;
  bool known(NodeId node) const {
    return node && node.slot() < nodes.size() && nodes[node.slot()].live &&
           nodes[node.slot()].generation == node.generation();
  }
  MigrationId yielding;  // the last that was asked to make room
  uint64_t stale = 0;
  bool stepping = false;
  bool thinsOut = false;  // since slots were lowered more run than may
};

Engine::Engine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;
Engine::~Engine() = default;

Result<Engine> Engine::create(const Config& config) {
  const bool sane = config.migrationsMax >= 1 && config.migrationsMax <= 65'535 &&
                    config.verifyRoundsMax >= 1 && config.stallBase.us > 0 &&
                    config.retryFirst.us > 0 && config.bufferBytesMax >= (1U << 20);
  if (!sane) return ErrorCode::kInvalidArgument;
  return Engine(std::make_unique<Impl>(config));
}

Engine::Impl::Slot* Engine::Impl::find(MigrationId id) {
  if (!id || id.slot() >= slots.size()) return nullptr;
  Slot& slot = slots[id.slot()];
  return slot.migration && slot.generation == id.generation() ? &slot : nullptr;
}

Result<Engine::Impl::Slot*> Engine::Impl::active(MigrationId id) {
  Slot* slot = find(id);
  if (slot == nullptr) return ErrorCode::kNotFound;
  const MigrationState state = slot->migration->state();
  if (isFinal(state) || state == MigrationState::kStopped) return ErrorCode::kAlreadyComplete;
  return slot;
}

Result<NodeId> Engine::addNode(std::string_view name) {
  if (name.empty() || name.size() > kNameBytesMax) return ErrorCode::kInvalidArgument;
  auto& nodes = impl_->nodes;
  uint32_t slot = 0;
  while (slot < nodes.size() && nodes[slot].live) ++slot;
  if (slot >= 0xFFFF) return ErrorCode::kLimitExceeded;
  if (slot == nodes.size()) nodes.emplace_back();
  nodes[slot].live = true;
  nodes[slot].generation = nodes[slot].generation >= 0xFFFF ? 1 : nodes[slot].generation + 1;
  return NodeId::make(slot, nodes[slot].generation);
}

Status Engine::removeNode(NodeId node) {
  if (!impl_->known(node)) return ErrorCode::kNotFound;
  for (const Impl::Slot& slot : impl_->slots) {
    if (!slot.migration) continue;
    const bool uses = slot.migration->source() == node || slot.migration->target() == node;
    if (uses) return ErrorCode::kUnsupported;
  }
  impl_->nodes[node.slot()].live = false;
  return {};
}

Result<MigrationId> Engine::Impl::place(Instant now, const Plan& plan, NodeId source,
                                        NodeId target) {
  if (!known(source) || !known(target)) return ErrorCode::kNotFound;
  if (source == target) return ErrorCode::kSameStore;
  uint32_t index = 0;
  while (index < slots.size() && slots[index].migration) ++index;
  if (index >= config.migrationsMax) return ErrorCode::kLimitExceeded;
  if (index == slots.size()) slots.emplace_back();
  Slot& slot = slots[index];
  slot.generation = slot.generation >= 0xFFFF ? 1 : slot.generation + 1;
  slot.wake = kNever;
  slot.dirty = true;
  slot.released = false;
  slot.turn = Slot::Turn::kWaits;
  const MigrationId id = MigrationId::make(index, slot.generation);
  scheduler.enqueue(id, plan.priority, source, target, now);
  return id;
}

Result<MigrationId> Engine::start(Instant now, ValidPlan plan, NodeId source, NodeId target,
                                  bool journal) {
  // What a crash may not lose needs a journal.
  const bool live = plan.plan().mode == MigrationMode::kLive;
  if (live && plan.plan().durable && !journal) return ErrorCode::kLevelNotMet;
  if (live && !hasLiveMigrations()) return ErrorCode::kUnsupported;
  Result<MigrationId> id = impl_->place(now, plan.plan(), source, target);
  if (!id.ok()) return id;
  std::unique_ptr<Job>& place = impl_->slots[id.value().slot()].migration;
  if (live) {
    place = makeLiveMigration(id.value(), std::move(plan), source, target, journal);
  } else {
    place = std::make_unique<Migration>(id.value(), std::move(plan), source, target, journal);
  }
  return id;
}

Result<MigrationId> Engine::resume(Instant now, JournalImage image, NodeId source,
                                   NodeId target) {
  if (image.receipt) return ErrorCode::kAlreadyComplete;
  const bool live = image.plan.plan().mode == MigrationMode::kLive;
  if (live && !hasLiveMigrations()) return ErrorCode::kUnsupported;
  Result<MigrationId> id = impl_->place(now, image.plan.plan(), source, target);
  if (!id.ok()) return id;
  std::unique_ptr<Job>& place = impl_->slots[id.value().slot()].migration;
  if (live) {
    place = makeLiveMigration(id.value(), std::move(image), source, target);
  } else {
    place = std::make_unique<Migration>(id.value(), std::move(image), source, target);
  }
  return id;
}

void Engine::Impl::deliver(const Event& event) {
  Op* op = port.ops().find(event.op);
  if (op == nullptr) {
    ++stale;
    port.buffers().release(event.payload.buffer);
    return;
  }
  const MigrationId id = op->migration;
  const OpTag tag = op->tag;
  port.buffers().release(op->payload);
  port.ops().close(event.op);
  Slot* slot = find(id);
  KH_ASSERT(slot != nullptr);
  bind(*slot->migration);
  slot->migration->onEvent(port, tag, event);
  touch(*slot);
}

void Engine::Impl::admit() {
  while (std::optional<MigrationId> id = scheduler.admit(port.now())) {
    Slot* slot = find(*id);
    KH_ASSERT(slot != nullptr);
    slot->turn = Slot::Turn::kRuns;
    bind(*slot->migration);
    slot->migration->admit(port);
    touch(*slot);
  }
}

// One at a time: when it has given its slot back, somebody gets it. The small WASM module has no room for it.
void Engine::Impl::preempt() {
  if (!hasLiveMigrations()) return;
  const auto mayYield = [this](MigrationId id) { return find(id)->migration->mayYield(); };
  const auto leaves = [this](MigrationId id) { return find(id)->migration->yields(); };
  const auto makeRoom = [this](Slot& slot) { slot.migration->yield(), touch(slot); };
  while (const auto next = scheduler.toThinOut(thinsOut, mayYield, leaves)) makeRoom(*find(*next));
  const Slot* before = find(yielding);
  if (before != nullptr && before->turn == Slot::Turn::kRuns && before->migration->yields()) return;
  if (const auto next = scheduler.toPreempt(port.now(), mayYield)) makeRoom(*find(yielding = *next));
}

void Engine::Impl::pump(uint32_t index) {
  Slot& slot = slots[index];
  slot.dirty = false;
  bind(*slot.migration);
  slot.migration->pump(port);
  slot.wake = port.takeWake();
  const MigrationState state = slot.migration->state();
  if (!slot.released && (isFinal(state) || state == MigrationState::kStopped)) {
    slot.released = true;
    scheduler.remove(slot.migration->id());
  }
  if (!slot.released) takeTurn(slot);
}

// Gives the slot of one that rests to others, and asks for one for it when it has work again.
void Engine::Impl::takeTurn(Slot& slot) {
  Job& job = *slot.migration;
  // Undone or failed meanwhile, it is at work again, slot or not: it counts, so that nobody else is let in.
  if (hasLiveMigrations() && slot.turn == Slot::Turn::kMadeRoom && !job.yields()) {
    scheduler.runAnyway(job.id(), port.now());
    job.admit(port);
    slot.turn = Slot::Turn::kRuns;
  }
  const bool gives = slot.turn == Slot::Turn::kRuns ? job.rests() : slot.turn == Slot::Turn::kWaits && !job.wantsSlot();
  if (gives) {
    scheduler.remove(job.id());
    job.giveSlotBack();
    slot.turn = Slot::Turn::kRests;
  }
  if (slot.turn == Slot::Turn::kRests && job.wantsSlot()) {
    scheduler.enqueue(job.id(), job.priority(), job.source(), job.target(), port.now());
    slot.turn = job.yields() ? Slot::Turn::kMadeRoom : Slot::Turn::kWaits;
  }
}

Ready Engine::step(Instant now, std::span<const Event> events) {
  Impl& impl = *impl_;
  KH_ASSERT(!impl.stepping);
  impl.stepping = true;
  impl.port.beginStep(now);
  for (const OpId op : impl.port.takeRefused()) {
    Event refused;
    refused.kind = EventKind::kFailed;
    refused.error = ErrorCode::kLimitExceeded;
    refused.op = op;
    if (impl.port.ops().find(op) != nullptr) impl.deliver(refused);
  }
  impl.port.setAhead(impl.ahead());
  for (const Event& event : events) impl.deliver(event);
  Ready ready;
  bool again = true;
  while (again) {
    impl.admit();
    impl.preempt();
    again = false;
    for (uint32_t i = 0; i < impl.slots.size(); ++i) {
      Impl::Slot& slot = impl.slots[i];
      if (!slot.migration) continue;
      if (!slot.dirty && impl.port.now() < slot.wake) continue;
      if (impl.port.full()) {
        ready.more = true;
        break;
      }
      const bool released = slot.released;
      const Impl::Slot::Turn turn = slot.turn;
      impl.pump(i);
      if (slot.released != released || slot.turn != turn) again = true;  // a slot may be free for the next
    }
    if (ready.more) break;
  }
  for (const Impl::Slot& slot : impl.slots) {
    if (slot.migration && slot.wake < ready.nextDeadline) ready.nextDeadline = slot.wake;
  }
  if (impl.port.anyRefused()) ready.more = true;
  ready.actions = impl.port.actions();
  ready.notices = impl.port.notices();
  impl.stepping = false;
  return ready;
}

void Engine::setWallClock(Instant now, uint64_t unixMs) { impl_->port.setWallClock(now, unixMs); }

Status Engine::pause(MigrationId id) {
  Result<Impl::Slot*> slot = impl_->active(id);
  if (!slot.ok()) return slot.status();
  slot.value()->migration->setPaused(true);
  impl_->touch(*slot.value());
  return {};
}

Status Engine::unpause(MigrationId id) {
  Result<Impl::Slot*> slot = impl_->active(id);
  if (!slot.ok()) return slot.status();
  slot.value()->migration->setPaused(false);
  impl_->touch(*slot.value());
  return {};
}

Status Engine::stop(MigrationId id) {
  Result<Impl::Slot*> slot = impl_->active(id);
  if (!slot.ok()) return slot.status();
  slot.value()->migration->requestStop();
  impl_->touch(*slot.value());
  return {};
}

Status Engine::cancel(MigrationId id) { return impl_->ask(id, &Job::requestCancel); }

Status Engine::finish(MigrationId id) {
  Result<Impl::Slot*> slot = impl_->active(id);
  if (!slot.ok()) return slot.status();
  slot.value()->migration->finishFollowing();
  impl_->touch(*slot.value());
  return {};
}

Status Engine::reverse(MigrationId id) { return impl_->ask(id, &Job::requestReverse); }

Status Engine::closeWindow(MigrationId id) { return impl_->ask(id, &Job::requestCloseWindow); }

Status Engine::giveUpSource(MigrationId id) { return impl_->ask(id, &Job::requestGiveUp); }

Status Engine::forget(MigrationId id) {
  Impl::Slot* slot = impl_->find(id);
  if (slot == nullptr) return ErrorCode::kNotFound;
  if (!slot->released) return ErrorCode::kUnsupported;
  slot->migration.reset();
  slot->wake = kNever;
  return {};
}

Status Engine::setRate(Instant now, MigrationId id, uint64_t bytesPerSecond) {
  if (!id) {
    impl_->port.bucket().setRate(bytesPerSecond, now);
    for (Impl::Slot& slot : impl_->slots) impl_->touch(slot);
    return {};
  }
  Result<Impl::Slot*> slot = impl_->active(id);
  if (!slot.ok()) return slot.status();
  slot.value()->migration->setRate(now, bytesPerSecond);
  impl_->touch(*slot.value());
  return {};
}

std::span<std::byte> Engine::acquire(uint64_t bytes, BufferId& id) {
  id = impl_->port.buffers().acquire(bytes);
  return id ? impl_->port.buffers().whole(id) : std::span<std::byte>{};
}

void Engine::setSlots(uint32_t all, uint32_t source, uint32_t target) { impl_->thinsOut = impl_->scheduler.setSlots(all, source, target); }

void Engine::release(BufferId id) { impl_->port.buffers().release(id); }

std::span<std::byte> Engine::bytes(const BufferRef& ref) { return impl_->port.buffers().bytes(ref); }

std::optional<MigrationView> Engine::inspect(Instant now, MigrationId id) const {
  const Impl::Slot* slot = impl_->find(id);
  if (slot == nullptr) return std::nullopt;
  return slot->migration->view(now);
}

std::optional<Receipt> Engine::receipt(MigrationId id) const {
  const Impl::Slot* slot = impl_->find(id);
  if (slot == nullptr) return std::nullopt;
  return slot->migration->receipt();
}

uint64_t Engine::staleCompletions() const { return impl_->stale; }
uint64_t Engine::bufferBytes() const { return impl_->port.buffers().heldBytes(); }

uint64_t Engine::stateHash() const {
  uint64_t hash = impl_->slots.size();
  for (const Impl::Slot& slot : impl_->slots) {
    if (slot.migration) hash = slot.migration->hash(hash);
  }
  return hash;
}

}  // namespace keyhaul
