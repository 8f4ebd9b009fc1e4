// The journal never claims more than the target durably holds, and nobody is told of an
// end that is not on disk.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "../register.h"
#include "../store.h"
#include "../world.h"
#include "journal_tap.h"
#include "newer.h"
#include "oracles.h"

namespace keyhaul::sim {
namespace {

class Checkpoint : public Oracle {
 public:
  using Oracle::Oracle;
  std::string_view name() const override { return "checkpoint"; }

  void onBegun(const Job& job, const JournalImage* image) override {
    State& state = states_[job.index];
    state.sent.assign(job.plan.ranges.size(), {});
    state.finished = state.journalFailed = false;
    // The copy sees what is older than its feed.
    // One that goes back knows how far its journal came, and repeats what came after it.
    state.turning = false;
    const bool knew = std::exchange(state.turned, image != nullptr && image->turned);
    if (state.turned) {
      // The append that turned it may have landed in a process that died before it knew.
      const auto armed = ChangeLog::decode(image->armedPosition);
      if (armed) state.armedAt = armed->at;
      if (!knew) state.appliedAt = state.armedAt;
      return;
    }
    const auto opened = ChangeLog::decode(image ? image->feedPosition : std::string());
    state.appliedAt = opened ? std::max(state.appliedAt, opened->at) : 0;
  }
  void onCopied(const Job& job, const FrameView& frame) override {
    auto& sent = states_[job.index].sent;
    for (const EntryView entry : frame) {
      sent[job.rangeOf(entry.key)][std::string(entry.key)] = std::string(entry.value);
    }
  }
  void onJournal(const Job& job, const JournalPart& part) override {
    const bool givenUp = isGivenUp(job);
    JournalTap tap(part.bytes);
    for (TappedRecord record; tap.next(record);) {
      if (record.type == TappedRecord::kPrepared) {
        const auto opened = ChangeLog::decode(record.position);
        if (opened) states_[job.index].appliedAt = opened->at;
      }
      if (record.type == TappedRecord::kArmed) {
        const auto opened = ChangeLog::decode(record.position);
        if (opened) states_[job.index].armedAt = opened->at;
      }
      if (record.type == TappedRecord::kPhase || record.type == TappedRecord::kClaimed) {
        noteTurn(states_[job.index], record);
      }
      if (record.type == TappedRecord::kCheckpoint && !givenUp) checkCopied(job, record);
      if (record.type == TappedRecord::kFeedApplied && !givenUp) checkApplied(job, record);
      if (record.type == TappedRecord::kFinished) states_[job.index].finished = true;
    }
  }
  void onCompleted(const Job& job, ActionKind kind, const Event& event) override {
    if (kind != ActionKind::kJournal || event.kind != EventKind::kFailed) return;
    states_[job.index].journalFailed = true;
  }
  void onState(const Job& job, MigrationState, MigrationState to) override {
    const bool told = to == MigrationState::kDone || to == MigrationState::kMismatch;
    const bool lacksJournal = job.live && states_[job.index].journalFailed;
    if (told && !states_[job.index].finished && !lacksJournal) violated("an end was told before it was on disk");
  }

 private:
  struct State {
    // What was sent to the target and not checkpointed, by range.
    std::vector<std::map<std::string, std::string>> sent;
    bool finished = false;
    bool journalFailed = false;  // a live one goes on without it, once it is decided
    uint64_t appliedAt = 0;  // in the change log
    uint64_t armedAt = 0;    // in that of the target
    bool turning = false, turned = false;  // it asked to go the way back; and does
  };

  // From there on positions are of the other store's feed, and begin anew.
  static void noteTurn(State& state, const TappedRecord& record) {
    using enum MigrationState;
    const bool phase = record.type == TappedRecord::kPhase;
    const bool goesOn = phase && state.turning && record.state == static_cast<uint64_t>(kStaging);
    if (phase) state.turning = record.state == static_cast<uint64_t>(kTurning);
    const bool turns = goesOn || (!phase && record.turned);
    if (turns && !std::exchange(state.turned, true)) state.appliedAt = state.armedAt;
  }

