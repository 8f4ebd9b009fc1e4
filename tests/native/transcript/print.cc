#include "print.h"

#include <variant>
#include <vector>

#include "journal/receipt_json.h"
#include "text.h"

namespace keyhaul::transcript {
namespace {

std::string number(uint64_t n) { return std::to_string(n); }

std::string progress(uint64_t done, uint64_t total, std::string_view noun) {
  return total == 0 ? counted(done, noun) : number(done) + " of " + counted(total, noun);
}

std::string reach(uint32_t range, bool end, std::string_view upto) {
  return "range " + number(range) + (end ? " to its end" : " below " + escaped(upto));
}

struct RecordText {
  std::string operator()(const PlanRecord&) const { return "plan"; }
  std::string operator()(const ResumedRecord& r) const {
    return "resumed as incarnation " + number(r.incarnation);
  }
  std::string operator()(const ClaimedRecord& r) const {
    return "claimed under coordEpoch " + std::to_string(r.coordEpoch) + (r.forgotten ? ", forgotten" : "") +
           (r.restarting ? ", restarting" : "") + (r.turned ? ", turned" : "");
  }
  std::string operator()(const ArmedRecord& r) const { return "armed at " + escaped(r.position); }
  std::string operator()(const WindowRecord& r) const { return "window ends at " + std::to_string(r.endsUnixMs); }
  std::string operator()(const SplitRecord& r) const { return "split at " + r.at; }
  std::string operator()(const PhaseRecord& r) const {
    return "phase " + std::string(stateName(r.state));
  }
  std::string operator()(const PreparedRecord& r) const {
    return std::string("prepared, target was ") + (r.targetWasEmpty ? "empty" : "not empty") +
           (r.feedPosition.empty() ? "" : ", feed at " + escaped(r.feedPosition));
  }
  std::string operator()(const CheckpointRecord& r) const {
    return "checkpoint " + reach(r.range, r.end, r.upto) + ", " +
           counted(r.leaf.entries, "entry");
  }
  std::string operator()(const FeedAppliedRecord& r) const {
    return "feed applied up to " + escaped(r.position) + ", " +
           counted(r.changes, "change");
  }
  std::string operator()(const VerifiedRecord& r) const {
    return "verified round " + number(r.round) + (r.equal ? ", equal" : ", different");
  }
  std::string operator()(const DeletedRecord& r) const {
    return "deleted " + reach(r.range, r.end, r.upto) + ", " +
           counted(r.entries, "entry") +
           (r.left == 0 ? "" : ", " + number(r.left) + " left");
  }
  std::string operator()(const StoppedRecord& r) const {
    return "stopped " + std::string(errorName(r.code));
  }
  std::string operator()(const FinishedRecord& r) const {
    return "finished " + std::string(stateName(r.receipt.state));
  }
};

// The members of a JSON object whose values hold no text with commas or braces.
std::vector<std::string> members(std::string_view json) {
  std::vector<std::string> all(1);
  int depth = 0;
  for (const char c : json.substr(1, json.size() - 2)) {
    depth += c == '{' ? 1 : c == '}' ? -1 : 0;
    if (c == ',' && depth == 0) {
      all.emplace_back();
    } else if (c != '"') {
      all.back() += c;
    }
  }
  return all;
}

}  // namespace

std::string recordText(const Record& record) { return std::visit(RecordText{}, record); }

std::string viewText(const MigrationView& view) {
  std::string text(stateName(view.state));
  if (view.paused) text += ", paused";
  text += ", " + progress(view.entries, view.totalEntries, "entry");
  text += ", " + progress(view.bytes, view.totalBytes, "byte");
  if (view.bytesPerSecond != 0) text += ", " + number(view.bytesPerSecond) + " bytes/s";
  if (view.eta.us != UINT64_MAX) text += ", done in " + timeText(view.eta.us);
  if (view.caughtUp) text += ", caught up";
  return text;
}

std::string receiptText(const Receipt& receipt) {
  std::string json, text;
  putReceiptJson(json, receipt);
  bool first = true;
  for (const std::string& member : members(json)) {
    if (member.ends_with(":0")) continue;
    const bool digest = member.starts_with("source:") || member.starts_with("target:");
    if (digest) text += '\n';
    if (!digest && !first) text += ' ';
    text += member;
    first = digest && member.starts_with("target:");
    if (first) text += '\n';
  }
  return text;
}

}  // namespace keyhaul::transcript
