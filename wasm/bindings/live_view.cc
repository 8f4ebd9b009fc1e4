// The part of a view that only live migrations have, as JSON.
#include "keyhaul/engine.h"

#include "base/json.h"
#include "boundary.h"

namespace keyhaul::boundary {

namespace {

// Milliseconds with what is behind their point.
void putMs(JsonObject& json, std::string& out, std::string_view name, uint64_t us) {
  json.member(name);
  const std::string rest = std::to_string(us % 1000);
  out += std::to_string(us / 1000) + '.' + std::string(3 - rest.size(), '0') + rest;
}

}  // namespace

void putLiveView(std::string& out, const LiveView& view) {
  JsonObject json(out);
  json.text("waitsFor", waitName(view.waitsFor));
  json.text("text", view.text);
  json.number("failures", view.failures);
  json.number("lagChanges", view.lagChanges);
  json.number("toCompare", view.toCompare);
  if (view.forecast.us != UINT64_MAX) putMs(json, out, "forecastMs", view.forecast.us);
  putMs(json, out, "budgetMs", view.budget.us);
  putMs(json, out, "pausedMs", view.paused.us);
  json.number("postponed", view.postponed);
  json.boolean("ahead", view.ahead);
  json.boolean("turned", view.turned);
  putMs(json, out, "reverseLeftMs", view.reverseLeft.us);
  json.close();
}

}  // namespace keyhaul::boundary
