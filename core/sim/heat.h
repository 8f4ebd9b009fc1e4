// The key space in rows, for a map of keys by time: who owns each row, where else it stands,
// whether it is fenced, and how often clients wrote it. Nothing is counted until somebody asks
// for the rows, so that who does not ask pays nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "job.h"

namespace keyhaul::sim {

class World;
class Watcher;

class Heat {
 public:
  explicit Heat(const World& world) : world_(world) {}
  // A client's write of this key was acknowledged.
  void onAcked(std::string_view key);

  // Rows in the order of their keys, as JSON: first and last key, how many, and the jobs they are of.
  // The rows are cut when this is first asked; the jobs are those of now, as some join a running world.
  std::string rows();
  // What there is now, a letter a row, and the writes since this was last asked. rows() comes first.
  std::string column(Watcher& watcher);

 private:
  struct Row {
    std::string first, last, middle;
    uint64_t keys = 0;
    const Job* job = nullptr;      // of a copy or a move; null: of the space that moves live
    uint32_t part = 0, parts = 1;  // of its job, where it is of one
  };
  void divide(const std::vector<std::string>& keys, uint32_t parts, const Job* job);
  std::vector<uint32_t> jobsOf(const Row& row) const;
  void showOwners(std::string& owners, std::string& also, std::string& fenced);
  void showGates(const Row& row, char& owner, char& also, char& fence) const;
  std::string jobColumn(const Job& job, Watcher& watcher);

  const World& world_;
  std::vector<Row> rows_;
  std::vector<uint32_t> writes_;               // by row
  std::vector<std::vector<std::string>> keys_;  // by job
};

}  // namespace keyhaul::sim
