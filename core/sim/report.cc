#include "report.h"

#include <algorithm>

#include "faults.h"
#include "json.h"

namespace keyhaul::sim {
namespace {

std::string faultNames(uint64_t mask) {
  std::string names;
  for (uint32_t i = 0; i < kFaultKinds; ++i) {
    if (((mask >> i) & 1) == 0) continue;
    if (!names.empty()) names += ',';
    names += kFaultInfos[i].name;
  }
  return names.empty() ? "none" : names;
}

}  // namespace

std::string otherOracles(const Report& report) {
  std::vector<std::string_view> seen;
  std::string all;
  for (const Violation& violation : report.violations) {
    if (std::find(seen.begin(), seen.end(), violation.oracle) != seen.end()) continue;
    if (!seen.empty()) all += (all.empty() ? "" : ", ") + violation.oracle;
    seen.push_back(violation.oracle);
  }
  return all;
}

std::string toText(const Report& report) {
  const Report::Counts& c = report.counts;
  const auto n = [](uint64_t value) { return std::to_string(value); };
  std::string text;
  for (const std::string& line : report.life) text += line + '\n';
  text += "seed " + n(report.seed) + "  scenario " + report.scenario + "  hash " + hex(report.hash) + '\n';
  text += "faults " + faultNames(report.faults) + '\n';
  text += n(report.events) + " events in " + n(report.timeUs / 1'000) + " simulated ms; " +
          n(c.messages) + " messages, " + n(c.crashes) + " crashes, " + n(c.resumes) + " resumes\n";
  text += n(c.jobs) + " jobs: " + n(c.done) + " done (" + n(c.verified) + " verified), " +
          n(c.cancelled) + " cancelled, " + n(c.mismatched) + " mismatched; " +
          n(c.copiedEntries) + " entries copied, " + n(c.feedChanges) + " changes followed, " +
          n(c.clientAcks) + " of " + n(c.clientOps) + " writes of clients acknowledged\n";
  if (c.routedReads != 0) {
    text += n(c.routedReads) + " reads and " + n(c.scans) + " scans of clients, " + n(c.refusals) +
            " refusals; " + n(c.postponed) + " cut-overs given up\n";
  }
  if (c.windows != 0) {
    text += n(c.windows) + " with a way back, " + n(c.reversed) + " went back\n";
  }
  if (c.judged != 0) {
    text += n(c.judged) + " windows of histories of keys judged, " + n(c.unjudged) +
            " too long to be judged" +
            (c.staleReads == 0 ? "" : "; " + n(c.staleReads) + " stale reads, as may be") + '\n';
  }
  if (report.ok()) text += "no violation\n";
  for (const Violation& v : report.violations) {
    text += "VIOLATION of " + v.oracle + " at " + n(v.timeUs) + " us, event " + n(v.event) + ": " +
            v.text + (v.key.empty() ? "" : "  key " + v.key) + '\n' + v.witness;
  }
  return text;
}

std::string toText(const Pauses& pauses) {
  std::string text;
  for (size_t i = 0; i < pauses.size(); ++i) {
    if (pauses[i] == 0) continue;
    text += (text.empty() ? "" : ", ") + std::to_string(pauses[i]) + " below " + std::to_string(1U << i) + " ms";
  }
  return "pauses of a key's writers: " + (text.empty() ? "none" : text) + '\n';
}

std::string toLine(const Report& report) {
  std::string line = std::to_string(report.seed) + ' ' + hex(report.hash) + ' ' +
                     std::to_string(report.events) + " events";
  if (!report.ok()) line += " VIOLATION of " + report.violations.front().oracle;
  return line;
}

std::string toJson(const Report& report) {
  const auto n = [](uint64_t value) { return std::to_string(value); };
  // The seed as text: it may be larger than a number of JSON's readers.
  std::string json = "{\"seed\":" + quoted(n(report.seed)) + ",\"scenario\":" +
                     quoted(report.scenario) + ",\"hash\":" + quoted(hex(report.hash)) +
                     ",\"faults\":" + quoted(faultNames(report.faults)) + ",\"events\":" +
                     n(report.events) + ",\"timeUs\":" + n(report.timeUs) + ",\"violations\":[";
  for (size_t i = 0; i < report.violations.size(); ++i) {
    const Violation& v = report.violations[i];
    if (i != 0) json += ',';
    json += "{\"oracle\":" + quoted(v.oracle) + ",\"text\":" + quoted(v.text) + ",\"key\":" +
            quoted(v.key) + ",\"harm\":" + quoted(harmName(v.harm)) + ",\"timeUs\":" + n(v.timeUs) + ",\"event\":" + n(v.event) +
            ",\"witness\":" + quoted(v.witness) + '}';
  }
  const Report::Counts& c = report.counts;
  json += "],\"counts\":{\"jobs\":" + n(c.jobs) + ",\"done\":" + n(c.done) + ",\"verified\":" +
          n(c.verified) + ",\"mismatched\":" + n(c.mismatched) + ",\"cancelled\":" +
          n(c.cancelled) + ",\"resumes\":" + n(c.resumes) + ",\"crashes\":" + n(c.crashes) +
          ",\"messages\":" + n(c.messages) + ",\"damaged\":" + n(c.damaged) +
          ",\"clientOps\":" + n(c.clientOps) + ",\"clientAcks\":" + n(c.clientAcks) +
          ",\"copiedEntries\":" + n(c.copiedEntries) + ",\"feedChanges\":" + n(c.feedChanges) +
          ",\"judged\":" + n(c.judged) + ",\"unjudged\":" + n(c.unjudged) + "},\"life\":[";
  for (size_t i = 0; i < report.life.size(); ++i) {
    json += (i == 0 ? "" : ",") + quoted(report.life[i]);
  }
  return json + "]}";
}

}  // namespace keyhaul::sim
