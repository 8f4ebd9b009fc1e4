#include "migrate/leaf_check.h"

#include "base/assert.h"

namespace keyhaul {

void LeafCheck::start() {
  range_ = 0;
  open_ = false;
  sourceSum_ = targetSum_ = {};
  suspects_.clear();
}

void LeafCheck::openRange() {
  const KeyRange& keys = shared_.spec().ranges[range_];
  target_.start(shared_.target, tagOf(MigrationPart::kTarget), keys, shared_.limits(false),
                &shared_.bucket);
  open_ = true;
  leaf_ = 0;
  leafLo_ = keys.lo;
  read_ = {};
}

Status LeafCheck::pump(Port& port) {
  while (!done()) {
    if (!open_) openRange();
    if (Status s = target_.pump(port); !s.ok()) return s;
    Page* page = target_.front();
    if (page == nullptr) return {};
    const auto& leaves = shared_.ranges[range_].leaves;
    for (const EntryView entry : page->view) {
      for (;;) {
        const KeyView upto = leaves.upto(leaf_);
        if (upto.empty() || entry.key < upto) break;
        closeLeaf();
      }
      read_ += shared_.hasher.hash(entry.key, entry.value);
    }
    shared_.addWork(page->view.size(), page->view.dataBytes());
    const bool end = page->end;
    target_.pop(port);
    if (end) closeRange(port);
  }
  return {};
}

void LeafCheck::closeLeaf() {
  const Leaves& leaves = shared_.ranges[range_].leaves;
  const Digest& copied = leaves.digest(leaf_);
  const KeyView upto = leaves.upto(leaf_);
  sourceSum_ += copied;
  targetSum_ += read_;
  if (copied != read_) {
    KeyRange keys;
    keys.lo = leafLo_;
    keys.hi = upto.empty() ? shared_.spec().ranges[range_].hi : Bound::at(Key(upto));
    suspects_.push_back({range_, std::move(keys)});
  }
  read_ = {};
  leafLo_ = upto;
  ++leaf_;
}

void LeafCheck::closeRange(Port& port) {
  const auto& leaves = shared_.ranges[range_].leaves;
  KH_ASSERT(!leaves.empty() && leaves.lastUpto().empty());
  while (leaf_ < leaves.size()) closeLeaf();
  target_.stop(port);
  shared_.totals.retries += target_.retries();
  target_.forgetRetries();
  open_ = false;
  ++range_;
}

}  // namespace keyhaul
