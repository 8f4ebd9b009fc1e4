// Whoever makes room for one of a higher priority asks for nothing until it has a slot again, then goes on where it
// stood, and reads no more than one page again. Whoever resumes reads nothing that its journal has as copied. And nobody
// waits for a slot while one of a clearly lower priority copies on between the same two stores.
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
    if (mover < lines_.size()) lines_[mover] = {};
    std::erase_if(copies_, [&](const auto& copy) { return world_.job(copy.first).mover == mover; });
  }
  void onStepped(uint16_t mover, const Engine& engine) override {
    watchLine(mover, engine);
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
    judgeTurn(job);
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

  // Who waits for a slot of a mover, the first of all, and how many pages lower ones have asked for meanwhile.
  struct Line {
    uint32_t first = UINT32_MAX;
    uint32_t steps = 0, pages = 0;
    std::vector<uint64_t> sinceUs;  // by job; UINT64_MAX: it does not wait
  };
  static constexpr uint32_t kClearly = 40;         // more than waiting adds in a run
  static constexpr uint32_t kPages = 2;            // one that was under way, and one
  static constexpr uint64_t kAgedUs = 50'000'000;  // in a minute a slot is kept for whoever waits

  static bool yieldsTo(const Job& job, const Job& higher) {
    return job.phase == Job::Phase::kRunning && job.state == MigrationState::kCopying && !job.cancelAsked &&
           job.source == higher.source && job.target == higher.target && job.plan.priority + kClearly < higher.plan.priority;
  }
  // Only where nobody else can be the reason: nobody makes room just now, nobody has waited for long, the clock has
  // not jumped, and no more run than may.
  void watchLine(uint16_t mover, const Engine& engine) {
    const MoverNode& node = world_.mover(mover);
    const Config& config = node.config();
    if (config.slots == 0 && config.sourceSlots == 0 && config.targetSlots == 0) {
      if (mover < lines_.size()) lines_[mover] = {};  // somebody has lifted the limits
      return;
    }
    if (lines_.size() <= mover) lines_.resize(mover + size_t{1});
    Line& line = lines_[mover];
    line.sinceUs.resize(world_.jobs().size(), UINT64_MAX);
    const Job* first = nullptr;
    bool apart = node.clockAheadUs() != 0 || !node.clock().measures();
    for (const auto& job : world_.jobs()) {
      if (job->mover != mover) continue;
      const auto seen = job->phase == Job::Phase::kRunning ? engine.inspect(node.now(), job->id) : std::nullopt;
      if (!seen || !seen->waits) {
        line.sinceUs[job->index] = UINT64_MAX;
        apart = apart || (seen && seen->paused) || (job->phase == Job::Phase::kRunning && job->undone);
        continue;
      }
      uint64_t& sinceUs = line.sinceUs[job->index];
      sinceUs = std::min(sinceUs, world_.nowUs());
      apart = apart || world_.nowUs() - sinceUs > kAgedUs;
      if (first == nullptr || job->plan.priority > first->plan.priority) first = job.get();
    }
    const uint32_t now = first == nullptr || apart || first->state != MigrationState::kPending ? UINT32_MAX : first->index;
    line.pages = now == line.first ? line.pages : 0;
    line.steps = now == line.first ? line.steps + 1 : 0;
    line.first = now;
  }
  void judgeTurn(const Job& job) {
    if (lines_.size() <= job.mover) return;
    Line& line = lines_[job.mover];
    if (line.first == UINT32_MAX || line.steps == 0) return;
    const Job& waits = world_.job(line.first);
    if (!yieldsTo(job, waits) || ++line.pages <= kPages) return;
    violated("job " + std::to_string(waits.index) + " waits for a slot, and job " + std::to_string(job.index) + " of a lower priority copies on");
  }

  // That it copies is on the disk before anything is read, and with it how far the copy is.
  static std::vector<Range> asJournalled(const Job& job) {
    std::vector<Range> ranges(job.plan.ranges.size());
    const Result<JournalImage> image = readJournal(std::as_bytes(std::span(job.journal)));
    if (!image.ok()) return ranges;
    for (size_t i = 0; i < image->ranges.size(); ++i) {
      ranges[i].copied = image->ranges[i].copied;
      ranges[i].upto = image->ranges[i].leaves.lastUpto();
    }
    return ranges;
  }
  std::map<uint32_t, Copy> copies_;  // by job
  std::vector<Line> lines_;          // by mover
};

}  // namespace

std::unique_ptr<Oracle> makePreemption(World& world) { return std::make_unique<Preemption>(world); }

}  // namespace keyhaul::sim
