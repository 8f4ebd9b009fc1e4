#include "heat.h"

#include <algorithm>
#include <utility>

#include "gated_store.h"
#include "json.h"
#include "mover.h"
#include "sides.h"
#include "watcher.h"
#include "world.h"

namespace keyhaul::sim {
namespace {

constexpr uint32_t kRowsMax = 48;
constexpr char kNobody = '-';

std::string n(uint64_t value) { return std::to_string(value); }
// Stores come first among the nodes.
char letter(uint16_t store) { return static_cast<char>('a' + store); }

}  // namespace

void Heat::onAcked(std::string_view key) {
  if (rows_.empty()) return;
  const auto above = std::upper_bound(rows_.begin(), rows_.end(), key,
                                      [](std::string_view one, const Row& row) { return one < row.first; });
  if (above != rows_.begin()) ++writes_[static_cast<size_t>(above - rows_.begin()) - 1];
}

void Heat::divide(const std::vector<std::string>& keys, uint32_t parts, const Job* job) {
  parts = std::min(parts, static_cast<uint32_t>(keys.size()));
  for (uint32_t part = 0; part < parts; ++part) {
    // As compare() cuts them: those i with i * parts / keys == part.
    const size_t from = (part * keys.size() + parts - 1) / parts;
    const size_t to = ((part + 1) * keys.size() + parts - 1) / parts;
    rows_.push_back({keys[from], keys[to - 1], keys[from + (to - from) / 2], to - from, job, part, parts});
  }
}

std::vector<uint32_t> Heat::jobsOf(const Row& row) const {
  std::vector<uint32_t> jobs;
  if (row.job != nullptr) jobs.push_back(row.job->index);
  for (const auto& live : world_.jobs()) {
    const bool idle = live->spare && !live->begun;  // nobody has seen it, and mostly nobody will
    if (live->live && !idle && live->contains(row.middle)) jobs.push_back(live->index);
  }
  return jobs;
}

std::string Heat::rows() {
  if (rows_.empty()) {
    const auto jobs = static_cast<uint32_t>(world_.jobs().size());
    const uint32_t each = std::clamp(kRowsMax / std::max(1U, jobs), 2U, 16U);
    if (world_.hasRegister()) divide(world_.space().keys, kRowsMax, nullptr);
    for (const auto& job : world_.jobs()) {
      if (!job->live) divide(job->keys, each, job.get());
    }
    std::sort(rows_.begin(), rows_.end(), [](const Row& a, const Row& b) { return a.first < b.first; });
    writes_.assign(rows_.size(), 0);
  }
  std::string json = "[";
  for (const Row& row : rows_) {
    json += (json.size() == 1 ? "{" : ",{") + ("\"first\":" + quoted(row.first)) + ",\"last\":" +
            quoted(row.last) + ",\"keys\":" + n(row.keys) + ",\"jobs\":[";
    const std::vector<uint32_t> jobs = jobsOf(row);
    for (size_t i = 0; i < jobs.size(); ++i) json += (i == 0 ? "" : ",") + n(jobs[i]);
    json += "]}";
  }
  return json + ']';
}

void Heat::showGates(const Row& row, char& owner, char& also, char& fence) const {
  for (const uint16_t store : world_.gatedStores()) {
    const GateRange* range = world_.gated(store).gateAt(row.middle);
    if (range == nullptr) continue;
    switch (range->state) {
      case GateState::kServing: owner = letter(store); break;
      case GateState::kFenced:
      case GateState::kReadFenced:
        owner = letter(store);
        fence = '1';
        break;
      case GateState::kStaged: also = letter(store); break;
      case GateState::kAbsent:
      case GateState::kRedirecting: break;
    }
  }
}

// A copy leaves its range where it was; a move takes it away once the source has none of it.
void Heat::showOwners(std::string& owners, std::string& also, std::string& fenced) {
  std::vector<std::vector<Cell>> cells(world_.jobs().size());
  for (size_t i = 0; i < rows_.size(); ++i) {
    const Row& row = rows_[i];
    if (world_.hasRegister()) {
      showGates(row, owners[i], also[i], fenced[i]);
      continue;
    }
    const Job& job = *row.job;
    auto& parts = cells[job.index];
    if (parts.empty()) {
      parts.resize(row.parts);
      compare(world_, job, job.keys, parts);
    }
    const Cell& cell = parts[row.part];
    const bool moved = job.plan.mode == MigrationMode::kMove && cell.source == 0 && cell.target != 0;
    owners[i] = letter(moved ? job.target : job.source);
    if (!moved && cell.target != 0 && cell.missing * 2 <= cell.source) also[i] = letter(job.target);
  }
}

// State, keys that are missing or different on the target, failed calls, pause of writers so far.
std::string Heat::jobColumn(const Job& job, Watcher& watcher) {
  if (keys_.size() <= job.index) keys_.resize(job.index + 1);
  std::vector<std::string>& keys = keys_[job.index];
  if (keys.empty()) keys = keysOf(world_, job);
  Cell all;
  compare(world_, job, keys, {&all, 1});
  return '[' + quoted(stateName(job.state)) + ',' + n(all.missing) + ',' + n(all.differ) + ',' +
         n(watcher.tally(job.index).retries) + ',' + n(job.receipt.totals.pauseUs) + ']';
}

std::string Heat::column(Watcher& watcher) {
  std::string owners(rows_.size(), kNobody), also = owners, fenced(rows_.size(), '0');
  showOwners(owners, also, fenced);
  std::string json = "{\"timeUs\":" + n(world_.nowUs()) + ",\"owners\":" + quoted(owners) +
                     ",\"also\":" + quoted(also) + ",\"fenced\":" + quoted(fenced) + ",\"writes\":[";
  for (size_t i = 0; i < writes_.size(); ++i) json += (i == 0 ? "" : ",") + n(std::exchange(writes_[i], 0));
  json += "],\"jobs\":[";
  for (const auto& job : world_.jobs()) json += (job->index == 0 ? "" : ",") + jobColumn(*job, watcher);
  return json + "]}";
}

}  // namespace keyhaul::sim
