#include "journal/receipt_json.h"

#include "base/bytes.h"
#include "base/json.h"

namespace keyhaul {

void putDigestJson(std::string& out, const Digest& digest) {
  JsonObject json(out);
  // Most significant digit first, as people write numbers.
  std::string sum;
  for (const uint64_t half : {digest.hi, digest.lo}) {
    for (int shift = 56; shift >= 0; shift -= 8) sum.push_back(static_cast<char>(half >> shift));
  }
  json.text("sum", toHex(sum));
  json.number("entries", digest.entries);
  json.number("bytes", digest.bytes);
  json.close();
}

void putReceiptJson(std::string& out, const Receipt& receipt) {
  const Totals& t = receipt.totals;
  JsonObject json(out);
  json.text("state", stateName(receipt.state));
  json.text("mode", modeName(receipt.mode));
  json.number("level", static_cast<uint64_t>(receipt.level));
  json.boolean("verified", receipt.verified);
  if (receipt.reversed) json.boolean("reversed", true);
  if (receipt.windowError != ErrorCode::kOk) json.number("windowError", static_cast<uint64_t>(receipt.windowError));
  if (receipt.sourceGivenUp) json.boolean("sourceGivenUp", true);
  if (receipt.staleReadsUs == kStaleReadsUnknown) {
    json.boolean("staleReadsUnknown", true);
  } else if (receipt.staleReadsUs != 0) {
    json.number("staleReadsUs", receipt.staleReadsUs);
  }
  if (!receipt.splitAt.empty()) json.text("splitAt", toHex(receipt.splitAt));
  if (!receipt.position.empty()) {
    json.text("position", receipt.position);
    json.number("epoch", receipt.epoch);
  }
  json.member("source");
  putDigestJson(out, receipt.source);
  json.member("target");
  putDigestJson(out, receipt.target);
  const std::pair<std::string_view, uint64_t> numbers[] = {
      {"copiedEntries", t.copiedEntries}, {"copiedBytes", t.copiedBytes},
      {"copiedPages", t.copiedPages},     {"feedChanges", t.feedChanges},
      {"verifiedEntries", t.verifiedEntries}, {"verifiedBytes", t.verifiedBytes},
      {"missing", t.missing},             {"extra", t.extra},
      {"changed", t.changed},             {"repairs", t.repairs},
      {"deletedEntries", t.deletedEntries}, {"leftOnSource", t.leftOnSource},
      {"discardedEntries", t.discardedEntries}, {"retries", t.retries},
      {"staleCompletions", t.staleCompletions}, {"copyUs", t.copyUs},
      {"catchUpUs", t.catchUpUs},         {"verifyUs", t.verifyUs},
      {"deleteUs", t.deleteUs},           {"activeUs", t.activeUs},
      {"pauseForecastUs", t.pauseForecastUs}, {"pauseUs", t.pauseUs},
      {"postponed", t.postponed},         {"rechecked", t.rechecked},
      {"incarnations", t.incarnations},   {"verifyRounds", t.verifyRounds}};
  for (const auto& [name, value] : numbers) json.number(name, value);
  json.close();
}

}  // namespace keyhaul
