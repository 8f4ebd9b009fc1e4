#include "migrate/discard.h"

namespace keyhaul {

void DiscardPhase::start() {
  range_ = 0;
  open_ = false;
  node_ = shared_.target;
  cleanUpEpoch_ = 0;
  writer_.start(node_, tagOf(MigrationPart::kWrite));
}

void DiscardPhase::startOnSource(uint64_t epoch) {
  start();
  node_ = shared_.source;
  cleanUpEpoch_ = epoch;
  writer_.start(node_, tagOf(MigrationPart::kWrite));
}

// False: every range has been dealt with.
bool DiscardPhase::skipDone() {
  while (cleanUpEpoch_ != 0 && !done() && shared_.ranges[range_].deleted) ++range_;
  return !done();
}

Status DiscardPhase::pump(Port& port) {
  while (open_ || skipDone()) {
    if (!open_) {
      const Key& upto = shared_.ranges[range_].deletedUpto;
      scanner_.start(node_, tagOf(MigrationPart::kTarget), shared_.spec().ranges[range_],
                     shared_.limits(false), &shared_.bucket);
      if (cleanUpEpoch_ != 0 && !upto.empty()) scanner_.skipTo(upto);
      open_ = true;
    }
    if (Status s = scanner_.pump(port); !s.ok()) return s;
    if (Status s = writer_.pump(port); !s.ok()) return s;
    if (!writer_.idle()) return {};
    Page* page = scanner_.front();
    if (page == nullptr) return {};
    if (page->view.size() > 0) {
      std::vector<WriteEntry> writes;
      writes.reserve(page->view.size());
      for (const EntryView entry : page->view) writes.push_back({entry.key, {}, true});
      const BufferRef frame = packWrites(port, writes);
      if (!frame.buffer) return ErrorCode::kLimitExceeded;
      writer_.writeOwned(port, frame, page->view.size(), true, cleanUpEpoch_);
      return {};
    }
    scanner_.pop(port);
    scanner_.stop(port);
    open_ = false;
    ++range_;
  }
  return {};
}

Status DiscardPhase::onEvent(Port& port, OpTag tag, const Event& event) {
  if (tag.part == static_cast<uint8_t>(MigrationPart::kTarget)) {
    return scanner_.onEvent(port, event);
  }
  bool finished = false;
  if (Status s = writer_.onEvent(port, event, finished); !s.ok()) return s;
  if (!finished) return {};
  Page* page = scanner_.front();
  Totals& totals = shared_.totals;
  // After a window the source is emptied as a target is that nobody wants any more.
  const bool deletes = cleanUpEpoch_ != 0 || shared_.turned;
  (deletes ? totals.deletedEntries : totals.discardedEntries) += page->view.size();
  shared_.addWork(page->view.size(), page->view.dataBytes());
  DeletedRecord record;
  record.range = range_;
  record.end = page->end;
  if (!page->end) record.upto = successor(page->lastKey);
  record.entries = page->view.size();
  shared_.journal.add(record);
  const bool end = page->end;
  scanner_.pop(port);
  if (end) {
    scanner_.stop(port);
    open_ = false;
    ++range_;
  }
  return {};
}

void DiscardPhase::stop(Port& port) {
  writer_.stop(port);
  scanner_.stop(port);
  open_ = false;
}

}  // namespace keyhaul
