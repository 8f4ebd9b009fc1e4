// DataMigrator over numbers and addresses: no string crosses.
#include <emscripten/bind.h>

#include <cstring>
#include <string>

#include "keyhaul/migrator.h"

namespace keyhaul {
namespace {

Instant instant(double us) { return Instant{us > 0 ? static_cast<uint64_t>(us) : 0}; }

std::string_view text(uint32_t address, uint32_t bytes) {
  return {reinterpret_cast<const char*>(static_cast<uintptr_t>(address)), bytes};
}

class MigratorHandle {
 public:
  MigratorHandle(uint32_t slots, uint32_t retained, uint32_t kind)
      : kind_(kind == 2 ? ChecksumKind::kCrc32c : ChecksumKind::kCrc32), migrator_({slots, retained, kind_}) {}

  // Ranges: u32 start bytes, u32 end bytes, start, end; each. A negative result is an error.
  double start(uint32_t address, uint32_t count, uint32_t priority, double total, double nowUs) {
    MigrationPlan plan;
    plan.priority = static_cast<uint8_t>(priority);
    for (uint32_t i = 0; i < count; ++i) {
      uint32_t lengths[2];
      std::memcpy(lengths, text(address, 8).data(), sizeof lengths);
      plan.keyRanges.emplace_back(text(address + 8, lengths[0]),
                                  text(address + 8 + lengths[0], lengths[1]));
      address += 8 + lengths[0] + lengths[1];
    }
    const auto id = migrator_.startMigration(plan, instant(nowUs), static_cast<uint64_t>(total));
    if (!id.ok()) return -static_cast<double>(id.code());
    return static_cast<double>(++started_);
  }
  // A negative sequence is none.
  uint32_t transfer(double id, uint32_t key, uint32_t keyBytes, uint32_t value, uint32_t valueBytes,
                    uint32_t checksum, double sequence) {
    DataChunk chunk(text(key, keyBytes), {});
    chunk.value = text(value, valueBytes);
    chunk.checksum = checksum;
    if (sequence >= 0) chunk.sequence = static_cast<uint64_t>(sequence);
    return code(migrator_.transferChunk(name(id), chunk));
  }
  uint32_t complete(double id, double nowUs) {
    auto stats = migrator_.completeMigration(name(id), instant(nowUs));
    if (!stats.ok()) return static_cast<uint32_t>(stats.code());
    stats_ = std::move(stats).value();
    return 0;
  }
  double statBytes() const { return static_cast<double>(stats_.bytesTransferred); }
  double statChunks() const { return static_cast<double>(stats_.chunksTransferred); }
  double statDurationMs() const { return static_cast<double>(stats_.durationMs); }
  uint32_t cancel(double id, double nowUs) {
    return code(migrator_.cancelMigration(name(id), instant(nowUs)));
  }
  uint32_t forget(double id) { return code(migrator_.forget(name(id))); }
  // 0: unknown; else the number of MigrationStatus::State.
  uint32_t state(double id) {
    const auto status = migrator_.getStatus(name(id));
    if (!status) return 0;
    status_ = *status;
    return static_cast<uint32_t>(status_.state);
  }
  double transferred() const { return static_cast<double>(status_.transferred); }
  double total() const { return static_cast<double>(status_.total); }

 private:
  static uint32_t code(Status status) { return static_cast<uint32_t>(status.code()); }
  static std::string name(double id) {
    return "mig-" + std::to_string(static_cast<uint64_t>(id));
  }

  uint64_t started_ = 0;  // ids are given in this order
  ChecksumKind kind_;
  DataMigrator migrator_;
  MigrationStatus status_;
  MigrationStats stats_;
};

}  // namespace

EMSCRIPTEN_BINDINGS(keyhaul_migrator) {
  emscripten::class_<MigratorHandle>("Migrator")
      .constructor<uint32_t, uint32_t, uint32_t>()
      .function("start", &MigratorHandle::start)
      .function("transfer", &MigratorHandle::transfer)
      .function("complete", &MigratorHandle::complete)
      .function("statBytes", &MigratorHandle::statBytes)
      .function("statChunks", &MigratorHandle::statChunks)
      .function("statDurationMs", &MigratorHandle::statDurationMs)
      .function("cancel", &MigratorHandle::cancel)
      .function("forget", &MigratorHandle::forget)
      .function("state", &MigratorHandle::state)
      .function("transferred", &MigratorHandle::transferred)
      .function("total", &MigratorHandle::total);
}

}  // namespace keyhaul
