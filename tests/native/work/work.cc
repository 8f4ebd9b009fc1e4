// Small fixed pieces of work, for callgrind to count the instructions of: `node scripts/work.mjs`
// compares them with instructions.json. What prepares a piece is not counted. Run by itself it
// does all of them once and says what they are.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_TOGGLE_COLLECT
#define CALLGRIND_ZERO_STATS
#define CALLGRIND_DUMP_STATS_AT(name)
#endif

#include "event_queue.h"
#include "keyhaul/bucket_tree.h"
#include "keyhaul/frame.h"
#include "keyhaul/journal.h"
#include "keyhaul/migrator.h"
#include "keyhaul/range_set.h"
#include "prng.h"
#include "records.h"
#include "support/endless_copy.h"

namespace keyhaul::test {
namespace {

using bench::keyOf;
using bench::records;

template <typename T>
void use(const T& value) {
  asm volatile("" : : "r"(&value) : "memory");
}

void fail(const char* why) {
  std::fprintf(stderr, "%s\n", why);
  std::abort();
}

// `items` of what the name says are one run of `work`, which is counted.
template <typename Work>
void count(const char* name, uint64_t items, Work&& work) {
  CALLGRIND_ZERO_STATS;
  CALLGRIND_TOGGLE_COLLECT;
  work();
  CALLGRIND_TOGGLE_COLLECT;
  CALLGRIND_DUMP_STATS_AT(name);
  std::printf("%llu\t%s\n", static_cast<unsigned long long>(items), name);
}

void checksums() {
  const std::string bytes(65'536, 'x');
  for (const char* kernel : {"portable", "sparse", "sse42", "pclmul"}) {
    if (!forceChecksumKernel(kernel).ok()) fail("this processor lacks a kernel that is counted");
    for (const ChecksumKind kind : {ChecksumKind::kCrc32, ChecksumKind::kCrc32c}) {
      if (checksumKernelName(kind) != kernel) continue;
      const auto name = std::string(kind == ChecksumKind::kCrc32 ? "crc32" : "crc32c") + "/" + kernel;
      const auto run = [&](size_t length) {
        for (size_t at = 0; at < bytes.size(); at += length) {
          use(checksum(kind, std::as_bytes(std::span(bytes)).subspan(at, length)));
        }
      };
      run(64);  // makes its tables
      count((name + ", 64 KiB by 64 B, bytes").c_str(), bytes.size(), [&] { run(64); });
      count((name + ", 64 KiB by 512 B, bytes").c_str(), bytes.size(), [&] { run(512); });
      count((name + ", 64 KiB at once, bytes").c_str(), bytes.size(), [&] { run(bytes.size()); });
    }
  }
}

void digests() {
  DigestKey key{};
  key[7] = std::byte{42};
  count("digest of a new key", 1, [&] { use(EntryHasher(key)); });
  const EntryHasher hasher(key);
  for (const size_t valueBytes : {100U, 1'000U, 4'096U}) {
    const auto all = records(100, valueBytes);
    const auto name = "digest, values of " + std::to_string(valueBytes) + " B, entries";
    count(name.c_str(), all.size(), [&] {
      for (const auto& [k, v] : all) use(hasher.hash(k, v));
    });
  }
}

void frames() {
  const auto all = records(1'000, 100);
  std::vector<std::byte> out(frameBytes(all.size(), all.size() * 116));
  count("frame written, CRC-32C, entries", all.size(), [&] {
    FrameWriter writer(out, static_cast<uint32_t>(all.size()));
    for (const auto& [k, v] : all) writer.put(k, v);
    use(writer.finish(ChecksumKind::kCrc32c, 0, 1));
  });
  count("frame read, CRC-32C, entries", all.size(), [&] {
    const auto frame = readFrame(out);
    if (!frame.ok()) fail("the frame is not read");
    for (const EntryView entry : frame.value()) use(entry);
  });
}

// Of Engine::step alone.
void engine(const char* name, const EndlessCopy::Shape& shape, uint32_t steps, bool byEntries) {
  EndlessCopy copy(shape);
  for (int i = 0; i < 30; ++i) copy.step();
  const uint64_t events = copy.eventsGiven(), pages = copy.pagesApplied();
  CALLGRIND_ZERO_STATS;
  for (uint32_t i = 0; i < steps; ++i) {
    copy.step([] { CALLGRIND_TOGGLE_COLLECT; }, [] { CALLGRIND_TOGGLE_COLLECT; });
  }
  CALLGRIND_DUMP_STATS_AT(name);
  const uint64_t items = byEntries ? (copy.pagesApplied() - pages) * shape.pageEntries : copy.eventsGiven() - events;
  std::printf("%llu\t%s\n", static_cast<unsigned long long>(items), name);
}

void engines() {
  EndlessCopy::Shape shape;
  shape.pageEntries = 1;
  engine("engine, one copy, pages of one entry, events", shape, 1'000, false);
  shape.migrations = 1'000;
  engine("engine, 1,000 copies, pages of one entry, events", shape, 10, false);
  shape.migrations = 1;
  shape.pageEntries = 1'000;
  engine("engine, one copy, pages of 1,000 entries, entries", shape, 30, true);
  shape.verify = true;
  engine("engine, comparison, pages of 1,000 entries, events", shape, 30, false);
}

void queue() {
  sim::Prng prng(1, "work");
  sim::EventQueue queue;
  for (int i = 0; i < 10'000; ++i) queue.push(prng.below(20'000), {});
  std::vector<uint64_t> gaps;
  for (int i = 0; i < 5'000; ++i) gaps.push_back(1 + prng.below(20'000));
  count("event queue, 10,000 pending, events", gaps.size(), [&] {
    for (const uint64_t gap : gaps) {
      uint64_t timeUs = 0;
      const sim::Queued event = queue.pop(timeUs);
      queue.push(timeUs + gap, event);
    }
  });
}

void migrator() {
  const auto all = records(1'000, 100);
  DataMigrator migrator;
  const auto plan = DataMigrator::createPlan("a", "b", {{all.front().first, all.back().first}});
  const auto id = migrator.startMigration(plan.value(), Instant{1});
  std::vector<DataChunk> chunks;
  for (const auto& [k, v] : all) chunks.emplace_back(k, v);
  count("migrator, chunks of 116 B", chunks.size(), [&] {
    for (const DataChunk& chunk : chunks) {
      if (!migrator.transferChunk(id.value(), chunk).ok()) fail("a chunk is refused");
    }
  });
}

void journal() {
  CheckpointRecord record;
  record.upto = successor(keyOf(42));
  record.leaf.entries = 40'000;
  JournalWriter writer;
  std::string out;
  out.reserve(1 << 20);
  count("journal, checkpoints written", 1'000, [&] {
    for (int i = 0; i < 1'000; ++i) writer.append(record, out);
  });
}

void ranges() {
  std::vector<KeyRange> comb;
  std::vector<Key> cuts;
  for (uint64_t i = 1; i <= 1'000; ++i) {
    comb.push_back({keyOf(i * 100), Bound::at(keyOf(i * 100 + 50))});
    cuts.push_back(keyOf(i * 100));
  }
  const RangeSet set = RangeSet::of(std::move(comb));
  BucketTree tree = std::move(BucketTree::create(KeyRange::all(), std::move(cuts))).value();
  std::vector<std::string> keys;
  for (uint64_t i = 0; i < 1'000; ++i) keys.push_back(keyOf(i * 7'919 % 100'000));
  count("range set of 1,000, keys looked up", keys.size(), [&] {
    for (const std::string& key : keys) use(set.contains(std::string_view(key)));
  });
  count("bucket tree of 1,001, writes", keys.size(), [&] {
    for (const std::string& key : keys) use(tree.add(key, {1, 2, 1, 116}).ok());
  });
}

}  // namespace
}  // namespace keyhaul::test

int main() {
  using namespace keyhaul::test;
  checksums();
  // The fastest that callgrind can run: a machine's own choice would be another count.
  if (!keyhaul::forceChecksumKernel("pclmul").ok()) return 1;
  digests();
  frames();
  engines();
  queue();
  migrator();
  journal();
  ranges();
}
