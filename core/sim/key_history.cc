#include "key_history.h"

#include <algorithm>
#include <utility>

#include "linearize/describe.h"

namespace keyhaul::sim {

void KeyHistory::begin(uint32_t client, uint64_t sequence, Value value, Moment now) {
  Entry entry;
  entry.operation = {client, RegisterKind::kWrite, Outcome::kUnknown, value, kNil, now, kNever};
  entry.sequence = sequence;
  entries_.push_back(entry);
}

void KeyHistory::beginCas(uint32_t client, uint64_t sequence, Value expected, Value value, Moment now) {
  begin(client, sequence, value, now);
  entries_.back().operation.kind = RegisterKind::kCas;
  entries_.back().operation.expected = expected;
}

// The last ones are asked for most.
KeyHistory::Entry* KeyHistory::find(uint32_t client, uint64_t sequence) {
  const auto at = std::find_if(entries_.rbegin(), entries_.rend(), [&](const Entry& entry) {
    return entry.operation.client == client && entry.sequence == sequence;
  });
  return at == entries_.rend() ? nullptr : &*at;
}

void KeyHistory::take(uint32_t client, uint64_t sequence, Moment now) {
  Entry* entry = find(client, sequence);
  // The first time counts: what a store does once more is what is to be found out.
  if (entry != nullptr && entry->taken == kNever) entry->taken = now;
}

void KeyHistory::acknowledge(uint32_t client, uint64_t sequence, Moment now, bool refused) {
  Entry* entry = find(client, sequence);
  if (entry == nullptr) return;
  entry->operation.outcome = refused ? Outcome::kRefused : Outcome::kOk;
  entry->operation.returned = now;
}

void KeyHistory::read(uint32_t client, Value value, Moment invoked, Moment now) {
  Entry entry;
  entry.operation = {client, RegisterKind::kRead, Outcome::kOk, value, kNil, invoked, now};
  entries_.push_back(entry);
}

// The last operation that ran alone and was over before `before`. Nor was anything carried out
// meanwhile whose answer was lost. One that was refused says only what the key did not hold.
std::optional<Operation> KeyHistory::lastAlone(Moment before) {
  spans_.clear();
  for (const Entry& entry : entries_) {
    const Operation& operation = entry.operation;
    if (!entry.isOpen()) {
      spans_.push_back({operation.invoked, operation.returned, &operation});
    } else if (entry.taken != kNever) {
      spans_.push_back({entry.taken, entry.taken, nullptr});
    }
  }
  std::sort(spans_.begin(), spans_.end(),
            [](const Span& a, const Span& b) { return a.begin < b.begin; });
  std::optional<Operation> found;
  Moment reached = 0;  // by those before it
  for (size_t i = 0; i < spans_.size(); ++i) {
    const Span& span = spans_[i];
    const bool last = i + 1 == spans_.size();
    const bool alone = (i == 0 || reached < span.begin) && (last || spans_[i + 1].begin > span.end);
    const bool tells = span.operation != nullptr && span.operation->outcome == Outcome::kOk;
    if (alone && tells && span.end < before) found = *span.operation;
    reached = std::max(reached, span.end);
  }
  return found;
}

KeyHistory::Verdict KeyHistory::settle(LinearizabilityChecker& checker, Moment running) {
  if (witness_ || entries_.size() < lookAgain_) return Verdict::kNothing;
  const std::optional<Operation> end = lastAlone(running);
  lookAgain_ = entries_.size() + kWindowMin / 2;
  if (!end) return Verdict::kNothing;
  window_.clear();
  size_t kept = 0;
  for (const Entry& entry : entries_) {
    const Moment over = entry.isOpen() ? entry.taken : entry.operation.returned;
    if (over <= end->returned) {
      window_.push_back(entry.operation);
    } else {
      entries_[kept++] = entry;
    }
  }
  entries_.resize(kept);
  lookAgain_ = kept + kWindowMin;
  const Verdict verdict = judge(checker);
  if (verdict != Verdict::kWrong) initial_ = end->value;
  if (verdict == Verdict::kUnjudged) first_ = initial_;
  return verdict;
}

KeyHistory::Verdict KeyHistory::finish(LinearizabilityChecker& checker) {
  if (witness_) return Verdict::kNothing;
  window_.clear();
  for (const Entry& entry : entries_) {
    if (!entry.isOpen() || entry.taken != kNever) window_.push_back(entry.operation);
  }
  entries_.clear();
  return judge(checker);
}

KeyHistory::Verdict KeyHistory::judge(LinearizabilityChecker& checker) {
  CheckOptions options;
  options.stepsMax = kStepsMax;
  options.initial = initial_;
  sim::Verdict verdict = checker.checkRegister(window_, options);
  switch (verdict.answer) {
    case Answer::kLinearizable:
      judged_.insert(judged_.end(), window_.begin(), window_.end());
      return Verdict::kRight;
    case Answer::kNotLinearizable:
      witness_ = std::move(verdict.witness);
      tellWhole(checker);
      return Verdict::kWrong;
    case Answer::kUnknown:
      judged_.clear();
      return Verdict::kUnjudged;
  }
  return Verdict::kUnjudged;
}

// From the beginning, if that is wrong as well: there the reader sees who wrote what was seen.
void KeyHistory::tellWhole(LinearizabilityChecker& checker) {
  std::vector<Operation> whole = judged_;
  whole.insert(whole.end(), window_.begin(), window_.end());
  CheckOptions options;
  options.initial = first_;
  sim::Verdict verdict = checker.checkRegister(whole, options);
  if (!verdict.witness) return;
  witness_ = std::move(verdict.witness);
  window_ = std::move(whole);
  initial_ = first_;
}

std::string KeyHistory::witness(uint32_t momentBits, std::string_view unit) const {
  if (!witness_) return {};
  std::vector<Operation> shown = window_;
  const auto scale = [momentBits](Moment& moment) {
    if (moment != kNever) moment >>= momentBits;
  };
  for (Operation& operation : shown) {
    scale(operation.invoked);
    scale(operation.returned);
  }
  Witness scaled = *witness_;
  if (scaled.cut) scale(*scaled.cut);
  return describeWitness(shown, scaled, initial_, unit);
}

}  // namespace keyhaul::sim
