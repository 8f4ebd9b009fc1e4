#include "report.h"

#include "faults.h"

namespace keyhaul::sim {
namespace {

std::string hex(uint64_t value) {
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4) text += "0123456789abcdef"[(value >> shift) & 15];
  return text;
}

std::string faultNames(uint64_t mask) {
  std::string names;
  for (uint32_t i = 0; i < kFaultKinds; ++i) {
    if (((mask >> i) & 1) == 0) continue;
    if (!names.empty()) names += ',';
    names += kFaultInfos[i].name;
  }
  return names.empty() ? "none" : names;
}

std::string quoted(std::string_view text) {
  std::string json = "\"";
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (c == '"' || c == '\\') {
      json += '\\';
      json += c;
    } else if (byte < 0x20 || byte >= 0x7F) {
      json += "\\u00";
      json += "0123456789abcdef"[byte >> 4];
      json += "0123456789abcdef"[byte & 15];
    } else {
      json += c;
    }
  }
  return json + '"';
}

}  // namespace

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
  if (report.ok()) text += "no violation\n";
  for (const Violation& v : report.violations) {
    text += "VIOLATION of " + v.oracle + " at " + n(v.timeUs) + " us, event " + n(v.event) + ": " +
            v.text + (v.key.empty() ? "" : "  key " + v.key) + '\n';
  }
  return text;
}

std::string toJson(const Report& report) {
  std::string json = "{\"seed\":" + std::to_string(report.seed) + ",\"hash\":" +
                     quoted(hex(report.hash)) + ",\"events\":" + std::to_string(report.events) +
                     ",\"timeUs\":" + std::to_string(report.timeUs) + ",\"violations\":[";
  for (size_t i = 0; i < report.violations.size(); ++i) {
    const Violation& v = report.violations[i];
    if (i != 0) json += ',';
    json += "{\"oracle\":" + quoted(v.oracle) + ",\"text\":" + quoted(v.text) + ",\"key\":" +
            quoted(v.key) + ",\"timeUs\":" + std::to_string(v.timeUs) + ",\"event\":" +
            std::to_string(v.event) + '}';
  }
  return json + "]}";
}

}  // namespace keyhaul::sim