  void checkCopied(const Job& job, const TappedRecord& record) {
    const StoreNode& target = world_.store(job.target);
    auto& sent = states_[job.index].sent[static_cast<size_t>(record.range)];
    uint64_t entries = 0;
    for (auto at = sent.begin(); at != sent.end() && (record.end || at->first < record.upto);) {
      ++entries;
      if (!target.isRotten(at->first) && !holdsOrLater(job, target, at->first, at->second) &&
          !isServed(job, at->first)) {
        violated(Harm::kLost, "a checkpoint claims what the target does not durably hold", at->first);
      }
      at = sent.erase(at);
    }
    if (entries != record.leafEntries) {
      violated("a checkpoint claims " + std::to_string(record.leafEntries) + " entries, " +
               std::to_string(entries) + " were sent");
    }
  }

  // For each key changed up to there, the target holds that change or a later one.
  void checkApplied(const Job& job, const TappedRecord& record) {
    const auto position = ChangeLog::decode(record.position);
    const bool turned = states_[job.index].turned;
    const StoreNode& target = world_.store(turned ? job.source : job.target);
    const auto& changes = world_.store(turned ? job.target : job.source).log().changes();
    if (!position || position->at > changes.size()) {
      return violated("a feed position in the journal is none that the source gave");
    }
    uint64_t& from = states_[job.index].appliedAt;
    std::set<std::string_view> seen;
    for (uint64_t at = position->at; at-- > from;) {
      const LoggedChange& change = changes[static_cast<size_t>(at)];
      if (!job.contains(change.key) || !seen.insert(change.key).second) continue;
      if (!holds(target, change, changes, at) && !isServed(job, change.key)) {
        violated(Harm::kLost, "the journal claims a change that the target does not durably hold", change.key);
      }
    }
    from = std::max(from, position->at);
  }
  // An append that was given up may land long after: while what was staged is discarded, or when the
  // migration has ended without a journal. Whoever reads it then asks the register first, and there
  // the claim is given up or closed.
  bool isGivenUp(const Job& job) const {
    if (!job.live) return false;
    const Claim* claim = world_.theRegister().map().find(job.plan.claim);
    // Not by its reason: that may be of an earlier incarnation, and the last record would be missed.
    // The register has let the claim go before one that is closing knows.
    if (claim == nullptr) return job.ended() || (job.state == MigrationState::kClosing && states_.at(job.index).journalFailed);
    return claim->state == ClaimState::kAborted && job.error == ErrorCode::kJournalWriteFailed;
  }
  // Clients may have written it since; or another coordinator has emptied the staging, and what
  // this one's journal says will not be believed.
  bool isServed(const Job& job, std::string_view key) const {
    if (!job.live) return false;
    if (world_.hasRival(job)) return true;
    const Ownership* owner = world_.theRegister().map().lookup(key);
    const bool turned = states_.at(job.index).turned;
    return owner != nullptr && owner->owner == (turned ? job.plan.source : job.plan.target);
  }
  static bool holds(const StoreNode& target, const LoggedChange& change,
                    const std::vector<LoggedChange>& changes, uint64_t at) {
    if (target.isRotten(change.key)) return true;
    for (; at < changes.size(); ++at) {
      if (changes[static_cast<size_t>(at)].key != change.key) continue;
      const auto& value = changes[static_cast<size_t>(at)].value;
      if (value ? target.holdsDurably(change.key, *value) : target.lacksDurably(change.key)) {
        return true;
      }
    }
    return false;
  }

  std::map<uint32_t, State> states_;
};

}  // namespace

std::unique_ptr<Oracle> makeCheckpoint(World& world) { return std::make_unique<Checkpoint>(world); }

}  // namespace keyhaul::sim
