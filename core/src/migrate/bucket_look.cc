#include "migrate/bucket_look.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace keyhaul {

void BucketLook::start(bool hurry) {
  KH_ASSERT(!open_ && shared_.buckets.known());
  open_ = true;
  different_.clear();
  auto lists = shared_.buckets.startAgain(shared_.spec().ranges, fills_);
  lists.resize(kLanes);
  for (size_t i = 0; i < kLanes; ++i) {
    lanes_[i].start(ComparePhase::Purpose::kCollect, std::move(lists[i]), false, &fills_[i], hurry);
  }
}

Status BucketLook::pump(Port& port) {
  if (!open_) return {};
  bool all = true;
  for (ComparePhase& lane : lanes_) {
    if (Status s = lane.pump(port); !s.ok()) {
      blamed_ = lane.blamed();
      return s;
    }
    all = all && lane.done();
  }
  if (all) finish();
  return {};
}

void BucketLook::finish() {
  for (size_t i = 0; i < kLanes; ++i) {
    shared_.totals.rechecked += fills_[i].keys();
    const DifferentKeys& found = lanes_[i].different();
    for (size_t k = 0; k < found.keys.size(); ++k) {
      different_.add(found.keys[k], found.kinds[k]);
    }
  }
  shared_.buckets.replace(fills_);
  open_ = false;
}

Status BucketLook::onEvent(Port& port, OpTag tag, const Event& event) {
  KH_ASSERT(tag.lane < kLanes);
  const Status status = lanes_[tag.lane].onEvent(port, tag, event);
  blamed_ = lanes_[tag.lane].blamed();
  return status;
}

// What was read in part is of no use, and with it the rest.
void BucketLook::stop(Port& port) {
  for (ComparePhase& lane : lanes_) lane.stop(port);
  if (std::exchange(open_, false)) shared_.buckets.drop();
}

}  // namespace keyhaul
