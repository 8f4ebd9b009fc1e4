// Brings a live migration close to its cutover. A round looks again at the keys that changed
// since the round before, and then applies what the source took meanwhile; so a round is as
// long as the one before was, times what the writers do in it, and gets shorter until a
// pause of the writers for one more round is short enough. That last round, behind the fence,
// looks at everything that changed in the one before and in itself: after it both sides
// are known to be equal.
#pragma once

#include <utility>
#include <vector>

#include "migrate/bucket_look.h"
#include "migrate/feed.h"
#include "migrate/pause_forecast.h"
#include "migrate/recheck.h"
#include "migrate/shared.h"

namespace keyhaul {

class ApproachPhase {
 public:
  ApproachPhase(Shared& shared, FeedPhase& feed)
      : shared_(shared), feed_(feed), recheck_(shared), look_(shared) {}

  // `suspects`: keys that were found different and nothing has explained yet. `follow`: go on
  // until finish(). `hurry`: writers will wait for it, so no rate holds it back. Ends when `budget`
  // allows for a last round and so many calls of gates and register around it.
  void start(const std::string& position, KeyList suspects, bool follow, bool hurry,
             Duration budget, uint32_t calls);
  // A gate or the register has answered after so long.
  void called(uint64_t us) {
    forecast_.addCall(us);
    callsWereLong_ = false;
  }
  // Behind the fence: the feed to its end, then the last look.
  void startLast(const std::string& position);
  void finish() {
    follow_ = false;
    rounds_ = 0;  // those of following were not meant to get shorter
  }
  // Somebody waits for it from here on.
  void hurry() {
    hurry_ = true;
    feed_.hurry();
    recheck_.hurry();
  }
  // As many rounds once more, with time between them. What was measured of gates and register is
  // older by now, and they may have been slow only then: each time it counts for half.
  void lookAgain() {
    callsWereLong_ = !mayShorten();
    rounds_ = 0;
    patient_ = true;
    forecast_.ageCalls();
  }
  // NotConverging when rounds do not get short enough; LimitExceeded when more keys changed
  // than can be remembered.
  Status pump(Port& port);
  Status onEvent(Port& port, OpTag tag, const Event& event);
  bool done() const { return step_ == Step::kDone; }
  // After the last round: keys that differ.
  const KeyList& different() const { return different_; }
  // How they do, as the store that serves sees it.
  const std::vector<DifferenceKind>& kinds() const { return lastLook().kinds; }
  uint64_t forecastUs() const;
  uint32_t rounds() const { return rounds_; }
  bool hasForecast() const { return rounds_ >= 2; }
  bool overBudget() const { return hasForecast() && forecastUs() > budget_.us; }
  // Whether fewer changes may bring a pause under the budget, as far as is known.
  bool mayShorten() const {
    return !callsWereLong_ && (!hasForecast() || forecast_.callsUs(calls_) <= budget_.us);
  }
  bool follows() const { return follow_; }
  bool suspects() const { return !suspects_.empty(); }
  // Between two rounds: what they know is `takeSuspects()` and what changed, and nothing else.
  bool resting() const { return step_ == Step::kWait; }
  KeyList takeSuspects() { return std::exchange(suspects_, {}); }
  // Keys of the round under way that are still to be compared.
  size_t toCompare() const { return step_ == Step::kRecheck ? recheck_.left() : 0; }
  NodeId blamed() const {
    if (step_ != Step::kRecheck) return feed_.blamed();
    return looks() ? look_.blamed() : recheck_.blamed();
  }
  void stop(Port& port);

 private:
  enum class Step : uint8_t { kRecheck, kFeed, kWait, kDone };
  // Keys or buckets that a round would compare now.
  uint64_t waiting() const {
    return suspects_.size() + (looks() ? shared_.buckets.staleCount() : shared_.changed.size());
  }
  // At buckets, not at keys.
  bool looks() const { return shared_.namesPosition(); }
  const DifferentKeys& lastLook() const {
    return looks() ? look_.different() : recheck_.different();
  }
  void startRecheck(Port& port);
  // True once the round's keys or buckets are compared; those that differ are in `found` then.
  Result<bool> pumpRecheck(Port& port, KeyList& found);
  void startFeed();
  Status endRound(Port& port);

  Shared& shared_;
  FeedPhase& feed_;
  RecheckPhase recheck_;
  BucketLook look_;
  Step step_ = Step::kDone;
  bool last_ = false, follow_ = false, patient_ = false, recheckBegun_ = false;
  bool hurry_ = true;
  KeyList found_;               // different in this round
  KeyList suspects_;            // different in the round before, and not explained in it
  KeyList different_;
  Duration budget_;
  PauseForecast forecast_;
  uint32_t calls_ = 0;
  bool callsWereLong_ = false;  // by themselves, when one was measured last: that they count for less is no news of them
  Instant roundBegan_{0}, waitUntil_{0};
  uint64_t roundUs_ = 0;        // how long the last one took
  uint64_t compared_ = 0;       // keys or buckets of the round under way
  uint64_t fedBefore_ = 0, fed_ = 0;  // changes until it began, and of the last one
  uint64_t answers_ = 0;        // of stores, in the round under way
  uint32_t rounds_ = 0, suspectRounds_ = 0;
};

}  // namespace keyhaul
