#include "linearize/forget.h"

#include <algorithm>

namespace keyhaul::sim {

bool forgetEnd(Move& move) {
  if (move.mayBeLost) return true;
  if (move.effect == Effect::kObserve) return false;
  if (move.effect == Effect::kObserveOther) move.effect = Effect::kSwap;
  move.mayBeLost = true;
  return true;
}

std::vector<Move> knownAt(std::span<const Move> moves, Moment now) {
  std::vector<Move> known;
  for (Move move : moves) {
    if (move.invoked > now) continue;
    if (move.returned > now && !forgetEnd(move)) continue;
    known.push_back(move);
  }
  return known;
}

std::vector<Move> since(std::span<const Move> moves, Moment cut) {
  std::vector<Move> rest;
  for (Move move : moves) {
    if (!move.mayBeLost && move.returned <= cut) continue;
    if (move.invoked <= cut && !forgetEnd(move)) continue;
    rest.push_back(move);
  }
  return rest;
}

std::vector<Moment> returns(std::span<const Move> moves, Moment from) {
  std::vector<Moment> all;
  for (const Move& move : moves) {
    if (!move.mayBeLost && move.returned >= from) all.push_back(move.returned);
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

}  // namespace keyhaul::sim
