#include "migrate/compare.h"

#include <utility>

#include "base/assert.h"
#include "migrate/live_factory.h"

namespace keyhaul {

void ComparePhase::start(Purpose purpose, std::vector<Suspect> parts,
                         bool ignoreExtra, BucketFill* fill, bool hurry) {
  KH_ASSERT(!open_ && writes_.empty() && inFlight_ == 0);
  purpose_ = purpose;
  ignoreExtra_ = ignoreExtra || purpose == Purpose::kDelete;
  parts_ = std::move(parts);
  part_ = 0;
  fill_ = fill;
  hurry_ = hurry;
  found_ = {};
  if (hasLiveMigrations()) different_.clear();
  named_ = 0;
  sourceSum_ = targetSum_ = {};
  writer_.start(purpose == Purpose::kDelete ? shared_.source : shared_.target,
                tagOf(MigrationPart::kWrite));
}

void ComparePhase::openPart() {
  const KeyRange& keys = parts_[part_].keys;
  Scanner::Limits limits = shared_.limits(false);
  limits.hurry = hurry_;
  source_.open = target_.open = false;
  source_.scanner.forgetRetries();
  target_.scanner.forgetRetries();
  source_.scanner.start(shared_.source, tagOf(MigrationPart::kSource, lane_), keys, limits,
                        &shared_.bucket);
  target_.scanner.start(shared_.target, tagOf(MigrationPart::kTarget, lane_), keys, limits,
                        &shared_.bucket);
  if (hasLiveMigrations() && fill_ != nullptr) fill_->open(parts_[part_].range, keys.lo);
  passed_ = keys.lo;
  leftPending_ = 0;
  open_ = true;
}

void ComparePhase::closePart(Port& port) {
  if (purpose_ == Purpose::kDelete) {
    inFlightLeft_ = std::exchange(leftPending_, 0);
    record(true);
  }
  shared_.totals.retries += source_.scanner.retries() + target_.scanner.retries();
  source_.scanner.stop(port);
  target_.scanner.stop(port);
  open_ = false;
  ++part_;
}

Status ComparePhase::pumpSides(Port& port) {
  blamed_ = shared_.source;
  if (Status s = source_.scanner.pump(port); !s.ok()) return s;
  blamed_ = shared_.target;
  if (Status s = target_.scanner.pump(port); !s.ok()) return s;
  blamed_ = writer_.node();
  return writer_.pump(port);
}

Status ComparePhase::pump(Port& port) {
  while (!done()) {
    if (!open_) openPart();
    if (Status s = pumpSides(port); !s.ok()) return s;
    Step moved = Step::kMoved;
    while (moved == Step::kMoved) moved = step(port);
    if (moved == Step::kWait) {
      // A page that was walked to its end goes, unless a batch still points at
      // it: then the batch goes first.
      if (!writes_.empty() && writer_.idle()) {
        if (Status s = flush(port); !s.ok()) return s;
      }
      if (!writes_.empty() || !popWalked(port)) return {};
      continue;
    }
    if (!writes_.empty() && writer_.idle()) {
      if (Status s = flush(port); !s.ok()) return s;
    }
    if (!writes_.empty() || !writer_.idle()) return {};
    popWalked(port);
    closePart(port);
  }
  return {};
}

bool ComparePhase::ready(Side& side, bool& done) {
  done = false;
  if (side.open && side.at != side.end) return true;
  Page* page = side.scanner.front();
  if (side.open) {  // walked to its end
    done = page->end;
    return false;
  }
  if (page == nullptr) {
    done = side.scanner.done();
    return false;
  }
  side.at = page->view.begin();
  side.end = page->view.end();
  side.open = true;
  if (side.at != side.end) return true;
  done = page->end;
  return false;
}

ComparePhase::Step ComparePhase::step(Port& port) {
  bool sourceDone = false, targetDone = false;
  const bool sourceHas = ready(source_, sourceDone);
  const bool targetHas = ready(target_, targetDone);
  if (sourceDone && targetDone) return Step::kRangeEnd;
  if ((!sourceHas && !sourceDone) || (!targetHas && !targetDone)) return Step::kWait;
  if (!targetHas) {
    sourceOnly(port, *source_.at);
    return Step::kMoved;
  }
  if (!sourceHas) {
    targetOnly(port, *target_.at);
    return Step::kMoved;
  }
  const EntryView source = *source_.at;
  const EntryView target = *target_.at;
  const int order = source.key.compare(target.key);
  if (order < 0) {
    sourceOnly(port, source);
  } else if (order > 0) {
    targetOnly(port, target);
  } else {
    both(port, source, target);
  }
  return Step::kMoved;
}

void ComparePhase::differs(Port& port, DifferenceKind kind, std::string_view key) {
  switch (kind) {
    case DifferenceKind::kMissing: ++found_.missing; break;
    case DifferenceKind::kExtra: ++found_.extra; break;
    case DifferenceKind::kChanged: ++found_.changed; break;
  }
  if (hasLiveMigrations() && purpose_ == Purpose::kCollect) {
    different_.add(key, kind);
    return;
  }
  if (purpose_ == Purpose::kName && shared_.plan.level() >= GuaranteeLevel::kL1) {
    if (shared_.differing.size() < Shared::kDifferingMax) {
      shared_.differing.push_back(shared_.hasher.hash(key, {}).lo);
    } else {
      shared_.differingOverflow = true;
    }
  }
  if (purpose_ != Purpose::kRepair && named_++ < port.config().differencesMax) {
    port.noticeDifference(kind, key);
  }
}

void ComparePhase::advance(Side& side, std::string_view key) {
  passed_.assign(key);  // once an entry: no new string
  ++side.at;
}

void ComparePhase::fillIn(KeyView key, const Digest* source, const Digest* target) {
  if (hasLiveMigrations() && fill_ != nullptr) fill_->add(key, source, target);
}

void ComparePhase::sourceOnly(Port& port, const EntryView& entry) {
  if (purpose_ == Purpose::kDelete) {
    ++leftPending_;
  } else {
    const Digest digest = shared_.hasher.hash(entry.key, entry.value);
    sourceSum_ += digest;
    fillIn(entry.key, &digest, nullptr);
    if (purpose_ == Purpose::kRepair) writes_.push_back({entry.key, entry.value, false});
  }
  shared_.addWork(1, entry.key.size() + entry.value.size());
  differs(port, DifferenceKind::kMissing, entry.key);
  advance(source_, entry.key);
}

void ComparePhase::targetOnly(Port& port, const EntryView& entry) {
  if (!ignoreExtra_) {
    const Digest digest = shared_.hasher.hash(entry.key, entry.value);
    targetSum_ += digest;
    fillIn(entry.key, nullptr, &digest);
    // With versions nobody can tell what was deleted here from what was written there.
    if (purpose_ == Purpose::kRepair && !shared_.merges) writes_.push_back({entry.key, {}, true});
    differs(port, DifferenceKind::kExtra, entry.key);
  }
  advance(target_, entry.key);
}

void ComparePhase::both(Port& port, const EntryView& source, const EntryView& target) {
  const bool equal = source.value == target.value;
  shared_.addWork(1, source.key.size() + source.value.size());
  if (purpose_ == Purpose::kDelete) {
    if (equal) {
      writes_.push_back({source.key, source.value, false});  // what it must still be
    } else {
      ++leftPending_;
    }
  } else {
    const Digest digest = shared_.hasher.hash(source.key, source.value);
    const Digest other = equal ? digest : shared_.hasher.hash(target.key, target.value);
    sourceSum_ += digest;
    targetSum_ += other;
    fillIn(source.key, &digest, &other);
    if (!equal && purpose_ == Purpose::kRepair) {
      writes_.push_back({source.key, source.value, false});
    }
  }
  if (!equal) differs(port, DifferenceKind::kChanged, source.key);
  advance(target_, target.key);
  advance(source_, source.key);
}

bool ComparePhase::popWalked(Port& port) {
  bool popped = false;
  for (Side* side : {&source_, &target_}) {
    if (side->open && side->at != side->end) continue;
    if (!side->open || side->scanner.front()->end) continue;
    side->scanner.pop(port);
    side->open = false;
    popped = true;
  }
  return popped;
}

Status ComparePhase::flush(Port& port) {
  const BufferRef frame = packWrites(port, writes_);
  if (!frame.buffer) return ErrorCode::kLimitExceeded;
  inFlight_ = writes_.size();
  inFlightUpto_ = successor(passed_);
  inFlightLeft_ = std::exchange(leftPending_, 0);
  const auto count = static_cast<uint32_t>(writes_.size());
  if (purpose_ == Purpose::kDelete) {
    writer_.deleteGuarded(port, frame, count);
  } else {
    writer_.writeOwned(port, frame, count, true);
  }
  writes_.clear();
  return {};
}

// Deleting: says in the journal what is done, with the keys that were left.
void ComparePhase::record(bool end) {
  DeletedRecord deleted;
  deleted.range = parts_[part_].range;
  deleted.end = end;
  if (!end) deleted.upto = inFlightUpto_;
  deleted.entries = inFlight_;
  deleted.left = inFlightLeft_;
  auto& range = shared_.ranges[deleted.range];
  range.deletedUpto = deleted.upto;
  range.deleted = end;
  shared_.totals.deletedEntries += inFlight_;
  shared_.totals.leftOnSource += inFlightLeft_;
  inFlight_ = inFlightLeft_ = 0;
  shared_.journal.add(deleted);
}

Status ComparePhase::onEvent(Port& port, OpTag tag, const Event& event) {
  if (tag.part == static_cast<uint8_t>(MigrationPart::kSource)) {
    blamed_ = shared_.source;
    return source_.scanner.onEvent(port, event);
  }
  if (tag.part == static_cast<uint8_t>(MigrationPart::kTarget)) {
    blamed_ = shared_.target;
    return target_.scanner.onEvent(port, event);
  }
  blamed_ = writer_.node();
  bool finished = false;
  if (Status s = writer_.onEvent(port, event, finished); !s.ok()) return s;
  if (!finished) return {};
  inFlight_ -= writer_.left();
  inFlightLeft_ += writer_.left();
  found_.written += inFlight_;
  if (purpose_ == Purpose::kDelete) record(false);
  inFlight_ = 0;
  return {};
}

void ComparePhase::stop(Port& port) {
  writer_.stop(port);
  source_.scanner.stop(port);
  target_.scanner.stop(port);
  source_.open = target_.open = false;
  writes_.clear();
  inFlight_ = 0;
  open_ = false;
}

}  // namespace keyhaul
