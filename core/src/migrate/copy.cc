#include "migrate/copy.h"

#include <algorithm>

#include "base/assert.h"

namespace keyhaul {

void CopyPhase::start() {
  const auto count = static_cast<uint32_t>(shared_.ranges.size());
  lanes_.clear();
  lanes_.resize(std::min(shared_.spec().lanes, std::max<uint32_t>(count, 1)));
  nextRange_ = 0;
  rangesLeft_ = 0;
  for (const auto& range : shared_.ranges) rangesLeft_ += range.copied ? 0U : 1U;
}

void CopyPhase::takeRange(Lane& lane, uint32_t index) {
  while (nextRange_ < shared_.ranges.size() && shared_.ranges[nextRange_].copied) ++nextRange_;
  if (nextRange_ >= shared_.ranges.size()) return;
  lane.range = nextRange_++;
  lane.active = true;
  lane.leaf = {};
  lane.leafPages = 0;
  const Leaves& leaves = shared_.ranges[lane.range].leaves;
  lane.source.start(shared_.source, tagOf(MigrationPart::kSource, index), shared_.spec().ranges[lane.range],
                    shared_.limits(true), &shared_.bucket);
  if (!leaves.empty()) lane.source.skipTo(leaves.lastUpto());
  lane.target.start(shared_.target, tagOf(MigrationPart::kWrite, index));
}

Status CopyPhase::pump(Port& port) {
  for (uint32_t i = 0; i < lanes_.size(); ++i) {
    Lane& lane = lanes_[i];
    do {
      if (!lane.active && !held_) takeRange(lane, i);
      if (!lane.active) break;
      if (Status s = pumpLane(port, lane); !s.ok()) return s;
      // A range that turns out to be empty ends here; nothing would come to begin the next.
    } while (!lane.active);
  }
  return {};
}

Status CopyPhase::pumpLane(Port& port, Lane& lane) {
  if (!held_ || lane.source.reading()) {
    if (Status s = lane.source.pump(port); !s.ok()) {
      blamed_ = shared_.source;
      return s;
    }
  }
  if (Status s = lane.target.pump(port); !s.ok()) {
    blamed_ = shared_.target;
    return s;
  }
  if (held_ || !lane.target.idle()) return {};
  Page* page = lane.source.front();
  if (page == nullptr) return {};
  if (page->view.size() > 0) {
    writePage(port, lane, *page);
    return {};
  }
  KH_ASSERT(page->end && lane.leafPages == 0);  // a late END is joined to the last page
  checkpoint(lane, *page);
  finishPage(port, lane);
  return {};
}

void CopyPhase::writePage(Port& port, Lane& lane, const Page& page) {
  lane.leaf += page.digest;
  if (lane.leafPages++ == 0) lane.leafBegan = port.now();
  const Duration every = port.config().checkpointEvery;
  const bool durable = page.end || lane.leafPages >= shared_.spec().durablePages ||
                       (every.us > 0 && lane.leafBegan + every <= port.now());
  lane.target.write(port, page.buffer, page.view.size(), durable, page.op);
}

void CopyPhase::checkpoint(Lane& lane, const Page& page) {
  record_.range = lane.range;
  record_.end = page.end;
  record_.upto.assign(page.end ? KeyView() : page.lastKey);
  if (!page.end) record_.upto.push_back('\0');  // its successor
  record_.leaf = lane.leaf;
  record_.pages = lane.leafPages;
  shared_.ranges[lane.range].leaves.add(record_.upto, record_.leaf);
  shared_.journal.add(record_);
  lane.leaf = {};
  lane.leafPages = 0;
}

void CopyPhase::finishPage(Port& port, Lane& lane) {
  const bool end = lane.source.front()->end;
  lane.source.pop(port);
  if (!end) return;
  shared_.totals.retries += lane.source.retries() + lane.target.retries();
  shared_.ranges[lane.range].copied = true;
  lane.source.stop(port);
  lane.source.forgetRetries();
  lane.target = {};
  lane.active = false;
  --rangesLeft_;
}

Status CopyPhase::onEvent(Port& port, OpTag tag, const Event& event) {
  KH_ASSERT(tag.lane < lanes_.size());
  Lane& lane = lanes_[tag.lane];
  if (tag.part == static_cast<uint8_t>(MigrationPart::kSource)) {
    blamed_ = shared_.source;
    return lane.source.onEvent(port, event);
  }
  bool finished = false;
  blamed_ = shared_.target;
  if (Status s = lane.target.onEvent(port, event, finished); !s.ok()) return s;
  if (!finished) return {};
  const Page& page = *lane.source.front();
  shared_.addWork(page.view.size(), page.view.dataBytes());
  shared_.totals.copiedEntries += page.view.size();
  shared_.totals.copiedBytes += page.view.dataBytes();
  ++shared_.totals.copiedPages;
  if (lane.target.lastWasDurable()) checkpoint(lane, page);
  finishPage(port, lane);
  return {};
}

bool CopyPhase::writing() const {
  return std::any_of(lanes_.begin(), lanes_.end(),
                     [](const Lane& lane) { return !lane.target.idle(); });
}

bool CopyPhase::busy() const {
  return writing() || std::any_of(lanes_.begin(), lanes_.end(),
                                  [](const Lane& lane) { return lane.source.reading(); });
}

Status CopyPhase::settle(Port& port) {
  blamed_ = shared_.target;
  Status worst;
  for (Lane& lane : lanes_) {
    if (Status s = lane.target.settle(port); !s.ok()) worst = s;
  }
  return worst;
}

void CopyPhase::stop(Port& port) {
  for (Lane& lane : lanes_) {
    lane.target.stop(port);
    lane.source.stop(port);
  }
  lanes_.clear();
}

}  // namespace keyhaul
