// DataMigrator over numbers and addresses: no string crosses.
#include <emscripten/bind.h>

#include <cstring>
#include <string>

#include "base/number.h"
#include "handles.h"
#include "keyhaul/migrator.h"

namespace keyhaul {
namespace {

std::string_view text(uint32_t address, uint32_t bytes) {
  return {reinterpret_cast<const char*>(static_cast<uintptr_t>(address)), bytes};
}

using boundary::instant;

struct Hosted {
  Hosted(uint32_t slots, uint32_t retained, ChecksumKind kind) : migrator({slots, retained, kind}) {}
  DataMigrator migrator;
  MigrationStatus status;
  MigrationStats stats;
  uint64_t started = 0;   // ids are given in this order
  uint32_t refusal = 0;   // of the last chunk, an error's number
};

boundary::Handles<Hosted>& hosted() {
  static boundary::Handles<Hosted> all;
  return all;
}

uint32_t code(Status status) { return static_cast<uint32_t>(status.code()); }
std::string name(double id) {
  std::string text = "mig-";
  putDecimal(text, static_cast<uint64_t>(id));
  return text;
}

uint32_t create(uint32_t slots, uint32_t retained, uint32_t kind) {
  const auto checksum = kind == 2 ? ChecksumKind::kCrc32c : ChecksumKind::kCrc32;
  return hosted().add(std::make_unique<Hosted>(slots, retained, checksum));
}
void destroy(uint32_t handle) { hosted().remove(handle); }

// Ranges: u32 start bytes, u32 end bytes, start, end; each. A negative result is an error.
double start(uint32_t handle, uint32_t address, uint32_t count, uint32_t priority, double total,
             double nowUs) {
  MigrationPlan plan;
  plan.priority = static_cast<uint8_t>(priority);
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t lengths[2];
    std::memcpy(lengths, text(address, 8).data(), sizeof lengths);
    plan.keyRanges.emplace_back(text(address + 8, lengths[0]),
                                text(address + 8 + lengths[0], lengths[1]));
    address += 8 + lengths[0] + lengths[1];
  }
  Hosted& host = hosted()[handle];
  const auto id = host.migrator.startMigration(plan, instant(nowUs), static_cast<uint64_t>(total));
  return id.ok() ? static_cast<double>(++host.started) : boundary::failure(id.code());
}
// Chunks behind each other, each at a multiple of four bytes: five words (key bytes, value bytes,
// checksum, sequence in two, all ones for none), key, value. How many were taken before one was
// refused, and why is figure 5.
constexpr uint32_t kChunkBytes = 20;
uint32_t transfer(uint32_t handle, double id, uint32_t address, uint32_t count) {
  Hosted& host = hosted()[handle];
  const std::string migration = name(id);
  DataMigrator::Transfer into = host.migrator.transferTo(migration);
  DataChunk chunk;
  for (uint32_t i = 0; i < count; ++i) {
    const auto* words = reinterpret_cast<const uint32_t*>(static_cast<uintptr_t>(address));
    chunk.key = text(address + kChunkBytes, words[0]);
    chunk.value = text(address + kChunkBytes + words[0], words[1]);
    chunk.checksum = words[2];
    const uint64_t sequence = uint64_t{words[4]} << 32 | words[3];
    chunk.sequence = sequence == UINT64_MAX ? std::nullopt : std::optional(sequence);
    host.refusal = code(into.chunk(chunk));
    if (host.refusal != 0) return i;
    address += (kChunkBytes + words[0] + words[1] + 3) & ~3U;
  }
  return count;
}
uint32_t complete(uint32_t handle, double id, double nowUs) {
  Hosted& host = hosted()[handle];
  auto stats = host.migrator.completeMigration(name(id), instant(nowUs));
  if (stats.ok()) host.stats = std::move(stats).value();
  return stats.ok() ? 0 : static_cast<uint32_t>(stats.code());
}
uint32_t cancel(uint32_t handle, double id, double nowUs) {
  return code(hosted()[handle].migrator.cancelMigration(name(id), instant(nowUs)));
}
uint32_t forget(uint32_t handle, double id) {
  return code(hosted()[handle].migrator.forget(name(id)));
}
// 0: unknown; else the number of MigrationStatus::State.
uint32_t state(uint32_t handle, double id) {
  Hosted& host = hosted()[handle];
  const auto status = host.migrator.getStatus(name(id));
  if (!status) return 0;
  host.status = *status;
  return static_cast<uint32_t>(status->state);
}
// Of the last completion (0 bytes, 1 chunks, 2 ms), the last state (3 transferred, 4 total) and
// the last chunk (5 why it was refused).
double figure(uint32_t handle, uint32_t which) {
  const Hosted& host = hosted()[handle];
  const uint64_t figures[] = {host.stats.bytesTransferred, host.stats.chunksTransferred,
                              host.stats.durationMs, host.status.transferred, host.status.total,
                              host.refusal};
  return which < std::size(figures) ? static_cast<double>(figures[which]) : -1;
}

}  // namespace

EMSCRIPTEN_BINDINGS(keyhaul_migrator) {
  emscripten::function("migratorCreate", &create);
  emscripten::function("migratorDestroy", &destroy);
  emscripten::function("migratorStart", &start);
  emscripten::function("migratorTransfer", &transfer);
  emscripten::function("migratorComplete", &complete);
  emscripten::function("migratorCancel", &cancel);
  emscripten::function("migratorForget", &forget);
  emscripten::function("migratorState", &state);
  emscripten::function("migratorFigure", &figure);
}

}  // namespace keyhaul
