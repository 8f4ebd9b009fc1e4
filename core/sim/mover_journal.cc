// Journals on the mover's disk: an append counts once it is synced.
#include <utility>

#include "mover.h"
#include "world.h"

namespace keyhaul::sim {

void MoverNode::append(Job& job, const Action& action) {
  Work& work = work_[job.index];
  const auto payload = engine_->bytes(action.payload);
  work.journalPending.append(reinterpret_cast<const char*>(payload.data()), payload.size());
  Disk::Written written = disk_.write(world_.nowUs(), payload.size(), slowFactor());
  world_.struck(written, id());
  work.journalError = written.error;
  work.journalOp = action.op;
  ++work.journalBusy;
  const bool careless = world_.sabotaged(Sabotage::kJournalNotSynced);
  if (careless) {
    written.delayUs += 500'000;
    Event done;
    done.op = std::exchange(work.journalOp, {});
    complete(job, ActionKind::kJournal, done);
  }
  timer(written.delayUs, kJournalDone, job.index);
}

void MoverNode::onJournalDone(Job& job) {
  Work& work = work_[job.index];
  if (work.journalBusy == 0) return;
  --work.journalBusy;
  const std::string bytes = std::exchange(work.journalPending, {});
  const OpId op = std::exchange(work.journalOp, {});
  if (work.journalError != ErrorCode::kOk) {
    // After a failed sync nobody knows how much of it stands on the disk.
    keepPart(job, bytes);
    const bool full = work.journalError == ErrorCode::kDiskFull;
    if (op) {
      fail(job, ActionKind::kJournal, op,
           full ? ErrorCode::kDiskFull : ErrorCode::kJournalWriteFailed);
    }
    return;
  }
  job.journal += bytes;
  if (!bytes.empty()) {
    world_.tell([&](Oracle& oracle) { oracle.onJournal(job, {bytes}); });
  }
  if (!op) return;
  Event done;
  done.op = op;
  complete(job, ActionKind::kJournal, done);
}

// The file may already have its new length, and zeros where nothing was written. Not so
// for the first append: the core refuses a header that is zeros in part, see README.md.
void MoverNode::keepPart(Job& job, const std::string& pending) {
  const auto kept = static_cast<size_t>(disk_.surviving(pending.size()));
  const bool isLonger = disk_.surviving(1) == 1 && !job.journal.empty();
  job.journal.append(pending, 0, kept);
  if (isLonger) job.journal.append(pending.size() - kept, '\0');
}

void MoverNode::loseJournal(Job& job) {
  const auto at = work_.find(job.index);
  if (at == work_.end()) return;
  keepPart(job, at->second.journalPending);
}

}  // namespace keyhaul::sim
