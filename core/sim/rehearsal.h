// A rehearsal: the real engine moves a range whose sizes, costs and writers are those measured of
// real stores, in virtual time. Nothing is judged; what is asked is how long it takes.
//
// One simulated entry stands for `scale` real ones, a simulated write for as many writes, and each
// costs that much more. So a range of any size is rehearsed in the time of some ten thousand
// entries, page by page as the real one, unless a page holds fewer than `scale` entries.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "answer_time.h"
#include "keyhaul/migration.h"
#include "message.h"

namespace keyhaul::sim {

struct Options;
class World;

struct Rehearsal {
#define KEYHAUL_REHEARSED(field, name, standard, most, what) uint64_t field = standard;
#include "rehearsal.def"
#undef KEYHAUL_REHEARSED

  // Derived, once the rest is known (prepare()).
  uint64_t scale = 1;
  uint64_t simulatedEntries = 0;
  uint64_t pageRows = 0;  // simulated entries in a page

  void prepare();
  bool live() const { return mode == 4; }
  // What it would take if nothing waited for anything else, and nobody wrote.
  uint64_t leastUs() const;
  // Of the thread: how long something takes there while clients have their part of it.
  uint64_t stretched(uint64_t us) const;
  // A durable write that nothing else is known of.
  AnswerTime syncs() const { return {syncUs, syncMostUs}; }
  // How long a store or the register takes for such a call of a mover, beyond its rows. Behind the fence by what
  // was measured there. Nothing: that is not known.
  std::optional<AnswerTime> answer(const Message& call, MigrationState state) const;
  // Writers wait.
  static bool isPause(MigrationState state);
  // Of the thread, for a completion and what is asked for next.
  uint64_t turn(MigrationState state) const;
  uint64_t rowsUs(uint64_t rows, uint64_t ns) const { return rows * scale * ns / 1'000; }
};

// "entries=1000,bytes=116000"; what is not named has its default. Nothing: not understood.
std::optional<Rehearsal> parseRehearsal(std::string_view text);

// What came of one seed, as a line of JSON. `options.rehearsal` is set.
std::string rehearse(const Options& options);

}  // namespace keyhaul::sim
