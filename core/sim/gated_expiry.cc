// Values that end at a time of their own. That time is a wish: it is the owner's sweep that decides, and what it does
// is a delete like any other, provided that the key still holds that value. It passes the gate, lands in the batch
// of other writes, and the feed tells of it. So clocks of stores may differ, a value that has ended is shown until it is
// swept and never after, and nobody else has to know that values end: not the copy, nor what is staged, nor who gave the range away.
#include "gated_store.h"
#include "value.h"
#include "world.h"

namespace keyhaul::sim {
namespace {
constexpr uint64_t kSweepUs = 150'000, kSweepUsMore = 300'000;
}

void GatedStoreNode::startSweeping() { timer(kSweepUs + sweeps_.below(kSweepUsMore), kSweep); }

void GatedStoreNode::sweep() {
  startSweeping();
  const uint64_t clockUs = world_.nowUs() + aheadUs_;
  for (const auto& [key, value] : entries_) {
    const uint64_t endUs = endOf(value);
    if (endUs == kNoEnd || endUs + kEndSkewUs > clockUs) continue;
    const KeyView view = key;
    const Admission admission = gate_.admitWrite(std::span(&view, 1));
    if (admission.answer != Answer::kOk && !world_.sabotaged(Sabotage::kSweepAnywhere)) continue;
    Message sweep;
    sweep.kind = MessageKind::kDelete;
    sweep.from = id();
    sweep.party = id();
    sweep.call = ++swept_;
    sweep.epoch = admission.epoch;
    sweep.conditional = true;
    sweep.body = key;
    sweep.extra = value;
    sweep.count = static_cast<uint32_t>(value.size());
    if (admission.answer == Answer::kOk && admission.position != 0) sweep.tickets.push_back(admission.position);
    enqueue(std::move(sweep));
  }
}

}  // namespace keyhaul::sim
