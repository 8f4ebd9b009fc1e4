// Journals across the boundary: JSON in text().
#include "keyhaul/journal.h"

#include <emscripten/bind.h>

#include "base/json.h"
#include "handles.h"
#include "journal/receipt_json.h"

namespace keyhaul {
namespace {

using boundary::failure;
using boundary::memory;
using boundary::text;

// Text as it was given, also where it looks like the escape of binary text.
void exactText(JsonObject& json, std::string& out, std::string_view name, std::string_view value) {
  if (!isUtf8(value)) return json.text(name, value);
  json.member(name);
  putJsonString(out, value);
}

// Hexadecimal pairs, because keys are bytes: [["61","7a"],["80",null]], null for no end.
void putRanges(const std::vector<KeyRange>& ranges) {
  std::string& out = text();
  char before = '[';
  for (const KeyRange& range : ranges) {
    out.push_back(before);
    out += "[\"" + toHex(range.lo) + "\",";
    out += range.hi.isInfinite() ? "null]" : '"' + toHex(range.hi.key()) + "\"]";
    before = ',';
  }
  out += ranges.empty() ? "[]" : "]";
}

constexpr bool isAny(MigrationState state, uint32_t bits) { return (bits >> static_cast<uint32_t>(state) & 1) != 0; }

// What a journal knows of a live migration. `decided` is missing where it may have been, and only
// the register knows.
void putLive(const JournalImage& image) {
  using enum MigrationState;
  constexpr auto bit = [](MigrationState state) { return 1U << static_cast<uint32_t>(state); };
  constexpr uint32_t kYes = bit(kActivating) | bit(kRedirecting) | bit(kTurning) | bit(kCleaning) | bit(kDone);
  constexpr uint32_t kMaybe = bit(kFencing) | bit(kDraining) | bit(kReadFencing) | bit(kDeciding) |
                              bit(kPostponing) | bit(kAborting) | bit(kUnfencing);
  const Plan& plan = image.plan.plan();
  const MigrationState state = image.receipt ? image.receipt->state : image.state;
  // What goes the way back has moved, until that is decided too.
  const bool back = image.receipt ? image.receipt->reversed : image.turned;
  JsonObject json(text());
  const auto* id = reinterpret_cast<const char*>(plan.claim.data());
  json.text("claim", toHex(std::string_view(id, plan.claim.size())));
  json.boolean("claimed", image.claimed);
  json.number("coordEpoch", image.coordEpoch);
  json.number("pauseBudgetMs", plan.pauseBudgetMs);
  if (plan.splitMax > 1) json.number("splitMax", plan.splitMax);
  // A later process asks the register before anything else.
  const bool asks = state == kClaiming && image.incarnation > 1;
  if (!asks && !isAny(state, kMaybe)) {
    json.boolean("decided", back != (isAny(state, kYes) || (state == kClosing && !image.aborting)));
  }
  json.close();
}

// What a resume has to know before it opens stores: the plan and where it stands.
double inspectJournal(uint32_t address, uint32_t bytes) {
  text().clear();
  const Result<JournalImage> image = readJournal(memory(address, bytes));
  if (!image.ok()) return failure(image.code());
  const Plan& plan = image->plan.plan();
  JsonObject json(text());
  exactText(json, text(), "source", plan.source);
  exactText(json, text(), "target", plan.target);
  exactText(json, text(), "hostInfo", plan.hostInfo);
  json.member("ranges");
  putRanges(plan.ranges);
  json.text("mode", modeName(plan.mode));
  if (plan.mode == MigrationMode::kLive) {
    json.member("live");
    putLive(image.value());
  }
  json.number("level", static_cast<uint64_t>(image->plan.level()));
  json.text("state", stateName(image->state));
  // Also why one that has failed was given up.
  const bool failed = image->receipt && image->receipt->state == MigrationState::kFailed;
  const ErrorCode why = image->stopped ? image->stopped->code : failed ? image->abortedFor : ErrorCode::kOk;
  json.number("stopped", static_cast<uint64_t>(why));
  json.boolean("torn", image->torn);
  json.number("validBytes", image->validBytes);
  json.number("copiedEntries", image->totals.copiedEntries);
  json.number("copiedBytes", image->totals.copiedBytes);
  json.number("incarnation", image->incarnation);
  if (image->receipt) {
    json.member("receipt");
    putReceiptJson(text(), *image->receipt);
  }
  json.close();
  return 0;
}

uint32_t textAddress() { return boundary::addressOf(text().data()); }
uint32_t textBytes() { return static_cast<uint32_t>(text().size()); }

}  // namespace

std::string& boundary::text() {
  static std::string last;
  return last;
}

EMSCRIPTEN_BINDINGS(keyhaul_journal) {
  emscripten::function("inspectJournal", &inspectJournal);
  emscripten::function("textAddress", &textAddress);
  emscripten::function("textBytes", &textBytes);
}

}  // namespace keyhaul
