// Whoever makes room for one of a higher priority asks for nothing until it has a slot again, then goes on where it
// stood, and reads no more than one page again. Whoever resumes reads nothing that its journal has as copied.
#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "../mover.h"
#include "../world.h"
#include "oracles.h"

namespace keyhaul::sim {
namespace {

class Preemption : public Oracle {
 public:
  using Oracle::Oracle;
  std::string_view name() const override { return "preemption"; }

  void onState(const Job& job, MigrationState, MigrationState) override { copies_.erase(job.index); }
  void onBegun(const Job& job, const JournalImage*) override { copies_.erase(job.index); }
  void onMoverCrash(uint16_t mover) override {
    std::erase_if(copies_, [&](const auto& copy) { return world_.job(copy.first).mover == mover; });
  }
  void onStepped(uint16_t mover, const Engine&) override {
    for (const auto& job : world_.jobs()) {
      if (job->mover != mover || job->state != MigrationState::kCopying || job->phase != Job::Phase::kRunning) continue;
      Copy& copy = copies_[job->index];
      const bool rests = world_.mover(mover).madeRoom(*job);
      if (rests && !copy.rests) ++world_.counts().madeRoom;
      copy.rests = rests;
      copy.madeRoom = copy.madeRoom || rests;
    }
  }
  void onAction(const Job& job, const Action& action) override {
    const bool works = action.kind == ActionKind::kScan || action.kind == ActionKind::kApply;
    if (works && job.state == MigrationState::kCopying && copies_[job.index].rests) {
      violated("job " + std::to_string(job.index) + " has made room and works on");
    }
  }
  void onScan(const Job& job, const Action& action, std::string_view from) override {
    const size_t range = job.rangeOf(from);
    if (job.state != MigrationState::kCopying || range == job.plan.ranges.size()) return;
    Copy& copy = copies_[job.index];
    if (copy.ranges.empty()) copy.ranges = asJournalled(job);
    Range& read = copy.ranges[range];
    if (read.copied || from < read.upto) {
      violated("job " + std::to_string(job.index) + " reads what its journal has as copied", from.substr(0, from.find('\0')));
    }
    const auto again = std::count_if(read.pages.begin(), read.pages.end(), [&](const std::string& page) { return page >= from; });
    if (again > (copy.madeRoom ? 1 : 0)) {
      violated("job " + std::to_string(job.index) + " reads " + std::to_string(again) + " pages again");
    }
    copy.asked[action.op.value] = {range, std::string(from)};
  }
  void onCompleted(const Job& job, ActionKind, const Event& event) override {
    const auto copy = copies_.find(job.index);
    if (copy == copies_.end()) return;
    const auto at = copy->second.asked.find(event.op.value);
    if (at == copy->second.asked.end()) return;
    auto& [range, from] = at->second;
    if (event.kind == EventKind::kPage && event.count > 0) copy->second.ranges[range].pages.push_back(std::move(from));
    copy->second.asked.erase(at);
  }

 private:
  struct Range {
    bool copied = false;
    std::string upto;                // so far its journal goes
    std::vector<std::string> pages;  // that came since: the key from which each was asked for
  };
  // One time in the state Copying.
  struct Copy {
    bool rests = false, madeRoom = false;
    std::vector<Range> ranges;  // empty until the first scan
    std::map<uint32_t, std::pair<size_t, std::string>> asked;  // by op
  };

  // That it copies is on the disk before anything is read, and with it how far the copy is.
  static std::vector<Range> asJournalled(const Job& job) {
    std::vector<Range> ranges(job.plan.ranges.size());
    const Result<JournalImage> image = readJournal(std::as_bytes(std::span(job.journal)));
    if (!image.ok()) return ranges;
    for (size_t i = 0; i < image->ranges.size(); ++i) {
      ranges[i].copied = image->ranges[i].copied;
      if (!image->ranges[i].leaves.empty()) ranges[i].upto = image->ranges[i].leaves.back().upto;
    }
    return ranges;
  }
  std::map<uint32_t, Copy> copies_;  // by job
};

}  // namespace

std::unique_ptr<Oracle> makePreemption(World& world) { return std::make_unique<Preemption>(world); }

}  // namespace keyhaul::sim
