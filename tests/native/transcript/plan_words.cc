#include "plan_words.h"

#include <optional>
#include <string_view>
#include <utility>

#include "keyhaul/migration.h"
#include "text.h"

namespace keyhaul::transcript {
namespace {

MigrationMode modeOf(std::string_view name) {
  for (const auto mode : {MigrationMode::kCopy, MigrationMode::kMove, MigrationMode::kVerify}) {
    if (modeName(mode) == name) return mode;
  }
  scriptError("no mode: " + std::string(name));
}

VerifyDepth depthOf(std::string_view name) {
  if (name == "none") return VerifyDepth::kNone;
  if (name == "target") return VerifyDepth::kTarget;
  if (name == "both") return VerifyDepth::kBoth;
  scriptError("no depth: " + std::string(name));
}

bool applyFlag(std::string_view word, Plan& plan) {
  bool* const flag = word == "intoNonempty" ? &plan.intoNonempty
                     : word == "repair"     ? &plan.repair
                     : word == "follow"     ? &plan.follow
                                            : nullptr;
  if (flag != nullptr) *flag = true;
  return flag != nullptr;
}

bool applyNumber(std::string_view name, std::string_view value, Plan& plan) {
  const std::pair<std::string_view, uint32_t*> fields[] = {{"pageBytes", &plan.pageBytes},
                                                           {"pageEntries", &plan.pageEntries},
                                                           {"lanes", &plan.lanes},
                                                           {"windowPages", &plan.windowPages},
                                                           {"durablePages", &plan.durablePages}};
  for (const auto& [field, at] : fields) {
    if (field != name) continue;
    *at = static_cast<uint32_t>(parseNumber(value));
    return true;
  }
  return false;
}

}  // namespace

void applyPlanWords(std::span<const std::string> words, Plan& plan) {
  for (const std::string& word : words) {
    if (applyFlag(word, plan)) continue;
    const size_t equals = word.find('=');
    if (equals == std::string::npos) scriptError("a plan knows no " + word);
    const std::string_view name = std::string_view(word).substr(0, equals);
    const std::string_view value = std::string_view(word).substr(equals + 1);
    if (applyNumber(name, value, plan)) continue;
    if (name == "range") {
      plan.ranges.push_back(parseRange(value));
    } else if (name == "mode") {
      plan.mode = modeOf(value);
    } else if (name == "verify") {
      plan.verify = depthOf(value);
    } else if (name == "level") {
      plan.require = static_cast<GuaranteeLevel>(parseNumber(value));
    } else if (name == "priority") {
      plan.priority = static_cast<uint8_t>(parseNumber(value));
    } else if (name == "entryBytesMax") {
      plan.entryBytesMax = parseNumber(value);
    } else if (name == "expectedEntries") {
      plan.expectedEntries = parseNumber(value);
    } else if (name == "expectedBytes") {
      plan.expectedBytes = parseNumber(value);
    } else {
      scriptError("a plan knows no " + word);
    }
  }
  if (plan.ranges.empty()) plan.ranges.push_back(KeyRange::all());
}

}  // namespace keyhaul::transcript
