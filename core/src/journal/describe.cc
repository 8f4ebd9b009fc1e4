// A journal for people and scripts: one JSON object a record.
#include "base/bytes.h"
#include "base/json.h"
#include "journal/receipt_json.h"
#include "keyhaul/checksum.h"
#include "keyhaul/journal.h"

namespace keyhaul {
namespace {

void reach(JsonObject& json, uint32_t range, bool end, const Key& upto) {
  json.number("range", range);
  if (end) {
    json.boolean("end", true);
  } else {
    json.text("upto", upto);
  }
}

struct Describe {
  std::string& out;
  JsonObject& json;

  void operator()(const PlanRecord& record) const {
    const Plan& plan = record.plan;
    json.text("record", "plan");
    json.text("source", plan.source);
    json.text("target", plan.target);
    json.text("mode", modeName(plan.mode));
    json.number("level", static_cast<uint64_t>(record.level));
    json.number("priority", plan.priority);
    json.boolean("intoNonempty", plan.intoNonempty);
    json.boolean("repair", plan.repair);
    json.boolean("follow", plan.follow);
    if (plan.reverseWindowMs != 0) json.number("reverseWindowMs", plan.reverseWindowMs);
    if (plan.splitMax > 1) json.number("splitMax", plan.splitMax);
    json.number("pageBytes", plan.pageBytes);
    json.number("pageEntries", plan.pageEntries);
    json.number("lanes", plan.lanes);
    json.number("windowPages", plan.windowPages);
    json.number("durablePages", plan.durablePages);
    json.number("entryBytesMax", plan.entryBytesMax);
    // The digest key is a secret; this tells two of them apart.
    std::string mark(4, '\0');
    storeLe(mark.data(), crc32c(plan.digestKey));
    json.text("digestKeyMark", toHex(mark));
    json.text("hostInfo", plan.hostInfo);
    json.member("ranges");
    out.push_back('[');
    for (size_t i = 0; i < plan.ranges.size(); ++i) {
      if (i > 0) out.push_back(',');
      JsonObject range(out);
      range.text("from", plan.ranges[i].lo);
      if (!plan.ranges[i].hi.isInfinite()) range.text("below", plan.ranges[i].hi.key());
      range.close();
    }
    out.push_back(']');
  }
  void operator()(const WindowRecord& record) const {
    json.text("record", "window");
    json.number("endsUnixMs", record.endsUnixMs);
  }
  void operator()(const SplitRecord& record) const {
    json.text("record", "split");
    json.text("at", record.at);
  }
  void operator()(const ResumedRecord& record) const {
    json.text("record", "resumed");
    json.number("incarnation", record.incarnation);
  }
  void operator()(const ClaimedRecord& record) const {
    json.text("record", "claimed");
    json.number("coordEpoch", record.coordEpoch);
    json.boolean("forgotten", record.forgotten);
    json.boolean("restarting", record.restarting);
    if (record.turned) json.boolean("turned", true);
  }
  void operator()(const ArmedRecord& record) const {
    json.text("record", "armed");
    json.text("position", record.position);
  }
  void operator()(const PhaseRecord& record) const {
    json.text("record", "phase");
    json.text("state", stateName(record.state));
  }
  void operator()(const PreparedRecord& record) const {
    json.text("record", "prepared");
    json.boolean("targetWasEmpty", record.targetWasEmpty);
    json.text("feedPosition", record.feedPosition);
  }
  void operator()(const CheckpointRecord& record) const {
    json.text("record", "checkpoint");
    reach(json, record.range, record.end, record.upto);
    digest("leaf", record.leaf);
    json.number("pages", record.pages);
  }
  void operator()(const FeedAppliedRecord& record) const {
    json.text("record", "feedApplied");
    json.text("position", record.position);
    json.number("changes", record.changes);
  }
  void operator()(const VerifiedRecord& record) const {
    json.text("record", "verified");
    json.number("round", record.round);
    json.boolean("equal", record.equal);
    json.boolean("written", record.written);
    if (!record.position.empty()) json.text("position", record.position);
    if (record.epoch != 0) json.number("epoch", record.epoch);
    digest("source", record.source);
    digest("target", record.target);
    json.number("missing", record.missing);
    json.number("extra", record.extra);
    json.number("changed", record.changed);
    json.number("repairs", record.repairs);
  }
  void operator()(const DeletedRecord& record) const {
    json.text("record", "deleted");
    reach(json, record.range, record.end, record.upto);
    json.number("entries", record.entries);
    json.number("left", record.left);
  }
  void operator()(const StoppedRecord& record) const {
    json.text("record", "stopped");
    json.text("code", errorName(record.code));
    json.text("text", record.text);
  }
  void operator()(const FinishedRecord& record) const {
    json.text("record", "finished");
    if (record.receipt.windowError != ErrorCode::kOk) json.text("windowError", errorName(record.receipt.windowError));
    json.member("receipt");
    putReceiptJson(out, record.receipt);
  }

 private:
  void digest(std::string_view name, const Digest& value) const {
    json.member(name);
    putDigestJson(out, value);
  }
};

std::string_view standing(const JournalImage& image) {
  if (image.receipt) return stateName(image.receipt->state);
  return image.stopped ? stateName(MigrationState::kStopped) : stateName(image.state);
}

}  // namespace

std::string describeJournal(std::span<const std::byte> bytes) {
  std::string out;
  uint64_t records = 0, validBytes = 0;
  if (Result<JournalReader> reader = JournalReader::open(bytes); reader.ok()) {
    for (Record record;;) {
      const Result<bool> more = reader->next(record);
      if (!more.ok() || !more.value()) break;
      JsonObject json(out);
      std::visit(Describe{out, json}, record);
      json.close();
      out.push_back('\n');
      ++records;
    }
    validBytes = reader->validBytes();
  }
  const Result<JournalImage> image = readJournal(bytes);
  JsonObject json(out);
  json.text("record", "summary");
  json.number("records", records);
  json.number("validBytes", validBytes);
  json.number("bytes", bytes.size());
  if (image.ok()) {
    json.text("state", standing(image.value()));
    json.boolean("resumable", !image->receipt.has_value());
    json.boolean("torn", image->torn);
    json.number("incarnation", image->incarnation);
    json.number("copiedEntries", image->totals.copiedEntries);
    json.number("copiedBytes", image->totals.copiedBytes);
  } else {
    json.text("error", errorName(image.code()));
  }
  json.close();
  out.push_back('\n');
  return out;
}

}  // namespace keyhaul
