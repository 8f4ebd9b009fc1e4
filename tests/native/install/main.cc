// A project of somebody else's that found keyhaul with find_package.
#include <keyhaul/checksum.h>
#include <keyhaul/engine.h>
#include <keyhaul/migrator.h>

int main() {
  keyhaul::DataMigrator migrator;
  const auto plan = keyhaul::DataMigrator::createPlan("a", "b", {{"a", "z"}});
  const auto id = migrator.startMigration(plan.value(), keyhaul::Instant{0});
  const bool counted = migrator.transferChunk(id.value(), {"key", "value"}).ok();
  const bool engine = keyhaul::Engine::create({}).ok();
  return counted && engine && keyhaul::crc32("123456789") == 0xCBF43926U ? 0 : 1;
}
