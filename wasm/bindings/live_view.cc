// The part of a view that only live migrations have, as JSON.
#include "keyhaul/engine.h"

#include "base/json.h"
#include "boundary.h"

namespace keyhaul::boundary {

void putLiveView(std::string& out, const LiveView& view) {
  JsonObject json(out);
  json.text("waitsFor", waitName(view.waitsFor));
  json.text("text", view.text);
  json.number("failures", view.failures);
  json.number("lagChanges", view.lagChanges);
  json.number("toCompare", view.toCompare);
  if (view.forecast.us != UINT64_MAX) json.number("forecastUs", view.forecast.us);
  json.number("budgetUs", view.budget.us);
  json.number("pausedUs", view.paused.us);
  json.number("postponed", view.postponed);
  json.close();
}

}  // namespace keyhaul::boundary
