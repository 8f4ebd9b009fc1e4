// Journals on the mover's disk: an append counts once it is synced.
#include <utility>

#include "mover.h"
#include "skew.h"
#include "world.h"

namespace keyhaul::sim {

void MoverNode::append(Job& job, const Action& action) {
  Work& work = work_[job.index];
  if (job.journal.empty()) job.isLater = !older_;
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

// The file may already have its new length, and zeros where nothing was written.
void MoverNode::keepPart(Job& job, const std::string& pending) {
  const auto kept = static_cast<size_t>(disk_.surviving(pending.size()));
  const bool isLonger = disk_.surviving(1) == 1;
  job.journal.append(pending, 0, kept);
  if (isLonger) job.journal.append(pending.size() - kept, '\0');
}

// A journal belongs to the version that began it, and what is older leaves it alone, and its job: whoever knows
// that version goes on. What was cut off before anything was begun is nobody's.
bool MoverNode::cannotRead(Job& job) {
  const uint32_t other = job.rivalOf != 0 ? job.rivalOf : job.partOf;
  const Job& wrote = job.journal.empty() && other != 0 ? world_.job(other - 1) : job;
  const auto read = [](std::string_view journal) { return readJournal(std::as_bytes(std::span(journal.data(), journal.size()))).code(); };
  if (!wrote.isLater || wrote.journal.empty() || read(wrote.journal) == ErrorCode::kJournalTorn) return false;
  const ErrorCode said = read(asLaterJournal(wrote.journal));
  if (said != ErrorCode::kJournalVersion) {
    world_.violated("journal", "one of a later version is " + std::string(errorName(said)), {});
  }
  if (!world_.sabotaged(Sabotage::kJournalBegunAnew) || &wrote != &job) return true;
  job.journal.clear();
  return false;
}

void MoverNode::loseJournal(Job& job) {
  const auto at = work_.find(job.index);
  if (at == work_.end()) return;
  keepPart(job, at->second.journalPending);
}

}  // namespace keyhaul::sim
